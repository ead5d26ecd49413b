"""What an incremental reading asks for, and when it trusts no answer but a whole listing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from caldav_run.dav.collections import Collection, listed
from caldav_run.dav.connection import Connection
from caldav_run.dav.profiles import Profile, Sync
from caldav_run.dav.reading import AccountReader
from caldav_run.model import Calendar, CalendarDone, CalendarStart, Item, Mark, Reading
from caldav_run.testing import liar
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.contracts.sources import Held, Seen
from caldav_run.testing.liar import HOME, Liar, Lie
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
WORK = "PROPFIND /dav/alice/work/"
REPORT = "REPORT /dav/alice/work/"


@dataclass
class Play:
    """Reads a lying server again and again, each time from what was read before."""

    liar: Liar
    server: ScriptedServer
    connection: Connection
    profile: Profile = field(default_factory=Profile)
    now: datetime = START
    held: dict[tuple[str, str], Item] = field(default_factory=dict)
    marks: dict[str, Mark | None] = field(default_factory=dict)
    doubted: set[tuple[str, str]] = field(default_factory=set)

    def read(self) -> Seen:
        """Read once; what is told of the calendars is remembered."""
        self.server.asked.clear()
        seen = Seen.of(self._readings(self.baseline()))
        for calendar in seen.calendars:
            named = seen.changed.keys() | seen.unchanged
            if calendar not in seen.synced:
                self._forget(key for key in self.held if key[0] == calendar and key not in named)
        self._forget(seen.gone)
        self.held |= seen.changed
        self.marks |= seen.marks
        return seen

    def baseline(self) -> Held:
        """Return what is held."""
        made = Held(self.held.values(), self.marks)
        made.doubted = self.doubted
        return made

    def _readings(self, baseline: Held) -> Iterable[Reading]:
        home = f"{self.server.url}{HOME[1:]}"
        all_listed = listed(self.connection, home, home)
        found = [each for each in all_listed if isinstance(each, Collection)]
        reader = AccountReader(self.connection, found, baseline, self.now, self.profile)
        try:
            for each in found:
                yield CalendarStart(each.calendar)
                yield from reader.members(each)
        finally:
            reader.close()

    def _forget(self, keys: Iterable[tuple[str, str]]) -> None:
        for key in list(keys):
            self.held.pop(key, None)

    def requests(self) -> list[str]:
        """Return what was asked, but for the home."""
        return [each for each in self.server.methods() if each != f"PROPFIND {HOME}"]

    def holds_all(self) -> bool:
        """Return whether what is held is what the server has."""
        there = {
            (calendar, name): body
            for calendar, shelf in self.liar.calendars.items()
            for name, body in shelf.items.items()
        }
        return {key: each.body.replace(b"\n", b"\r\n") for key, each in self.held.items()} == there


@pytest.fixture
def play(server: ScriptedServer, connection: Connection) -> Play:
    server.script = liar = Liar()
    for name in "abcde":
        liar.put("work", f"{name}.ics", event(name))
    made = Play(liar, server, connection)
    made.read()
    assert made.holds_all()
    return made


def test_an_unchanged_calendar_costs_no_request(play: Play) -> None:
    seen = play.read()
    assert play.requests() == []
    assert seen.synced == {"work"}
    assert not seen.changed


def test_what_changed_is_named_by_one_request_and_fetched_by_another(play: Play) -> None:
    play.liar.put("work", "b.ics", event("b", "Dinner"))
    play.liar.put("work", "f.ics", event("f"))
    seen = play.read()
    assert play.requests() == [REPORT, REPORT]
    assert seen.changed.keys() == {("work", "b.ics"), ("work", "f.ics")}
    assert play.holds_all()
    play.read()
    assert play.requests() == []


def test_what_is_called_gone_is_asked_for_once_more(play: Play) -> None:
    play.liar.delete("work", "c.ics")
    seen = play.read()
    assert play.requests() == [REPORT, REPORT]
    assert seen.gone == {("work", "c.ics")}
    assert play.holds_all()


def test_what_is_called_gone_and_is_there_is_read(play: Play) -> None:
    play.liar.lie = Lie.ONLY_DELETIONS
    play.liar.delete("work", "c.ics")
    play.liar.put("work", "c.ics", event("c", "Made again"))
    seen = play.read()
    assert seen.gone == set()
    assert seen.changed.keys() == {("work", "c.ics")}
    assert play.holds_all()


def test_what_is_doubtful_is_asked_for_by_name(play: Play) -> None:
    play.doubted = {("work", "d.ics")}
    seen = play.read()
    assert play.requests() == [REPORT]
    assert seen.changed.keys() == play.doubted
    assert seen.synced == {"work"}


def test_what_is_doubtful_and_gone_without_notice_is_found_missing(play: Play) -> None:
    play.doubted = {("work", "d.ics")}
    del play.liar.calendars["work"].items["d.ics"]
    assert play.read().gone == play.doubted


def test_all_members_are_listed_every_week(play: Play) -> None:
    del play.liar.calendars["work"].items["a.ics"]
    play.now += timedelta(days=7, seconds=-1)
    assert play.read().synced == {"work"}
    play.now += timedelta(seconds=1)
    seen = play.read()
    assert play.requests() == [WORK]
    assert len(seen.unchanged) == 4
    assert play.holds_all()


def test_an_audit_by_a_clock_that_was_ahead_is_made_again(play: Play) -> None:
    play.now -= timedelta(days=1)
    play.read()
    assert play.requests() == [WORK]


def test_a_profile_may_want_audits_more_often(play: Play) -> None:
    play.profile = Profile(sync=Sync.STALE_TOKENS, audit_every=timedelta(days=1))
    play.now += timedelta(days=1)
    play.read()
    assert play.requests() == [WORK]


@pytest.mark.parametrize("sync", [Sync.NONE, Sync.TRUSTED])
def test_a_server_without_sync_collection_lists_its_etags(play: Play, sync: Sync) -> None:
    play.profile = Profile(sync=sync)
    play.liar.lie = Lie.NO_SYNC
    play.read()
    play.liar.put("work", "b.ics", event("b", "Dinner"))
    seen = play.read()
    assert play.requests() == [WORK, REPORT]
    assert len(seen.unchanged) == 4
    assert play.holds_all()


@pytest.mark.parametrize("lie", [Lie.NONE, Lie.EMPTY, Lie.FULL, Lie.RESET, Lie.BROKEN])
def test_a_token_that_the_server_does_not_know_costs_a_listing(play: Play, lie: Lie) -> None:
    play.liar.lie = lie
    play.liar.calendars["work"].log.clear()
    play.liar.delete("work", "a.ics")
    play.liar.put("work", "b.ics", event("b", "Dinner"))
    play.read()
    assert play.holds_all()
    assert play.requests() == [REPORT, WORK, REPORT]


def test_an_answer_that_names_what_has_not_changed_is_not_trusted(play: Play) -> None:
    play.liar.lie = Lie.REPEATS
    play.liar.put("work", "e.ics", event("e", "Dinner"))
    play.read()
    assert play.requests() == [REPORT, WORK, REPORT]
    assert play.holds_all()


def test_what_is_named_as_changed_under_its_old_etag_is_fetched(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = play.held["work", "e.ics"].etag
    monkeypatch.setattr(liar, "_etag", lambda _: old)
    play.liar.put("work", "e.ics", event("e", "Made anew"))
    play.read()
    assert play.holds_all()


@pytest.fixture
def recurring(play: Play, monkeypatch: pytest.MonkeyPatch) -> Play:
    """A server whose every item has the same etag; what it held was written the day before."""
    monkeypatch.setattr(liar, "_etag", lambda _: '"gcs00000000"')
    play.profile = Profile(etags_recur=True).with_sync(Sync.NONE)
    play.held.clear()
    play.marks.clear()
    for name in "abcde":
        play.liar.put("work", f"{name}.ics", event(name), START - timedelta(days=1))
    play.read()
    assert play.holds_all()
    return play


@pytest.mark.parametrize("when", [START + timedelta(hours=1), START - timedelta(minutes=59), None])
def test_what_was_written_since_is_fetched_where_etags_recur(
    recurring: Play, when: datetime | None
) -> None:
    recurring.liar.delete("work", "e.ics")
    del recurring.liar.calendars["work"].written["e.ics"]
    recurring.liar.put("work", "e.ics", event("e", "Made anew"), when)
    recurring.now += timedelta(hours=2)
    seen = recurring.read()
    assert recurring.holds_all()
    assert seen.changed.keys() == {("work", "e.ics")}


def test_what_was_written_at_no_known_time_is_fetched_where_etags_recur(
    recurring: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "<d:getlastmodified>at tea time</d:getlastmodified>"
    monkeypatch.setattr(liar, "_modified", lambda _: told)
    recurring.liar.put("work", "e.ics", event("e"))
    assert len(recurring.read().changed) == 5


@pytest.mark.usefixtures("elsewhere")
def test_a_time_without_a_zone_is_in_utc_where_etags_recur(
    recurring: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = liar._modified
    monkeypatch.setattr(liar, "_modified", lambda when: told(when).replace("+0000", "-0000"))
    recurring.liar.put("work", "e.ics", event("e", "Changed"), START + timedelta(hours=1))
    recurring.now += timedelta(hours=2)
    assert recurring.read().changed.keys() == {("work", "e.ics")}
    assert recurring.holds_all()


def test_all_is_fetched_where_etags_recur_and_nobody_knows_of_when_they_are(
    recurring: Play,
) -> None:
    recurring.marks.clear()
    assert len(recurring.read().changed) == 5


def test_deletions_that_are_not_named_are_found_at_once_where_nothing_else_is(play: Play) -> None:
    play.liar.lie = Lie.NO_DELETIONS
    play.liar.delete("work", "a.ics")
    play.read()
    assert play.requests() == [REPORT, WORK]
    assert play.holds_all()


def test_an_answer_in_pages_is_read_to_its_end(play: Play) -> None:
    play.liar.lie = Lie.PAGES
    for name in "fgh":
        play.liar.put("work", f"{name}.ics", event(name))
    play.read()
    assert play.requests() == [REPORT] * 4
    assert play.holds_all()


@pytest.mark.parametrize("lie", [Lie.CUT, Lie.ALL_OR_NOTHING])
def test_reports_that_are_cut_or_refused_lose_nothing(play: Play, lie: Lie) -> None:
    play.liar.lie = lie

    def deleting(asked: Asked) -> Answer:
        if b"multiget" in asked.body:
            # After it was listed, before it is fetched.
            play.liar.delete("work", "f.ics")
        return play.liar(asked)

    play.server.script = deleting
    for name in "bcdefgh":
        play.liar.put("work", f"{name}.ics", event(name, "Dinner"))
    play.read()
    assert play.holds_all()


def test_another_spelling_of_a_held_name_is_the_same_item(play: Play) -> None:
    play.liar.put("work", "x%40y.ics", event("x"))
    play.read()
    key = ("work", "x@y.ics")
    item = play.held.pop(("work", "x%40y.ics"))
    play.held[key] = Item("work", key[1], item.etag, item.body, item.provenance)
    play.liar.put("work", "x%40y.ics", event("x", "Dinner"))
    assert play.read().changed.keys() == {key}
    play.liar.delete("work", "x%40y.ics")
    assert play.read().gone == {key}


def test_a_calendar_that_says_nothing_of_its_state_is_always_listed(play: Play) -> None:
    (mark,) = play.marks.values()
    assert mark is not None
    play.marks["work"] = Mark(None, None, mark.audited)
    mute = Collection(Calendar(id="work"), f"{play.server.url}{HOME[1:]}work/")
    play.server.asked.clear()
    reader = AccountReader(play.connection, [mute], play.baseline(), START)
    readings = list(reader.members(mute))
    reader.close()
    assert play.requests() == [WORK]
    assert readings[-1] == CalendarDone("work", Mark(None, None, START.timestamp()))
