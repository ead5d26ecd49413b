"""Runs into a sink with a history: a real repository in a folder."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from caldav_run.connectors.filters.where import WhereFilter
from caldav_run.connectors.protocol import Baseline, Committed, Context
from caldav_run.connectors.sinks.snapshot import SnapshotAccount, SnapshotSink
from caldav_run.engine.events import Event, Level, Noted, Planned, State, StepFinished
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.judge import Link
from caldav_run.engine.run import run
from caldav_run.errors import ConnectorError, TemporaryError
from caldav_run.model import Calendar, Change, Failed, Mark, Reading
from caldav_run.repository import keys
from caldav_run.repository.local import LocalStore
from caldav_run.repository.reader import Reader
from caldav_run.testing.contracts.bodies import context as contract_context
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.memory import MemorySource

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
CONTEXT = contract_context(Path())


@dataclass
class Vault:
    """A repository, a source in memory, and the events of the last run."""

    folder: Path
    context: Context
    source: MemorySource = field(default_factory=MemorySource)
    filters: tuple[Link, ...] = ()
    expect: Expectation = field(default_factory=Expectation)
    now: datetime = NOW
    events: list[Event] = field(default_factory=list)

    kind: type[SnapshotSink] = SnapshotSink

    def sink(self) -> SnapshotSink:
        recipients = keys.load_recipients(self.folder / "keys" / keys.RECIPIENTS)
        options = {
            "repository": str(self.folder / "vault"),
            "recipients": list(recipients),
            "signer": {"file": str(self.folder / "keys" / keys.WRITER)},
        }
        return self.kind.from_options(options, self.context)

    def run(self, *, dry: bool = False) -> int:
        self.source.read_anew.clear()
        self.now += timedelta(minutes=1)
        job = Job(
            name="test",
            sources=(NamedSource("here", self.source),),
            filters=self.filters,
            sinks=(NamedSink("vault", self.sink()),),
            expect=self.expect,
            timezone=UTC,
            now=self.now,
            dry=dry,
            detail=True,
        )
        self.events = []
        return run(job, self.events.append)

    def reader(self) -> Reader:
        keyring = keys.load_keyring([self.folder / "keys" / keys.IDENTITY])
        return Reader(LocalStore(self.folder / "vault"), keyring)

    def held(self) -> dict[str, bytes]:
        """What the latest snapshot gives back, by calendar and href."""
        reader = self.reader()
        found = reader.bodies(reader.items(reader.resolve("latest")))
        return {
            f"{each.calendar}/{each.href}": each.body
            for each in found
            if not isinstance(each, Failed)
        }

    def planned(self) -> list[str]:
        return [
            f"{each.sign} {each.calendar}: {each.label}"
            for each in self.events
            if isinstance(each, Planned)
        ]

    def unread(self) -> set[str]:
        """The calendars that the latest snapshot names as unread."""
        reader = self.reader()
        found = reader.calendars(reader.resolve("latest"))
        return {each.calendar.id for each in found if each.unread}

    def notes(self) -> list[Noted]:
        return [each for each in self.events if isinstance(each, Noted)]

    def start_afresh(self) -> None:
        """Add a reader: what it can read has to begin with everything."""
        keys.create_keys(self.folder / "other")
        recipients = self.folder / "keys" / keys.RECIPIENTS
        more = (self.folder / "other" / keys.RECIPIENTS).read_text()
        recipients.write_text(recipients.read_text() + more)

    def objects(self) -> set[Path]:
        return set((self.folder / "vault").rglob("*"))

    def states(self) -> dict[str, State]:
        return {
            str(each.step): each.state for each in self.events if isinstance(each, StepFinished)
        }


class Unopened(MemorySource):
    """Calendars that are there and cannot be opened, as folders behind symbolic links."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        del baseline
        for name in self._names:
            yield Failed(name, None, "it cannot be opened")


class Refusing(SnapshotSink):
    """A sink whose store refuses the first change."""

    def open_account(self, account: str, origin: str) -> SnapshotAccount:
        opened = super().open_account(account, origin)
        return RefusingAccount(opened)


class RefusingAccount(SnapshotAccount):
    def __init__(self, account: SnapshotAccount) -> None:
        super().__init__(account._account)

    def append(self, change: Change) -> None:
        del change
        raise TemporaryError("the store is busy")


class Unwritable(SnapshotSink):
    """A sink whose store is full when it comes to committing."""

    def open_account(self, account: str, origin: str) -> SnapshotAccount:
        return UnwritableAccount(super().open_account(account, origin)._account)


