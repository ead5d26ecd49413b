"""Whether packs hold the bodies that signed rows say, one pack and one body at a time."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from caldav_run.repository import envelope
from caldav_run.repository.check.findings import Finding, Level, Severity
from caldav_run.repository.check.replay import body_key

_MEND: Final = "look for the pack in a copy; the next full backup reads the items anew"
_SHOWN: Final = 3


def check_pack(
    name: str, archive: bytes, wanted: Mapping[str, bytes], said: int | None
) -> Iterator[Finding]:
    """Compare one opened pack with the rows that name its members.

    Args:
        name: Its name.
        archive: What `envelope.unseal` returned.
        wanted: What the rows say of its members, see `body_key`.
        said: How many bodies its segment says that it holds; None when no segment says so.

    Raises:
        DamageError: The archive is broken.
    """
    altered: list[str] = []
    unnamed: list[str] = []
    seen: set[str] = set()

    def named(member: str, size: int) -> bool:
        del size
        if member in wanted:
            return True
        unnamed.append(member)
        return False

    for member, body in envelope.unpack(name, archive, named):
        seen.add(member)
        if body_key(hashlib.sha256(body).hexdigest(), len(body)) != wanted[member]:
            altered.append(member)
    lacking = [member for member in wanted if member not in seen]
    yield from _told(name, lacking, Severity.DAMAGE, "it lacks what rows name")
    yield from _told(name, altered, Severity.DAMAGE, "it holds other bytes than signed rows say")
    count = len(seen) + len(unnamed)
    if said not in {None, count}:
        what = f"it holds {count} bodies; a signed segment says {said}"
        yield Finding(Level.DEEP, Severity.DAMAGE, name, what)
    yield from _told(name, unnamed, Severity.WARNING, "it holds what no row names")


def _told(name: str, members: list[str], severity: Severity, what: str) -> Iterator[Finding]:
    if not members:
        return
    more = f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else ""
    mend = _MEND if severity is Severity.DAMAGE else None
    told = f"{what}: {', '.join(members[:_SHOWN])}{more}"
    yield Finding(Level.DEEP, severity, name, told, mend)
