"""From a bare host or domain to the URL that it serves CalDAV at, without showing credentials."""

from contextlib import closing
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

from caldav_run.dav import bodies, failures, names, service_records
from caldav_run.dav.connection import Connection, Watch
from caldav_run.dav.failures import UnreachableError
from caldav_run.dav.origin import Origin
from caldav_run.dav.products import ADDRESSES
from caldav_run.dav.service_records import WELL_KNOWN
from caldav_run.dav.settings import Settings
from caldav_run.errors import ConnectorError, TemporaryError

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
        TemporaryError: What the host or its DNS names as the service does not answer for now.
        ConnectorError: The host cannot be reached, or DNS leads to a host that is not trusted.
    """
    base = urlsplit(settings.base)
    if base.path != "/":
        return settings.base
    if base.netloc in ADDRESSES:
        return ADDRESSES[base.netloc]
    named = () if base.port or base.scheme != "https" else service_records.services(base.netloc)
    obstacles: list[ConnectorError] = []
    with closing(Connection(settings, anonymous=True, watch=watch)) as connection:
        for url in named:
            if not _believable(settings, url, base.netloc):
                obstacles.append(_distrust(base.netloc, url))
                continue
            try:
                if found := _answering(connection, url):
                    return found
            except TemporaryError as error:
                obstacles.append(error)
        # What passes by itself comes first: nothing has to be set for it.
        first = min(obstacles, key=lambda each: not isinstance(each, TemporaryError), default=None)
        return _by_itself(connection, settings.base, first)


def _by_itself(connection: Connection, base: str, obstacle: ConnectorError | None) -> str:
    """Return what the host says of itself, else its root.

    Args:
        connection: Asks without credentials.
        base: The root of the host.
        obstacle: Why the service that DNS names is not used. The root is none then: it belongs to
            a website, which must not get the password.
    """
    dismissed = ConnectorError if isinstance(obstacle, TemporaryError) else UnreachableError
    try:
        found = _served(connection, urljoin(base, WELL_KNOWN))
    except failures.StatusError as error:
        # An error of the host itself says nothing of its root; one of where it leads is an outage.
        if (Origin.of(error.url), urlsplit(error.url).path) != (Origin.of(base), WELL_KNOWN):
            raise failures.for_account(error, error.url) from error
        found = None
    except dismissed:
        if obstacle is None:
            raise
        found = None
    if found is None and obstacle is not None:
        raise obstacle
    return found or base


def _believable(settings: Settings, url: str, domain: str) -> bool:
    return settings.trust.allows(url) or service_records.same_domain(Origin.of(url).host, domain)


def _answering(connection: Connection, url: str) -> str | None:
    """Return where the service is that DNS names; None when nothing answers there.

    Raises:
        TemporaryError: It does not answer for now.
    """
    try:
        return _served(connection, url) or urljoin(url, "/")
    except ConnectorError as error:
        if (outage := failures.outage(error)) is not None:
            raise outage from error
        return None


def _served(connection: Connection, url: str) -> str | None:
    """Return where an answer of a CalDAV server comes from in the end; None without one.

    Raises:
        StatusError: There may be one later on.
        ConnectorError: See `Connection.send`.
    """
    with connection.send("PROPFIND", url, LOCATING, {"Depth": "0"}) as reply:
        if failures.passing(reply.status):
            raise reply.error()
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
