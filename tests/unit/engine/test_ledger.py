from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from caldav_run.connectors.protocol import Judgement
from caldav_run.engine.ledger import Held, SharedBaseline, fingerprint
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Entry, Mark

NOW = 1_000.0


@dataclass
class Rows:
    """A ledger of one calendar."""

    items: Mapping[str, Entry] = field(default_factory=dict)
    fingerprint: str | None = "f"
    reached: Mapping[str, Mark] = field(default_factory=dict)
    unread: Collection[str] = ()

    def calendars(self) -> Mapping[str, Calendar]:
        return {"work": Calendar(id="work")}

    def unread_calendars(self) -> Collection[str]:
        return self.unread

    def entries(self, calendar: str) -> Mapping[str, Entry]:
        return self.items if calendar == "work" else {}

    def entry(self, calendar: str, href: str) -> Entry | None:
        return self.entries(calendar).get(href)

    def count(self, calendar: str) -> int:
        return len(self.entries(calendar))

    def unsettled(self, calendar: str) -> Mapping[str, Entry]:
        found = self.entries(calendar).items()
        return {href: each for href, each in found if each.unread or each.valid_until is not None}

    def mark(self, calendar: str) -> Mark | None:
        return self.reached.get(calendar)


def held(entry: Entry, made_by: str = "f") -> Held:
    return Held(Rows({"a.ics": entry}, made_by), "f")


def offered(*sinks: Held | None) -> str | None:
    return SharedBaseline(sinks, NOW).etag("work", "a.ics")


def test_an_etag_that_every_sink_holds_is_offered() -> None:
    entry = Entry('"1"', "sha")
    assert offered(held(entry), held(entry)) == '"1"'


def test_an_etag_that_one_sink_lacks_is_not_offered() -> None:
    entry = Entry('"1"', "sha")
    assert offered(held(entry), Held(Rows(), "f")) is None
    assert offered(held(entry), held(entry._replace(etag='"2"'))) is None


def test_a_sink_without_memory_needs_everything() -> None:
    assert offered(held(Entry('"1"', "sha")), None) is None
    assert offered() is None


def test_an_answer_of_other_filters_is_not_trusted() -> None:
    assert offered(held(Entry('"1"', "sha"), made_by="other")) is None


def test_an_answer_under_other_properties_of_the_calendar_is_not_trusted() -> None:
    doubted = held(Entry('"1"', "sha"))
    doubted.doubted.add("work")
    assert offered(doubted) is None


def test_an_answer_that_has_expired_is_not_trusted() -> None:
    assert offered(held(Entry('"1"', "sha", valid_until=NOW))) is None
    assert offered(held(Entry('"1"', "sha", valid_until=NOW + 1))) == '"1"'


def test_an_item_that_could_not_be_read_is_asked_for_again() -> None:
    assert offered(held(Entry('"1"', "sha", unread=True))) is None


def test_an_excluded_item_need_not_be_read_again() -> None:
    assert offered(held(Entry('"1"', None, excluded=True))) == '"1"'


MARK = Mark("s", "t", 900.0)


def marks(*sinks: Rows | None, doubted: bool = False) -> Mark | None:
    held = [None if each is None else Held(each, "f") for each in sinks]
    for each in held:
        if each is not None and doubted:
            each.doubted.add("work")
    return SharedBaseline(held, NOW).mark("work")


def test_a_mark_that_every_sink_holds_is_offered() -> None:
    rows = Rows(reached={"work": MARK})
    assert marks(rows, rows) == MARK


def test_a_mark_that_one_sink_lacks_is_not_offered() -> None:
    rows = Rows(reached={"work": MARK})
    assert marks(rows, Rows()) is None
    assert marks(rows, Rows(reached={"work": MARK._replace(token="u")})) is None
    assert marks(rows, None) is None


def test_a_mark_is_not_offered_where_the_rows_are_not_trusted() -> None:
    rows = Rows(reached={"work": MARK})
    assert marks(replace(rows, fingerprint="other")) is None
    assert marks(replace(rows, unread=("work",))) is None
    assert marks(rows, doubted=True) is None


def test_what_is_unread_or_expired_is_doubtful_in_any_sink() -> None:
    rows = {
        "good.ics": Entry('"1"', "sha"),
        "later.ics": Entry('"1"', "sha", valid_until=NOW + 1),
        "old.ics": Entry('"1"', "sha", valid_until=NOW),
        "unread.ics": Entry('"1"', "sha", unread=True),
    }
    held = [Held(Rows({key: rows[key]}), "f") for key in rows]
    assert SharedBaseline(held, NOW).doubtful("work") == ["old.ics", "unread.ics"]


@dataclass
class Named:
    """A filter that keeps everything."""

    fingerprint: str

    def judge(self, view: ItemView, now: datetime) -> Judgement:
        del view, now
        return Judgement(keep=True)


def test_source_selection_filters_their_order_and_the_time_zone_make_the_fingerprint() -> None:
    one, two = Named("one"), Named("two")
    made = {
        fingerprint("cloud", "all", [one, two], UTC),
        fingerprint("cloud", "all", [two, one], UTC),
        fingerprint("cloud", "all", [one], UTC),
        fingerprint("cloud", "some", [one], UTC),
        fingerprint("cloud", "all", [one], ZoneInfo("Europe/Berlin")),
        fingerprint("other", "all", [one], UTC),
    }
    assert len(made) == 6
