"""Level 1: what the names, sizes and times of a listing tell; no object is read, no key needed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from caldav_run.errors import SetupError
from caldav_run.repository import names
from caldav_run.repository.check import ages, generations
from caldav_run.repository.check.findings import Finding, Level, Severity, damage_of
from caldav_run.repository.check.inventory import Listed, inventory
from caldav_run.repository.check.kinds import Kind
from caldav_run.repository.create import repository_id
from caldav_run.repository.store import Store, Stored

_SIGNED: Final = frozenset({Kind.SEGMENT, Kind.RUN})


def check_structure(listing: Iterable[Stored], now: datetime) -> list[Finding]:
    """Return what is wrong or worth knowing about a whole listing.

    Args:
        listing: Every object of the repository.
        now: The time.
    """
    objects = inventory(listing)
    found = [*_places(objects), *_doubles(objects)]
    for generation in generations.group(objects):
        found += generations.check(generation, now)
    return [*found, *generations.without_backup(objects), *ages.check(objects, now)]


def check_marker(store: Store) -> Finding | None:
    """Read `format.json`, the one object that a repository is known by.

    Raises:
        ConnectorError: The store cannot be read.
    """
    try:
        repository_id(store)
    except SetupError as error:
        return damage_of(Level.STRUCTURE, names.MARKER, error)
    return None


def check_leftovers(files: Iterable[Stored]) -> Iterator[Finding]:
    """Tell the unfinished files of a local folder; no object was ever one of them."""
    found = list(files)
    if found:
        size = sum(each.size for each in found)
        what = f"{len(found)} unfinished files, {size:,} bytes: a run goes on, or was cut off"
        mend = "what is older than a day may be deleted; runs do so where they write"
        yield Finding(Level.STRUCTURE, Severity.NOTE, found[0].name, what, mend)


def _places(objects: Sequence[Listed]) -> Iterator[Finding]:
    """Tell what is empty, misplaced, or no object of a repository."""
    for each in objects:
        if each.kind is Kind.UNKNOWN:
            what = "it is no object of a repository; nothing here reads it"
            mend = "see who else writes there; it can be deleted"
            yield Finding(Level.STRUCTURE, Severity.WARNING, each.name, what, mend)
        elif each.stored.size == 0:
            yield _damage(each.name, "it is empty: a write was cut off, or it was overwritten")
        elif each.run and not each.name.startswith(f"{names.RUNS}{each.run.time:%Y-%m}/"):
            yield _damage(each.name, "it lies in the folder of another month")
    if not any(each.kind is Kind.README for each in objects):
        what = "it is missing; it tells a person without this program how to open the rest"
        yield Finding(Level.STRUCTURE, Severity.WARNING, names.README, what)


def _doubles(objects: Sequence[Listed]) -> Iterator[Finding]:
    """Tell signed objects that lie in two places: one was put in the place of another."""
    seen: dict[str, str] = {}
    for each in objects:
        if each.kind in _SIGNED and each.sha256:
            first = seen.setdefault(each.sha256, each.name)
            if first != each.name:
                yield _damage(each.name, f"by its hash it is {first} under another name")


def _damage(name: str, what: str) -> Finding:
    mend = "look for it in a copy of the repository"
    return Finding(Level.STRUCTURE, Severity.DAMAGE, name, what, mend)
