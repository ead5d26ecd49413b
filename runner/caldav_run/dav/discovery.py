"""From a host or any URL of an account to its calendars (RFC 6764, RFC 5397, RFC 4791)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from urllib.parse import unquote, urljoin, urlsplit

from caldav_run.dav import bodies, collections, failures, hrefs, names, products
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection, Watch
from caldav_run.dav.locating import LOCATING, resolve_host
from caldav_run.dav.multistatus import Response
from caldav_run.dav.patience import patiently
from caldav_run.dav.profiles import Profile
from caldav_run.dav.service_records import WELL_KNOWN
from caldav_run.dav.settings import Settings
from caldav_run.errors import AccessError, ConnectorError, TemporaryError
from caldav_run.model import Failed


class Kind(StrEnum):
    """Whose a calendar is.

    Attributes:
        OWN: The user's own.
        SHARED: Somebody else's, which lies in the user's home as well.
        DELEGATED: In the home of somebody who lets the user act for them.
        SUBSCRIBED: A copy of, or a mere link to, a calendar that lies elsewhere.
    """

    OWN = "own"
    SHARED = "shared"
    DELEGATED = "delegated"
    SUBSCRIBED = "subscribed"


@dataclass(frozen=True, slots=True)
class Account:
    """What was found behind a URL.

    Attributes:
        connection: Signed in, for all further requests.
        identity: The URL that tells this account from others: its principal's, else its home's.
        homes: The calendar homes, with a final slash.
        single: The only calendar, when the URL names one; the homes then serve for new ones.
        principal: Who the server takes the user for, as far as it tells.
        signs: What its answers say of the software, see `Connection.signs`.
    """

    connection: Connection
    identity: str
    homes: tuple[str, ...]
    single: Collection | None = None
    principal: str | None = None
    signs: str = ""

    @property
    def profile(self) -> Profile:
        """How to treat the server: as the settings say, else as what it shows itself to be."""
        name = self.connection.profile
        if name is not None:
            return products.PRODUCTS[name]()
        return products.recognised((self.identity, *self.homes), self.signs)

    def kind(self, collection: Collection) -> Kind:
        """Return whose a calendar is, as far as the server tells."""
        if collection.subscribed:
            return Kind.SUBSCRIBED
        if collection.owner is None or self.principal is None:
            return Kind.OWN
        return Kind.OWN if _same(collection.owner, self.principal) else Kind.SHARED

    @property
    def origin(self) -> str:
        """The identity and the user, as one text."""
        username = self.connection.username
        return f"{self.identity} as {username}" if username else self.identity

    def owner_name(self, collection: Collection) -> str:
        """Return the last part of the owner's address, to tell people by; may be empty."""
        path = urlsplit(collection.owner or "").path.rstrip("/")
        return unquote(path.rpartition("/")[2])

    def collections(
        self,
        notice: collections.Notice | None = None,
        unlisted: list[ConnectorError] | None = None,
    ) -> Iterator[Collection | Failed]:
        """Yield the account's calendars, and what may be one but is not described.

        Args:
            notice: Is told what is said of each home and all in it, for `signpost.Signpost`.
            unlisted: Gets why a home cannot be listed while another one can.

        Raises:
            ConnectorError: No home can be listed, or one cannot and `unlisted` is None.
        """
        if self.single is not None:
            yield self.single
            return
        troubles: list[ConnectorError] = []
        for home in self.homes:
            try:
                yield from patiently(partial(_in_home, self, home, notice))
            except failures.StatusError as error:
                troubles.append(failures.for_home(error, home))
            except ConnectorError as error:
                troubles.append(error)
        if troubles and (unlisted is None or len(troubles) == len(self.homes)):
            raise troubles[0]
        if unlisted is not None:
            unlisted += troubles


def _in_home(
    account: Account, home: str, notice: collections.Notice | None
) -> list[Collection | Failed]:
    root = home if home == account.homes[0] else None
    return list(collections.listed(account.connection, home, root, notice))


def find(settings: Settings, watch: Watch | None = None) -> Account:
    """Find the account that the settings lead to.

    Args:
        settings: What to connect with.
        watch: Is told of every request, also of those of the account later on.

    Raises:
        AccessError: The credentials are refused, or silently not used.
        ConnectorError: Nothing there speaks CalDAV, or it cannot be reached.
    """
    base = resolve_host(settings, watch) if settings.bare else settings.base
    connection = Connection(settings, base, watch=watch)
    try:
        return replace(_locate(connection), signs=connection.signs)
    except BaseException:
        connection.close()
        raise


def _locate(connection: Connection) -> Account:
    here = connection.base
    candidates = [here, urljoin(here, WELL_KNOWN)]
    if urlsplit(here).path in {"", "/"}:
        # The root of a host is a web page more often than a part of the service.
        candidates.reverse()
    refusals: dict[str, ConnectorError] = {}
    for url in candidates:
        try:
            found = _look_at(connection, url)
        except (failures.StatusError, failures.MalformedAnswerError) as error:
            refusals[url] = _meaning(error, here)
            # Another place that answers may be another account, or more than was asked for.
            if url == here and isinstance(refusals[url], TemporaryError):
                break
            continue
        if found is not None:
            return found
    if isinstance(first := refusals.get(candidates[0]), TemporaryError):
        raise first
    # What the well-known address says matters to nobody who gave another one.
    raise refusals.get(here) or failures.no_caldav(here, "no principal, no calendars")