class UnwritableAccount(SnapshotAccount):
    def commit(
        self,
        fingerprint: str,
        marks: Mapping[str, Mark | None] | None = None,
        *,
        guarded: bool,
        complete: bool = True,
    ) -> Committed:
        del marks
        raise ConnectorError(f"no space left for {fingerprint}, {guarded}, {complete}")


def where(keep: str) -> Link:
    return Link("where", WhereFilter.from_options({"keep": keep}, CONTEXT))


@pytest.fixture
def vault(tmp_path: Path, context: Callable[[str], Context]) -> Vault:
    keys.create_keys(tmp_path / "keys")
    made = Vault(tmp_path, context("vault"))
    made.sink().create(NOW)
    made.source.put("work", "a.ics", event("a"))
    made.source.put("work", "b.ics", event("b"))
    return made


def test_a_backup_gives_back_the_very_bytes(vault: Vault) -> None:
    assert vault.run() == 0
    assert vault.held() == {"work/a.ics": event("a"), "work/b.ics": event("b")}


def test_a_second_run_reads_only_what_is_new(vault: Vault) -> None:
    vault.run()
    vault.source.put("work", "a.ics", event("a", "Dinner"))
    assert vault.run() == 0
    assert vault.source.read_anew == [("work", "a.ics")]
    assert vault.held()["work/a.ics"] == event("a", "Dinner")


def test_a_run_that_finds_nothing_new_makes_no_snapshot(vault: Vault) -> None:
    vault.run()
    assert vault.run() == 0
    assert len(vault.reader().snapshots()) == 1
    assert vault.states()["write vault"] is State.OK


def test_a_plan_stores_nothing(vault: Vault) -> None:
    vault.run()
    before = vault.objects()
    vault.source.put("work", "c.ics", event("c"))
    assert vault.run(dry=True) == 0
    assert vault.objects() == before
    assert [each[:7] for each in vault.planned()] == ["+ work:"]


def test_a_plan_tells_what_the_run_then_does(vault: Vault) -> None:
    vault.run()
    vault.source.put("work", "a.ics", event("a", "Dinner"))
    vault.source.put("home", "c.ics", event("c"))
    del vault.source.bodies["work", "b.ics"]
    vault.run(dry=True)
    planned = vault.planned()
    vault.run()
    assert vault.planned() == planned
    assert [each[0] for each in planned] == ["+", "+", "~", "-"]


def test_what_is_gone_at_the_source_is_gone_from_the_snapshot_and_stays_in_the_history(
    vault: Vault,
) -> None:
    vault.run()
    del vault.source.bodies["work", "a.ics"]
    vault.run()
    assert set(vault.held()) == {"work/b.ics"}
    reader = vault.reader()
    assert {each.href for each in reader.items(reader.resolve("latest~1"))} == {"a.ics", "b.ics"}


def test_an_unread_item_is_carried_forward(vault: Vault) -> None:
    vault.run()
    vault.source.put("work", "a.ics", event("a", "Dinner"))
    vault.source.unreadable.add(("work", "a.ics"))
    assert vault.run() == 3
    assert vault.held()["work/a.ics"] == event("a")


def test_an_unread_calendar_is_carried_forward(vault: Vault) -> None:
    vault.run()
    vault.source.unreadable.add(("work", None))
    assert vault.run() == 3
    assert set(vault.held()) == {"work/a.ics", "work/b.ics"}


def test_a_calendar_that_can_be_read_again_is_not_read_anew(vault: Vault) -> None:
    vault.run()
    vault.source.unreadable.add(("work", None))
    vault.run()
    vault.source.unreadable.clear()
    assert vault.run() == 0
    assert vault.source.read_anew == []
    assert not any(
        each.unread for each in vault.reader().calendars(vault.reader().resolve("latest"))
    )


def test_a_calendar_stays_unread_until_all_of_it_was_read(vault: Vault) -> None:
    vault.run()
    vault.source.unreadable.add(("work", None))
    for _ in range(3):
        assert vault.run() == 3
        assert vault.unread() == {"work"}
    vault.source.unreadable.clear()
    vault.run()
    assert vault.unread() == set()


def test_a_new_calendar_that_cannot_be_read_is_named_as_unread(vault: Vault) -> None:
    vault.source.put("home", "c.ics", event("c"))
    vault.source.unreadable.add(("home", None))
    assert vault.run() == 3
    assert vault.unread() == {"home"}


def test_an_unread_calendar_is_carried_into_a_history_that_starts_afresh(vault: Vault) -> None:
    vault.run()
    vault.start_afresh()
    vault.source.unreadable.add(("work", None))
    for _ in range(2):
        assert vault.run() == 3
        assert set(vault.held()) == {"work/a.ics", "work/b.ics"}


