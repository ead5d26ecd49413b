"""What DNS says of where a domain's calendars are served (RFC 6764 sections 3, 4 and 6)."""

import ipaddress
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

if TYPE_CHECKING:
    from dns.rdtypes.IN.SRV import SRV
    from dns.rdtypes.txtbase import TXTBase

WELL_KNOWN: Final = "/.well-known/caldav"
# Only what is encrypted is looked for: DNS can be forged.
_SERVICE: Final = "_caldavs._tcp"
_LIMIT_S: Final = 5.0
_PATH: Final = "path="


def services(domain: str) -> Iterator[str]:
    """Yield the https URLs that a domain's records name, the preferred one first.

    Nothing where there are no such records, or where DNS does not answer.

    Args:
        domain: A host name; an address or the name of this machine has no records.
    """
    if "." not in domain or _is_address(domain):
        return
    from dns.exception import DNSException
    from dns.resolver import get_default_resolver

    found: list[SRV] = []
    path = WELL_KNOWN
    with suppress(DNSException, UnicodeError):
        name = f"{_SERVICE}.{domain}"
        resolver = get_default_resolver()
        answer = resolver.resolve(name, "SRV", search=False, lifetime=_LIMIT_S)
        found = cast("list[SRV]", answer.rrset.processing_order() if answer.rrset else [])
        told = cast(
            "Iterable[TXTBase]", resolver.resolve(name, "TXT", search=False, lifetime=_LIMIT_S)
        )
        path = next(filter(None, map(_path, told)), path)
    for each in found:
        host = each.target.to_text(omit_final_dot=True)
        # A lone dot says that there is no such service (RFC 2782).
        if host != ".":
            port = "" if each.port == 443 else f":{each.port}"  # noqa: PLR2004 -- https
            yield f"https://{host}{port}{path}"


def same_domain(host: str, domain: str) -> bool:
    """Return whether a host belongs to a domain, whatever DNS says (RFC 6764 section 8)."""
    return host == domain or host.endswith(f".{domain}")


def _path(record: "TXTBase") -> str | None:
    """Return the path that a TXT record names (RFC 6763 section 6: a string for each key)."""
    for text in record.strings:
        found = text.decode("utf-8", "replace")
        if found.lower().startswith(_PATH) and found[len(_PATH) :].startswith("/"):
            return quote(found[len(_PATH) :], safe="/%:@!$&'()*+,;=~-._")
    return None


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False