def _meaning(
    error: failures.StatusError | failures.MalformedAnswerError, url: str
) -> ConnectorError:
    if isinstance(error, failures.StatusError):
        return failures.for_account(error, url)
    return failures.no_caldav(url, error.message)


def _look_at(connection: Connection, url: str) -> Account | None:
    """Return the account that a URL belongs to; None when it leads to nothing."""
    response = describe(connection, url, LOCATING)
    there = _folder(response.base)
    if collections.is_calendar(response):
        return _single(connection, there, response)
    principal = _principal(response)
    if homes := _homes(response):
        identity = _whose(connection, homes, there, principal)
        return Account(connection, identity, homes, principal=principal or there)
    homes = homes_of(connection, principal) if principal else ()
    if any(_lies_in(home, there) for home in homes):
        return Account(connection, _folder(principal or there), homes, principal=principal)
    # Not on the way to the user's own home: perhaps a home that somebody else shares.
    if _holds_calendars(connection, there, known=bool(homes)):
        return Account(connection, there, (there,), principal=principal)
    if principal and homes:
        return Account(connection, _folder(principal), homes, principal=principal)
    return None


def _holds_calendars(connection: Connection, home: str, *, known: bool) -> bool:
    """Return whether calendars lie there; `known` says that the user's own lie elsewhere."""
    try:
        return any(
            isinstance(each, Collection) for each in collections.listed(connection, home, home)
        )
    except failures.StatusError as error:
        # It was there a moment ago. Nobody who asks for it wants their own calendars instead.
        if known and error.status == HTTPStatus.NOT_FOUND:
            raise failures.for_home(error, home) from error
        raise


def _whose(
    connection: Connection, homes: tuple[str, ...], there: str, principal: str | None
) -> str:
    """Return the URL that tells whose homes these are, which a URL was found to have.

    It may be somebody else's principal, or one of the places at which some servers tell anybody
    of their own homes; such an account is the same wherever it is entered.

    Raises:
        TemporaryError: The principal does not tell for now; it must not become another account.
    """
    if principal is None or _same(principal, there):
        return there
    try:
        own = homes_of(connection, principal)
    except failures.TROUBLE as error:
        if (outage := failures.outage(error)) is not None:
            raise outage from error
        return there
    return _folder(principal) if own == homes else there


def _single(connection: Connection, url: str, response: Response) -> Account:
    principal = _principal(response)
    homes = homes_of(connection, principal) if principal else ()
    around = (_folder(url.rstrip("/").rpartition("/")[0]),)
    home = next((home for home in homes if _lies_in(url, home)), around[0])
    described = describe(connection, url, collections.properties())
    found = collections.collection(described, home)
    return Account(connection, url, homes or around, single=found, principal=principal)


def describe(connection: Connection, url: str, body: bytes) -> Response:
    """Return what a PROPFIND says of one resource.

    Raises:
        StatusError: It is not described.
        MalformedAnswerError: The answer holds nothing.
        ConnectorError: See `Connection.send`.
    """

    def ask() -> Response | None:
        return next(connection.multistatus("PROPFIND", url, body, depth=0), None)

    if (response := patiently(ask)) is None:
        raise failures.MalformedAnswerError(f"{url} describes nothing")
    return response


def homes_of(connection: Connection, principal: str) -> tuple[str, ...]:
    """Return the calendar homes of a principal, each with a final slash."""
    return _homes(describe(connection, principal, bodies.propfind([names.CALENDAR_HOME_SET])))


def _homes(response: Response) -> tuple[str, ...]:
    element = response.properties.get(names.CALENDAR_HOME_SET)
    found = () if element is None else (href.text for href in element.iterfind(names.HREF))
    urls = (hrefs.resolve(response.base, href.strip()) for href in found if href)
    return tuple(dict.fromkeys(_folder(url) for url in urls))


def _principal(response: Response) -> str | None:
    """Return the user's principal.

    Raises:
        AccessError: The server took the request for nobody's.
    """
    element = response.properties.get(names.CURRENT_USER_PRINCIPAL)
    if element is None:
        return None
    if element.find(names.UNAUTHENTICATED) is not None:
        raise AccessError(
            f"{response.base} did not sign anybody in", mend="check username, password and auth"
        )
    href = element.findtext(names.HREF)
    return hrefs.resolve(response.base, href.strip()) if href else None


def _folder(url: str) -> str:
    return url.rstrip("/") + "/"


def _same(one: str, other: str) -> bool:
    return hrefs.key(urlsplit(one).path) == hrefs.key(urlsplit(other).path)


def _lies_in(inner: str, outer: str) -> bool:
    """Return whether one URL's path is the other's, or lies below it."""
    above = hrefs.key(urlsplit(outer).path).rstrip("/")
    return f"{hrefs.key(urlsplit(inner).path)}/".startswith(f"{above}/")
