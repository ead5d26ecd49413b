"""The servers that every test of this folder runs against."""

import os
from collections.abc import Mapping
from typing import Final

from tests.integration.servers import deviations
from tests.integration.servers.description import (
    GUESTS,
    ORGANIZER,
    Built,
    Container,
    Description,
    Pulled,
)

OWN: Final = Description(name="own", title="The server that CALDAV_RUN_TEST_URL names")
"""Starts nothing: whoever has a server joins it, and only calendars made by the suite are used."""

_BOTH: Final = frozenset({GUESTS, ORGANIZER})
_ALL: Final = (
    Description(
        name="radicale",
        title="Radicale 3.9",
        home="/{user}/",
        deviations=deviations.RADICALE,
        losing=deviations.RADICALE_LOSES,
    ),
    Description(
        name="xandikos",
        title="Xandikos 0.4",
        home="/alice/calendars/",
        calendars=frozenset({"calendar"}),
        deviations=deviations.XANDIKOS,
        losing=deviations.XANDIKOS_LOSES,
    ),
    Description(
        name="cyrus",
        title="Cyrus IMAP 3.6 (Debian 12)",
        dav="/dav/",
        home="/dav/calendars/user/{user}/",
        container=Container(image=Built("cyrus"), port=8008, hostname="cyrus.lab"),
        calendars=frozenset({"Default"}),
        deviations=deviations.CYRUS_36,
        mails=_BOTH,
        losing=deviations.CYRUS_LOSES,
    ),
    Description(
        name="cyrus-3.10",
        title="Cyrus IMAP 3.10 (Debian 13)",
        dav="/dav/",
        home="/dav/calendars/user/{user}/",
        container=Container(image=Built("cyrus", "trixie"), port=8008, hostname="cyrus.lab"),
        calendars=frozenset({"Default"}),
        deviations=deviations.CYRUS_310,
        mails=_BOTH,
        losing=deviations.CYRUS_LOSES,
    ),
    Description(
        name="davical",
        title="DAViCal 1.1.12 with PostgreSQL 15 (Debian 12)",
        dav="/davical/caldav.php/",
        home="/davical/caldav.php/{user}/",
        container=Container(image=Built("davical")),
        calendars=frozenset({"calendar"}),
        deviations=deviations.DAVICAL,
        mails=frozenset({GUESTS}),
        losing=deviations.DAVICAL_LOSES,
    ),
    Description(
        name="sogo",
        title="SOGo 5.8 with PostgreSQL 15 (Debian 12)",
        dav="/SOGo/dav/",
        home="/SOGo/dav/{user}/Calendar/",
        container=Container(image=Built("sogo")),
        calendars=frozenset({"personal"}),
        deviations=deviations.SOGO,
        mails=_BOTH,
        losing=deviations.SOGO_LOSES,
    ),
    Description(
        name="sabre",
        title="sabre/dav 1.8 (Debian 12)",
        dav="/dav.php/",
        home="/dav.php/calendars/{user}/",
        container=Container(image=Built("sabre")),
        calendars=frozenset({"default"}),
        deviations=deviations.SABRE,
        losing=deviations.SABRE_LOSES,
    ),
    Description(
        name="nextcloud",
        title="Nextcloud 32 with SQLite",
        dav="/remote.php/dav/",
        home="/remote.php/dav/calendars/{user}/",
        container=Container(image=Pulled("nextcloud:32-apache"), start_s=240.0),
        calendars=frozenset({"personal"}),
        later=frozenset({"contact_birthdays"}),
        deviations=deviations.NEXTCLOUD,
        mails=_BOTH,
        losing=deviations.NEXTCLOUD_LOSES,
    ),
    OWN,
)
SERVERS: Final[Mapping[str, Description]] = {each.name: each for each in _ALL}
START_LIMIT_S: Final = 1800.0
"""How long the first test of a server may take: an image may have to be built."""


def wanted() -> list[str]:
    """Return the names of the servers to run against, as CALDAV_RUN_SERVERS says.

    Without it those that are processes of this machine, so that `make test` needs no container.
    """
    names = os.environ.get("CALDAV_RUN_SERVERS", "radicale xandikos").split()
    if names == ["all"]:
        joined = bool(os.environ.get("CALDAV_RUN_TEST_URL"))
        return [name for name in SERVERS if joined or name != OWN.name]
    if unknown := set(names) - set(SERVERS):
        raise ValueError(f"no server is called {unknown}; known: {', '.join(SERVERS)}")
    return names
