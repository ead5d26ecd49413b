"""Servers and services by name, and how to recognise them without asking for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from caldav_run.dav import names
from caldav_run.dav.profiles import UNKNOWN, Profile, Sync


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One kind of server.

    Attributes:
        profile: How to treat it.
        hosts: Hosts of the service, as shell patterns.
        signs: Parts of the headers that its answers have, in lower case.
        paths: How the paths of its principals and homes begin.
        hints: What python-caldav calls it, where its hints say more than `profile`.
    """

    profile: Profile
    hosts: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    hints: str | None = None

    def __call__(self) -> Profile:
        """Return the profile, with what the library's hints add."""
        if self.hints is None:
            return self.profile
        from caldav_run.dav.hints import seeded

        return seeded(self.profile, self.hints)


def _profile(name: str, title: str, sync: Sync = Sync.TRUSTED) -> Profile:
    return Profile(name=name, title=title).with_sync(sync)


_STALE: Final = Sync.STALE_TOKENS
# Services first, by host: what they run is seen less clearly. Then software, by what its answers
# show; those that pass for others stand before them.
_ALL: Final = (
    Product(profile=_profile("fastmail", "Fastmail"), hosts=("*.fastmail.com",)),
    Product(
        profile=_profile("icloud", "iCloud"),
        hosts=("icloud.com", "*.icloud.com"),
        hints="icloud",
    ),
    Product(
        profile=Profile(name="google", title="Google Calendar", concurrency=4),
        hosts=("apidata.googleusercontent.com", "www.google.com", "calendar.google.com"),
    ),
    Product(
        profile=_profile("mailbox.org", "mailbox.org"),
        hosts=("dav.mailbox.org",),
        hints="ox",
    ),
    Product(
        profile=Profile(name="zoho", title="Zoho Calendar", multiget_limit=500),
        hosts=("calendar.zoho.*", "calendar.zoho.com.*"),
    ),
    Product(
        profile=_profile("yahoo", "Yahoo Calendar"),
        hosts=("caldav.calendar.yahoo.com", "caldav.calendar.aol.com"),
        hints="yahoo",
    ),
    Product(profile=_profile("posteo", "Posteo"), hosts=("posteo.de",), hints="posteo"),
    Product(
        profile=_profile("gmx", "GMX and WEB.DE"),
        hosts=("caldav.gmx.*", "caldav.web.de"),
        hints="gmx",
    ),
    Product(
        profile=_profile("infomaniak", "Infomaniak"),
        hosts=("sync.infomaniak.com",),
        hints="infomaniak",
    ),
    Product(
        profile=_profile("purelymail", "Purelymail"), hosts=("purelymail.com",), hints="purelymail"
    ),
    Product(
        profile=Profile(name="nextcloud", title="Nextcloud", rewrites_shares=True),
        signs=("nextcloud-checksum-update", "nc-calendar-"),
        paths=("/remote.php/dav/", "/remote.php/caldav/"),
    ),
    Product(
        profile=_profile("davical", "DAViCal", _STALE),
        signs=("davical/",),
        paths=("/davical/caldav.php/", "/caldav.php/"),
    ),
    Product(profile=_profile("synology", "Synology Calendar"), hints="synology"),
    Product(
        profile=Profile(name="sogo", title="SOGo", etags_recur=True).with_sync(_STALE),
        paths=("/SOGo/dav/",),
    ),
    Product(
        profile=_profile("cyrus", "Cyrus IMAP"),
        signs=("cyrus-http",),
        paths=("/dav/principals/user/", "/dav/calendars/user/"),
    ),
    Product(
        profile=_profile("stalwart", "Stalwart", _STALE),
        paths=("/dav/pal/", "/dav/cal/"),
    ),
    Product(profile=_profile("zimbra", "Zimbra"), hints="zimbra"),
    Product(profile=_profile("ox", "Open-Xchange"), hints="ox"),
    Product(
        # One core serves everybody: four requests at a time take it a third longer than one after
        # the other. It makes each item anew to tell its size, which is a third of a listing.
        profile=Profile(
            name="radicale",
            title="Radicale",
            concurrency=2,
            costly=frozenset({names.GETCONTENTLENGTH}),
        ),
        # All that it says; others say the same and more.
        signs=("=1, 2, 3, calendar-access, addressbook, extended-mkcol=",),
    ),
    Product(profile=_profile("xandikos", "Xandikos"), signs=("aiohttp/",)),
    Product(
        profile=_profile("baikal", "Baikal, or another with sabre/dav"),
        signs=("calendarserver-principal-property-search",),
        paths=("/dav.php/", "/cal.php/"),
    ),
)
PRODUCTS: Final[Mapping[str, Product]] = MappingProxyType(
    {each.profile.name: each for each in _ALL}
)
_ICLOUD: Final = "https://caldav.icloud.com/"
_FASTMAIL: Final = "https://caldav.fastmail.com/"
_YAHOO: Final = "https://caldav.calendar.yahoo.com/"
ADDRESSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fastmail.com": _FASTMAIL,
        "fastmail.fm": _FASTMAIL,
        "icloud.com": _ICLOUD,
        "mac.com": _ICLOUD,
        "mailbox.org": "https://dav.mailbox.org/",
        "me.com": _ICLOUD,
        "posteo.de": "https://posteo.de:8443/",
        "posteo.net": "https://posteo.de:8443/",
        "yahoo.com": _YAHOO,
        "zoho.com": "https://calendar.zoho.com/",
        "zoho.eu": "https://calendar.zoho.eu/",
    }
)
"""Where mail domains of large services have their calendars, which not all of them tell by DNS."""


def recognised(urls: Iterable[str], signs: str) -> Profile:
    """Return the profile of a server.

    Args:
        urls: Those of its service, principal and homes.
        signs: What its answers say of it, see `Account.signs`.
    """
    parts = [urlsplit(url) for url in urls]
    hosts = {each.hostname or "" for each in parts}
    for product in _ALL:
        if any(fnmatchcase(host, pattern) for host in hosts for pattern in product.hosts):
            return product()
    for product in _ALL:
        if any(sign in signs for sign in product.signs):
            return product()
    for product in _ALL:
        if any(each.path.startswith(product.paths) for each in parts if product.paths):
            return product()
    return UNKNOWN
