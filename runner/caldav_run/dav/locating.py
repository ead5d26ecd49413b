"""From a bare host or domain to the URL that it serves CalDAV at, without showing credentials."""

from collections.abc import Sequence
from contextlib import closing
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

from caldav_run.dav import bodies, failures, names, service_records
from caldav_run.dav.connection import Connection, Watch
from caldav_run.dav.origin import Origin
from caldav_run.dav.products import ADDRESSES
from caldav_run.dav.service_records import WELL_KNOWN
from caldav_run.dav.settings import Settings
from caldav_run.errors import ConnectorError

LOCATING: Final = bodies.propfind(
    (names.RESOURCETYPE, names.CURRENT_USER_PRINCIPAL, names.CALENDAR_HOME_SET)
)
_FOUND: Final = frozenset({HTTPStatus.MULTI_STATUS, HTTPStatus.UNAUTHORIZED})


def resolve_host(settings: Settings, watch: Watch | None = None) -> str:
    """Return the URL that a bare host serves CalDAV at, asking without credentials.

    What the host itself says over https is believed, wherever it leads. DNS can be forged: it is
    believed about hosts of the same domain, and about those that the user trusts.

    Args:
        settings: What to connect with.
        watch: Is told of every request.

    Raises:
        ConnectorError: The host cannot be reached, or DNS leads to a host that is not trusted.
    """
    base = urlsplit(settings.base)
    if base.path != "/":
        return settings.base
    if base.netloc in ADDRESSES:
        return ADDRESSES[base.netloc]
    named = () if base.port or base.scheme != "https" else service_records.services(base.netloc)
    distrusted: list[str] = []
    with closing(Connection(settings, anonymous=True, watch=watch)) as connection:
        for url in named:
            if not _believable(settings, url, base.netloc):
                distrusted.append(url)
            elif found := _answering(connection, url):
                return found
        return _by_itself(connection, settings.base, distrusted)


def _by_itself(connection: Connection, base: str, distrusted: Sequence[str]) -> str:
    """Return what the host says of itself, else its root; DNS is only quoted."""
    try:
        found = _served(connection, urljoin(base, WELL_KNOWN))
    except failures.UnreachableError:
        if not distrusted:
            raise
        found = None
    if found is None and distrusted:
        raise _distrust(urlsplit(base).netloc, distrusted[0])
    return found or base


def _believable(settings: Settings, url: str, domain: str) -> bool:
    return settings.trust.allows(url) or service_records.same_domain(Origin.of(url).host, domain)


def _answering(connection: Connection, url: str) -> str | None:
    """Return where the service is that DNS names; None when nothing answers there."""
    try:
        return _served(connection, url) or urljoin(url, "/")
    except ConnectorError:
        return None


def _served(connection: Connection, url: str) -> str | None:
    """Return where an answer of a CalDAV server comes from in the end; None without one."""
    with connection.send("PROPFIND", url, LOCATING, {"Depth": "0"}) as reply:
        if reply.status not in _FOUND:
            return None
        # A login that is asked for before anything is told says nothing of the path.
        return reply.url if urlsplit(reply.url).path != WELL_KNOWN else urljoin(reply.url, "/")


def _distrust(domain: str, url: str) -> ConnectorError:
    origin = Origin.of(url)
    host = str(origin).partition("://")[2]
    return ConnectorError(
        f"the DNS of {domain} leads to another server, {origin}, which was not asked",
        mend=f"if that is right, add: trust_hosts: [{host}]",
    )
