"""An incremental run gives exactly the result of a full one, whatever happened in between.

Random work on a real Radicale, with a backup into one repository after each round; at the end a
full backup into a new repository has to hold the same. CALDAV_RUN_EXAMPLES=200 looks longer.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.registry import FILTERS
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.judge import Link
from caldav_run.engine.run import run
from caldav_run.testing.holding import Holding, sink
from caldav_run.testing.servers import Server, embedded_radicale
from caldav_run.testing.vault import Clock, Vault

Options = Mapping[str, Any]

EXAMPLES = int(os.environ.get("CALDAV_RUN_EXAMPLES", "5"))
BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 5, 4, 21, tzinfo=UTC)
TODAY = date(2026, 5, 4)
# Where waiting for a disk costs nothing, if there is such a place.
MEMORY = next((each for each in ("/dev/shm",) if os.access(each, os.W_OK)), None)  # noqa: S108

# ------------------------------------------------------------------ what lies on the server

# DAY, NEXT and WEEK are days as 20260504; each text stands for one object, its name is its UID.
OBJECTS = {
    "timed": "VEVENT|DTSTART:{DAY}T100000Z|DTEND:{DAY}T110000Z",
    "late": "VEVENT|DTSTART;TZID=Europe/Berlin:{DAY}T233000|DURATION:PT1H",
    "allday": "VEVENT|DTSTART;VALUE=DATE:{DAY}|DTEND;VALUE=DATE:{NEXT}",
    "floating": "VEVENT|DTSTART:{DAY}T003000|DTEND:{DAY}T013000",
    "private": "VEVENT|DTSTART:{DAY}T080000Z|CATEGORIES:private,family",
    "weekly": "VEVENT|DTSTART:{DAY}T100000Z|DURATION:PT30M|RRULE:FREQ=WEEKLY;COUNT=3",
    "endless": "VEVENT|DTSTART;VALUE=DATE:{DAY}|RRULE:FREQ=MONTHLY",
    "moved": "VEVENT|DTSTART:{DAY}T100000Z|RRULE:FREQ=DAILY;COUNT=2|END:VEVENT|BEGIN:VEVENT"
    "|UID:moved.ics|DTSTAMP:20260101T000000Z|RECURRENCE-ID:{NEXT}T100000Z|DTSTART:{WEEK}T100000Z",
    "due": "VTODO|DUE:{DAY}T160000Z",
    "someday": "VTODO|STATUS:NEEDS-ACTION",
    "diary": "VJOURNAL|DTSTART;VALUE=DATE:{DAY}",
}


def body(name: str, day: int, summary: str) -> bytes:
    """Return an object that takes place so many days from TODAY."""
    first, *more = OBJECTS[name].split("|")
    days = {
        key: f"{TODAY + timedelta(days=day + extra):%Y%m%d}"
        for key, extra in (("DAY", 0), ("NEXT", 1), ("WEEK", 7))
    }
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//caldav-run//test//EN", f"BEGIN:{first}"),
        *(f"UID:{name}.ics", "DTSTAMP:20260101T000000Z", f"SUMMARY:{summary}"),
        *(line.format(**days) for line in more),
        *(f"END:{first}", "END:VCALENDAR", ""),
    ]
    return "\r\n".join(lines).encode()


# ------------------------------------------------------------------ what a pipeline asks for


@dataclass(frozen=True)
class Wanted:
    """The changing parts of a pipeline: its filters, its sink's own, its choice of calendars."""

    filters: Sequence[Options] = ()
    own: Sequence[Options] = ()
    calendars: Options | None = None


def only(kind: str, *variants: Options) -> list[Wanted]:
    return [Wanted(filters=[{"type": kind, **each}]) for each in variants]


SOON: Options = {"type": "period", "from": "-2d", "to": "2d"}
OPEN: Options = {"type": "where", "keep": 'summary != "secret"'}
EVENTS: Options = {"type": "components", "keep": ["VEVENT"]}

# Each family is one kind of filter; its variants are what somebody turns it into.
FAMILIES = {
    "none": [Wanted()],
    "components": only("components", {"keep": ["VEVENT"]}, {"drop": ["VTODO"]}),
    "calendars": only("calendars", {"exclude": ["Private"]}, {"include": ["work", "Home"]}),
    "period": only("period", {"from": "-2d", "to": "2d"}, {"from": "0d"}, {"to": "2026-05-06"}),
    "where": only(
        "where",
        {"keep": 'calendar != "Private"'},
        {"drop": '"private" in categories || summary == "secret"'},
    ),
    "where-now": only(
        "where",
        {"keep": "start < now + days(3) || recurring"},
        {"keep": "has_start", "drop": "start < now"},
    ),
    "own": [Wanted(own=[SOON, OPEN]), Wanted(filters=[OPEN], own=[EVENTS])],
    "chain": [Wanted(filters=[EVENTS, SOON, OPEN]), Wanted(filters=[OPEN, SOON])],
    "selection": [
        Wanted(calendars={"exclude": ["Private"]}),
        Wanted(calendars={"include": ["w*"]}),
    ],
}