def test_a_history_does_not_start_afresh_with_a_part_of_the_account(vault: Vault) -> None:
    vault.source.put("home", "c.ics", event("c"))
    vault.run()
    vault.start_afresh()
    vault.source.broken = TemporaryError("the connection was lost")
    assert vault.run() == 75
    assert set(vault.held()) == {"home/c.ics", "work/a.ics", "work/b.ics"}
    assert any("no snapshot was made" in each.text for each in vault.notes())


def test_a_part_of_the_account_hides_no_snapshot_that_cannot_be_read(vault: Vault) -> None:
    vault.source.put("home", "c.ics", event("c"))
    vault.run()
    shutil.rmtree(vault.folder / "state")
    (segment,) = (vault.folder / "vault").rglob("seg-*")
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)
    vault.source.broken = TemporaryError("the connection was lost")
    assert vault.run() == 75
    assert any("no snapshot was made" in each.text for each in vault.notes())
    assert len(list((vault.folder / "vault").rglob("seg-*"))) == 1


def test_a_part_of_the_account_hides_no_snapshot_of_another_machine(vault: Vault) -> None:
    vault.source.put("home", "c.ics", event("c"))
    vault.run()
    whole = vault.held()
    (vault.folder / "keys" / keys.WRITER).unlink()
    other = keys.create_keys(vault.folder / "other")
    (other.folder / keys.WRITER).rename(vault.folder / "keys" / keys.WRITER)
    vault.source.broken = TemporaryError("the connection was lost")
    assert vault.run() == 75
    assert vault.held() == whole
    vault.source.broken = None
    assert vault.run() == 0


def test_an_account_that_was_not_read_to_its_end_is_not_recorded_as_read(vault: Vault) -> None:
    vault.source.put("home", "c.ics", event("c"))
    vault.run()
    vault.source.put("home", "d.ics", event("d"))
    vault.source.broken = TemporaryError("the connection was lost")
    vault.run()
    vault.run()
    read = [account.read for each in vault.reader().runs() for account in each.accounts]
    assert sorted(read) == [False, False, True]


def test_an_account_of_which_nothing_was_read_makes_no_snapshot(vault: Vault) -> None:
    vault.run()
    vault.source.broken = TemporaryError("the connection was lost")
    assert vault.run() == 75
    assert len(vault.reader().snapshots()) == 1
    assert vault.unread() == set()


def test_an_item_that_another_filter_left_out_is_asked_for_again(vault: Vault) -> None:
    vault.filters = (where('summary != "Lunch"'),)
    vault.run()
    vault.filters = ()
    vault.source.unreadable.add(("work", "a.ics"))
    assert vault.run() == 3
    vault.source.unreadable.clear()
    assert vault.run() == 0
    assert set(vault.held()) == {"work/a.ics", "work/b.ics"}


def test_a_renamed_calendar_is_judged_anew(vault: Vault) -> None:
    vault.filters = (where('calendar != "Private"'),)
    vault.run()
    vault.source.calendars["work"] = Calendar(id="work", display_name="Private")
    vault.run()
    assert vault.held() == {}


def test_a_calendar_that_was_renamed_while_it_broke_is_judged_anew(vault: Vault) -> None:
    vault.filters = (where('calendar != "Private"'),)
    vault.run()
    vault.source.calendars["work"] = Calendar(id="work", display_name="Private")
    vault.source.unreadable.add(("work", None))
    vault.run()
    vault.source.calendars["work"] = Calendar(id="work")
    vault.source.unreadable.clear()
    vault.run()
    assert len(vault.source.read_anew) == 2


def test_an_answer_that_hangs_on_the_time_costs_a_reading_and_no_snapshot(vault: Vault) -> None:
    vault.filters = (where('now < timestamp("2030-01-01T00:00:00Z")'),)
    vault.run()
    vault.run()
    assert len(vault.source.read_anew) == 2
    assert len(vault.reader().snapshots()) == 1


def test_a_source_that_breaks_off_deletes_nothing(vault: Vault) -> None:
    vault.source.put("home", "c.ics", event("c"))
    vault.run()
    vault.source.put("home", "d.ics", event("d"))
    vault.source.broken = TemporaryError("the connection was lost")
    assert vault.run() == 75
    assert set(vault.held()) == {"home/c.ics", "home/d.ics", "work/a.ics", "work/b.ics"}


def test_a_source_that_cannot_be_reached_is_recorded_and_deletes_nothing(vault: Vault) -> None:
    vault.run()
    vault.source.lost = TemporaryError("timeout")
    assert vault.run() == 75
    assert vault.states()["write vault"] is State.SKIPPED
    assert set(vault.held()) == {"work/a.ics", "work/b.ics"}


