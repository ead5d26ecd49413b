"""What a drill says of a server that gives back something else."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.cli.conftest import event, row

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.mirroring import MirrorOptions, Order, Outcome, Target
from caldav_run.connectors.protocol import Baseline, Context
from caldav_run.connectors.selection import Selection
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.engine.spool import Spool
from caldav_run.errors import CalendarError
from caldav_run.ical.version import version
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarStart,
    Changed,
    Failed,
    Item,
    Provenance,
    Reading,
)
from caldav_run.testing.contracts.mirrors import put
from caldav_run.testing.drill.compare import Comparison
from caldav_run.testing.drill.given import Given
from caldav_run.testing.drill.scratch import Scratch
from caldav_run.testing.vault import Vault, added, calendar_row

FAMILY = Calendar(id="family", display_name="Familie", color="#FF0000", timezone="")
LUNCH, DINNER = event("lunch", "Lunch"), event("dinner", "Dinner", hour=19)


class Back:
    """A server that gives what a test says."""

    account = "cloud"
    selection = ""
    as_of: datetime | None = None

    def __init__(self, *readings: Reading) -> None:
        self.readings = readings

    def origin(self) -> str:
        return "back"

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        assert baseline.etag("family", "a.ics") is None
        yield from self.readings

    def close(self) -> None:
        """Nothing is open."""


class Taking(CaldavSink):
    """A sink that takes everything."""

    def __init__(self) -> None:
        self.options = MirrorOptions()

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        del source, siblings
        if calendar.id == "forbidden":
            raise CalendarError("nobody writes there")
        return Target(calendar, exists=False)

    def create(self, target: Target) -> Sequence[str]:
        if target.calendar.id == "full":
            raise CalendarError("no calendar more")
        return ()

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        del target
        return (Outcome(each, "there.ics") for each in orders)


@pytest.fixture
def spool() -> Iterator[Spool]:
    with Spool() as spool:
        yield spool


@pytest.fixture
def sent(tmp_path: Path, spool: Spool) -> tuple[Given, Scratch]:
    """Two items that were given and taken."""
    vault = Vault(tmp_path)
    vault.run(
        calendar_row("family", display_name="Familie", color="#FF0000"),
        row("lunch.ics", LUNCH),
        row("dinner.ics", DINNER),
    )
    reader = vault.reader()
    given = Given(reader, reader.resolve("latest"), Selection.from_option(None), spool)
    scratch = Scratch(Taking())
    start, *readings = given.read(Nothing())
    assert isinstance(start, CalendarStart)
    target = scratch.target("cloud", start.calendar)
    for item in (each.item for each in readings if isinstance(each, Changed)):
        put(scratch, target, version(item.body, item.href, None), item.body, None)
    return given, scratch


def back(href: str, body: bytes) -> Changed:
    return Changed(Item("family", href, '"2"', body, Provenance.GET))


def compared(sent: tuple[Given, Scratch], *readings: Reading) -> Comparison:
    comparison = Comparison()
    readings = (CalendarStart(FAMILY), *readings, CalendarDone("family"))
    comparison.read_back(Back(*readings), *sent)
    return comparison


def test_what_comes_back_is_counted_by_its_level(sent: tuple[Given, Scratch]) -> None:
    changed = DINNER.replace(b"-//tests//tests//EN", b"-//server//EN")
    found = compared(sent, back("lunch.ics", LUNCH), back("renamed.ics", changed))
    assert found.differences == []
    assert (found.levels, found.deviations) == ({"L0": 1, "L3": 1}, {"PRODID": 1})
    assert (found.calendars, found.instances) == (1, 2)


def test_lines_that_are_laid_out_anew_are_level_1(sent: tuple[Given, Scratch]) -> None:
    found = compared(
        sent, back("lunch.ics", LUNCH.replace(b"\r\n", b"\n")), back("dinner.ics", DINNER)
    )
    assert found.levels == {"L0": 1, "L1": 1}


def test_another_text_is_a_difference(sent: tuple[Given, Scratch]) -> None:
    found = compared(
        sent,
        back("lunch.ics", LUNCH.replace(b"Lunch", b"L" * 100)),
        back("dinner.ics", DINNER.replace(b"SUMMARY:Dinner\r\n", b"")),
    )
    first, second = found.differences
    assert "'SUMMARY:Lunch' came back as 'SUMMARY:LLL" in first
    assert first.endswith("L…'")
    assert second.endswith("'SUMMARY:Dinner' came back as nothing")
    assert found.levels == {}


def test_what_is_lost_or_invented_is_a_difference(sent: tuple[Given, Scratch]) -> None:
    found = compared(sent, back("lunch.ics", LUNCH), back("x.ics", event("x", "Invented")))
    assert found.differences == [
        "family/x.ics: was never sent",
        "family/dinner.ics: was taken, and is not there",
        "family x: comes back another number of times",
    ]


def test_what_cannot_be_read_back_is_a_difference(sent: tuple[Given, Scratch]) -> None:
    found = compared(
        sent, back("lunch.ics", LUNCH), back("d.ics", DINNER), Failed("family", None, "500")
    )
    assert found.differences == ["family/: cannot be read back: 500"]


def test_what_is_no_calendar_object_counts_for_no_instance(sent: tuple[Given, Scratch]) -> None:
    found = compared(
        sent, back("lunch.ics", LUNCH), back("dinner.ics", DINNER), back("z.ics", b"broken")
    )
    assert found.differences == ["family/z.ics: was never sent"]
    assert found.instances == 2


def test_a_property_that_is_lost_is_a_difference(sent: tuple[Given, Scratch]) -> None:
    comparison = Comparison()
    given, scratch = sent
    other = Calendar(id="family", display_name="Other", color="#ff0000", order=5)
    comparison.read_back(Back(CalendarStart(other), CalendarStart(Calendar(id="own"))), *sent)
    assert comparison.differences[0] == "family/: display_name was 'Familie' and is 'Other'"
    assert comparison.calendars == 1
    scratch.sent["family"] = Calendar(id="family", order=3)
    comparison = Comparison()
    comparison.read_back(Back(CalendarStart(other)), given, scratch)
    assert comparison.differences[0] == "family/: order was 3 and is 5"


def test_calendars_that_are_refused_or_meet_are_remembered() -> None:
    scratch = Scratch(Taking())
    for name in ("forbidden", "full", "full"):
        try:
            target = scratch.target("cloud", Calendar(id=name))
            scratch.create(target)
        except CalendarError:
            continue
    assert scratch.refused_calendars["forbidden"] == "nobody writes there"
    assert scratch.refused_calendars["full"] == "no calendar more"


def test_only_what_is_selected_is_given(tmp_path: Path, spool: Spool) -> None:
    vault = Vault(tmp_path)
    vault.run(calendar_row("work"), added("w", calendar="work"), calendar_row("family"))
    reader = vault.reader()
    given = Given(reader, reader.resolve("latest"), Selection.from_option(["f*"]), spool)
    assert [type(each) for each in given.read(Nothing())] == [CalendarStart, CalendarDone]
    assert given.origin() == f"snapshot:{reader.repository}:cloud"
    given.close()


def test_the_context_of_a_sink_is_not_needed_for_its_words() -> None:
    context = Context(
        name="x", pipeline="drill", timezone=UTC, now=datetime.now(UTC), state_dir=Path()
    )
    sink = CaldavSink.from_options({"url": "http://127.0.0.1:1", "scheduling": "allow"}, context)
    assert Scratch(sink).options == sink.options