# ------------------------------------------------------------------ what happens

CALENDARS = st.sampled_from(["work", "home"])
CHANGES = st.one_of(
    st.tuples(
        st.just("put"),
        CALENDARS,
        st.sampled_from(sorted(OBJECTS)),
        st.sampled_from([-9, -2, 0, 1, 3, 12]),
        st.sampled_from(["Lunch", "secret"]),
    ),
    st.tuples(st.just("delete"), CALENDARS, st.sampled_from(sorted(OBJECTS))),
    st.tuples(st.just("name"), CALENDARS, st.sampled_from(["Home", "Private"])),
    st.tuples(st.just("drop"), CALENDARS),
)
HOURS = st.sampled_from([1, 4, 24, 24 * 6])
ROUNDS = st.lists(
    st.tuples(st.lists(CHANGES, max_size=5), HOURS, st.integers(0, 2)), min_size=1, max_size=4
)


@dataclass
class Play:
    """An account on a server, and a clock."""

    server: Server
    folder: Path
    clock: Clock

    def begin(self) -> None:
        """Leave one calendar with one object of each kind."""
        for calendar in ("work", "home"):
            self.drop(calendar)
        for name in OBJECTS:
            self.put("work", name, 0, "Lunch")

    def put(self, calendar: str, name: str, day: int, summary: str) -> None:
        self._make(calendar)
        self.server.put(f"{calendar}/{name}.ics", body(name, day, summary))

    def delete(self, calendar: str, name: str) -> None:
        self.server.send("DELETE", f"{calendar}/{name}.ics")

    def name(self, calendar: str, title: str) -> None:
        self._make(calendar)
        prop = f"<prop><displayname>{title}</displayname></prop>"
        text = f'<propertyupdate xmlns="DAV:"><set>{prop}</set></propertyupdate>'
        status = self.server.send("PROPPATCH", f"{calendar}/", text.encode(), "application/xml")
        assert status == 207

    def drop(self, calendar: str) -> None:
        self.server.send("DELETE", f"{calendar}/")

    def _make(self, calendar: str) -> None:
        self.server.send("MKCALENDAR", f"{calendar}/")

    def back_up(self, vault: Vault, wanted: Wanted) -> Holding:
        """Run once, and return what the repository holds then."""
        context = Context(
            name="cloud",
            pipeline="test",
            timezone=BERLIN,
            now=self.clock.now,
            state_dir=vault.state,
        )
        options = {**self.server.options, "calendars": wanted.calendars}
        source = CaldavSource.from_options(options, context)
        job = Job(
            name="test",
            sources=(NamedSource("cloud", source),),
            filters=_links(wanted.filters, context),
            sinks=(NamedSink("vault", sink(vault), _links(wanted.own, context)),),
            expect=Expectation(),
            timezone=BERLIN,
            now=self.clock.now,
        )
        events: list[object] = []
        assert run(job, events.append) == 0, events
        try:
            return Holding.of(vault, "cloud", source.origin())
        finally:
            source.close()

    def vault(self, name: str) -> Vault:
        folder = self.folder / name
        folder.mkdir()
        return Vault(folder, self.clock)


def _links(filters: Sequence[Options], context: Context) -> tuple[Link, ...]:
    return tuple(Link(each["type"], FILTERS[each["type"]]()(each, context)) for each in filters)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        embedded_radicale(Path(folder)) as found,
    ):
        yield found


@pytest.mark.parametrize("family", FAMILIES)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CALDAV_RUN_EXAMPLES" not in os.environ,
)
@given(rounds=ROUNDS)
def test_an_incremental_run_holds_what_a_full_one_holds(
    server: Server, family: str, rounds: list[tuple[list[tuple[Any, ...]], int, int]]
) -> None:
    variants = FAMILIES[family]
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        play = Play(server, Path(folder), Clock(START))
        play.begin()
        vault = play.vault("incremental")
        wanted = variants[0]
        held = play.back_up(vault, wanted)
        for changes, hours, variant in rounds:
            for name, *arguments in changes:
                getattr(play, name)(*arguments)
            play.clock.forward(hours=hours)
            wanted = variants[variant % len(variants)]
            held = play.back_up(vault, wanted)
        assert held == play.back_up(play.vault("full"), wanted)