def test_a_calendar_that_is_gone_is_gone(vault: Vault) -> None:
    vault.source.put("home", "c.ics", event("c"))
    vault.run()
    del vault.source.calendars["home"]
    assert vault.run() == 0
    assert set(vault.held()) == {"work/a.ics", "work/b.ics"}


def test_a_calendar_that_could_not_even_be_opened_is_carried_forward(vault: Vault) -> None:
    vault.run()
    vault.source = Unopened(("work", "never seen"))
    assert vault.run() == 3
    assert set(vault.held()) == {"work/a.ics", "work/b.ics"}
    assert vault.unread() == {"work", "never seen"}


def test_a_calendar_that_is_gone_does_not_make_the_next_run_read_everything(vault: Vault) -> None:
    vault.source.put("home", "c.ics", event("c"))
    vault.run()
    del vault.source.calendars["home"]
    vault.source.selection = "other"
    vault.run()
    vault.run()
    assert vault.source.read_anew == []


def test_a_sink_that_fails_while_reading_is_not_taken_for_a_shrunken_source(vault: Vault) -> None:
    vault.expect = Expectation(min_items=2)
    vault.kind = Refusing
    assert vault.run() == 75
    assert vault.states()["read here"] is State.SKIPPED


def test_what_could_not_be_committed_is_not_counted_as_written(vault: Vault) -> None:
    vault.kind = Unwritable
    assert vault.run() == 1
    (ended,) = [e for e in vault.events if isinstance(e, StepFinished) and e.step.kind == "write"]
    assert (ended.state, ended.counts) == (State.FAILED, {})


def test_a_calendar_that_is_no_longer_selected_leaves_the_snapshot(vault: Vault) -> None:
    vault.run()
    vault.source.excluded.add("work")
    vault.source.selection = "none"
    assert vault.run() == 0
    assert vault.held() == {}


def test_a_choice_that_selects_no_calendar_is_told(vault: Vault) -> None:
    vault.source.excluded.add("work")
    assert vault.run() == 0
    (note,) = vault.notes()
    assert note.level is Level.WARNING
    assert note.text == "here: `calendars` selects none of those that are there: work"


def test_changed_properties_are_kept(vault: Vault) -> None:
    vault.run()
    red = Calendar(id="work", color="#ff0000")
    vault.source.calendars["work"] = red
    assert vault.run() == 0
    reader = vault.reader()
    (found,) = reader.calendars(reader.resolve("latest"))
    assert replace(found.calendar, token=None) == red


def test_another_filter_reads_everything_again(vault: Vault) -> None:
    vault.run()
    vault.source.selection = "other"
    assert vault.run() == 0
    assert len(vault.source.read_anew) == 2
    vault.run()
    assert vault.source.read_anew == []


def test_a_shrunken_account_trips_the_guard_and_its_snapshot_is_marked(vault: Vault) -> None:
    vault.expect = Expectation(max_shrink=0.2)
    vault.run()
    del vault.source.bodies["work", "a.ics"]
    assert vault.run() == 4
    assert [each.guarded for each in vault.reader().snapshots()] == [False, True]


def test_a_calendar_that_cannot_be_read_does_not_count_as_shrinking(vault: Vault) -> None:
    vault.expect = Expectation(max_shrink=0.2)
    vault.source.put("home", "c.ics", event("c"))
    vault.run()
    vault.source.unreadable.add(("work", None))
    assert vault.run() == 3


def test_the_guard_knows_the_last_snapshot_where_a_history_starts_afresh(vault: Vault) -> None:
    vault.expect = Expectation(max_shrink=0.2)
    vault.run()
    vault.start_afresh()
    del vault.source.bodies["work", "a.ics"]
    assert vault.run() == 4


def test_a_calendar_that_is_unselected_does_not_count_as_shrinking(vault: Vault) -> None:
    vault.expect = Expectation(max_shrink=0.2)
    vault.source.put("home", "c.ics", event("c"))
    vault.run()
    vault.source.excluded.add("work")
    vault.source.selection = "home"
    assert vault.run() == 0


def test_a_missing_repository_is_a_matter_of_set_up(vault: Vault) -> None:
    for each in sorted((vault.folder / "vault").rglob("*"), reverse=True):
        each.rmdir() if each.is_dir() else each.unlink()
    assert vault.run() == 78
    (note,) = [
        each.text for each in vault.events if isinstance(each, Noted) and each.level is Level.ERROR
    ]
    assert "caldav-run create" in note
    assert vault.states()["read here"] is State.SKIPPED
