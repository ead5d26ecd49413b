"""Expiry takes what is old, by the store's clock, and nothing else."""

from datetime import timedelta
from pathlib import Path

import pytest

from caldav_run.errors import AccessError
from caldav_run.model import Op
from caldav_run.repository import names
from caldav_run.repository.expire import Expiry, deletion_order, look_for_expired
from caldav_run.repository.retention import Keep, Stage
from caldav_run.testing.clocked import ClockedStore
from caldav_run.testing.crashing import CrashError, CrashingStore
from caldav_run.testing.vault import Clock, Vault, about, added, calendar_row

YEARS = Keep(within=timedelta(days=730), min_generations=2)


class Aged:
    """A repository with a generation a quarter, and two clocks: the host's and the store's."""

    def __init__(self, folder: Path) -> None:
        self.vault = Vault(folder)
        self.clock = Clock()
        self.store = ClockedStore(self.vault.local, self.clock)
        self.vault.wrap = lambda _: self.store
        for each in self.vault.local.list():
            self.store.stored[each.name] = self.clock()

    def forward(self, **by: float) -> None:
        self.vault.clock.forward(**by)
        self.clock.forward(**by)

    def quarter(self, *more: str) -> None:
        """Begin a generation, and append to it."""
        self.forward(days=100)
        self.vault.run(calendar_row("family"), added("a"), added("b"))
        for uid in more or ("c",):
            self.forward(days=1)
            self.vault.run(added(uid))

    def look(self, keep: Keep = YEARS) -> Expiry:
        return look_for_expired(self.store, self.vault.writer, keep, self.vault.clock)

    def expire(self, keep: Keep = YEARS) -> list[Stage]:
        found = self.look(keep).confirmed()
        assert not [each.problem for each in found.carry_out() if each.problem]
        return [each.stage for each in found.verdicts]

    def stages(self, keep: Keep = YEARS) -> list[Stage]:
        return [each.stage for each in self.look(keep).confirmed().verdicts]

    def touch(self) -> None:
        """Have the store show its time: a run does it every night."""
        self.vault.run()

    def generations(self) -> list[str]:
        return [each.name.name for each in self.vault.generations()]


@pytest.fixture
def aged(tmp_path: Path) -> Aged:
    made = Aged(tmp_path)
    for _ in range(11):
        made.quarter()
    return made


def test_what_is_older_than_the_horizon_is_marked_and_nothing_else(aged: Aged) -> None:
    assert aged.expire() == [Stage.MARK] * 2 + [Stage.KEPT] * 9
    assert [each.expired is not None for each in aged.vault.reader().snapshots()] == [
        *[True] * 4,
        *[False] * 18,
    ]


def test_what_was_marked_is_deleted_72_hours_later_by_the_stores_clock(aged: Aged) -> None:
    before = aged.generations()
    aged.expire()
    aged.forward(hours=71)
    aged.touch()
    assert aged.expire()[:2] == [Stage.WAITS, Stage.WAITS]
    aged.forward(hours=1)
    # Nothing was stored since: the store has not shown that time has passed.
    assert aged.expire()[:2] == [Stage.WAITS, Stage.WAITS]
    aged.touch()
    assert aged.expire()[:2] == [Stage.DELETE, Stage.DELETE]
    assert aged.generations() == before[2:]
    assert len(aged.vault.reader().snapshots()) == 18
    assert aged.vault.reader().problems == []


def test_without_a_horizon_everything_is_kept(aged: Aged) -> None:
    assert set(aged.stages(Keep())) == {Stage.KEPT}
    assert {each.why for each in aged.look(Keep()).verdicts} == {"everything is kept"}


def test_min_generations_stay_whatever_their_age(aged: Aged) -> None:
    keep = Keep(within=timedelta(days=1), min_generations=7)
    aged.forward(days=10)
    aged.touch()
    assert aged.stages(keep) == [Stage.MARK] * 4 + [Stage.KEPT] * 7
    assert "min_generations" in aged.look(keep).verdicts[4].why


def test_a_broken_generation_is_not_among_those_that_remain(aged: Aged) -> None:
    keep = Keep(within=timedelta(days=1), min_generations=7)
    aged.forward(days=10)
    aged.touch()
    (aged.vault.root / aged.vault.packs()[-1]).unlink()
    assert aged.stages(keep).count(Stage.MARK) == 3


def test_a_burst_of_snapshots_pushes_nothing_out(aged: Aged) -> None:
    before = aged.stages()
    for version in range(20):
        aged.vault.forget()
        aged.vault.configure(full_every=timedelta(0))
        aged.vault.run(calendar_row("family"), added("a", version))
    assert aged.stages() == before + [Stage.KEPT] * 20


def test_a_hosts_clock_that_runs_ahead_pushes_nothing_out(aged: Aged) -> None:
    before = aged.stages()
    aged.vault.clock.forward(days=3650)
    aged.touch()
    assert aged.stages()[: len(before)] == before
    aged.vault.run(calendar_row("family"), added("a"))
    assert aged.stages()[: len(before)] == before


def test_a_hosts_clock_that_runs_behind_keeps_what_has_expired(aged: Aged) -> None:
    aged.vault.clock.forward(days=-365)
    assert set(aged.stages()) == {Stage.KEPT}


def test_a_generation_that_was_written_to_lately_rests_first(aged: Aged) -> None:
    first = aged.vault.generations()[0].name
    keep = Keep(within=timedelta(days=2), min_generations=2)
    aged.forward(days=2)
    aged.touch()
    assert aged.stages(keep)[0] is Stage.MARK
    aged.store.put(first.pack("0" * 64), b"")
    assert aged.stages(keep)[0] is Stage.KEPT
    assert "72 hours" in aged.look(keep).verdicts[0].why


def test_an_old_snapshot_that_was_stored_late_keeps_its_generation(aged: Aged) -> None:
    late = aged.vault.segments()[1]
    aged.store.stored[late.name] = aged.clock()
    assert aged.stages()[0] is Stage.KEPT
    assert "younger" in aged.look().verdicts[0].why


def harmed(aged: Aged, at: int) -> None:
    pack = next(name for name in aged.vault.generations()[at].sizes if "/pack-" in name)
    path = aged.vault.root / pack
    path.write_bytes(bytes(path.stat().st_size))


def test_nothing_goes_whose_successor_is_damaged(aged: Aged) -> None:
    harmed(aged, 2)
    found = aged.look().confirmed()
    assert [each.stage for each in found.verdicts[:2]] == [Stage.BLOCKED, Stage.BLOCKED]
    assert "its successor is damaged" in found.verdicts[0].why
    assert list(found.carry_out()) == []


def test_the_successor_is_checked_again_before_anything_is_deleted(aged: Aged) -> None:
    aged.expire()
    aged.forward(hours=73)
    aged.touch()
    harmed(aged, 2)
    assert aged.expire()[:2] == [Stage.BLOCKED, Stage.BLOCKED]
    assert len(aged.generations()) == 11


def test_rules_that_hold_no_more_keep_what_was_marked(aged: Aged) -> None:
    aged.expire()
    aged.forward(hours=73)
    aged.touch()
    keep = Keep(within=timedelta(days=7300))
    assert set(aged.expire(keep)) == {Stage.KEPT}
    assert "marked for deletion, but stays" in aged.look(keep).verdicts[0].why


def test_what_a_kept_generation_could_not_read_itself_stays(tmp_path: Path) -> None:
    aged = Aged(tmp_path)
    aged.quarter()
    aged.forward(days=100)
    aged.vault.run(calendar_row("family"), added("b"), about(Op.UNREAD, "a", reason="500"))
    for _ in range(9):
        aged.quarter()
    unread = aged.vault.segments()[2].sha256
    wanted = aged.vault.held(unread)
    assert ("family", "a.ics") in wanted
    assert aged.expire()[:2] == [Stage.KEPT, Stage.MARK]
    assert aged.generations()[1] in aged.look().verdicts[0].why
    assert aged.vault.held(unread) == wanted
    aged.forward(hours=80)
    aged.touch()
    # It can be restored until it is gone; only then what it needs may go as well.
    assert aged.expire()[:2] == [Stage.KEPT, Stage.DELETE]
    assert aged.expire()[0] is Stage.MARK


def test_what_was_never_read_pins_nothing(tmp_path: Path) -> None:
    aged = Aged(tmp_path)
    aged.forward(days=100)
    aged.vault.run(calendar_row("family"), added("b"), about(Op.UNREAD, "a", reason="500"))
    for _ in range(10):
        aged.quarter()
    assert aged.stages()[:2] == [Stage.MARK, Stage.MARK]


def test_a_generation_that_cannot_be_read_pins_what_it_may_refer_to(aged: Aged) -> None:
    base = next(e for e in aged.vault.generations()[3].segments.values() if e.number == 0)
    path = aged.vault.root / base.name
    path.write_bytes(bytes(path.stat().st_size))
    assert aged.stages() == [Stage.MARK, Stage.MARK, *[Stage.KEPT] * 9]
    assert aged.look().verdicts[2].generation.pinned_by == aged.generations()[3]


def test_a_generation_of_packs_alone_expires_as_well(aged: Aged) -> None:
    first = aged.vault.generations()[0]
    for each in first.segments.values():
        aged.store.delete(each.name)
    assert aged.stages()[0] is Stage.MARK


def test_generations_of_other_writers_are_left_alone(
    aged: Aged, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Vault(tmp_path_factory.mktemp("other"))
    found = look_for_expired(aged.store, other.writer, YEARS, aged.vault.clock)
    assert (found.verdicts, found.stock.foreign) == ([], 11)


def test_a_strangers_tombstone_is_told_and_ignored(
    aged: Aged, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Vault(tmp_path_factory.mktemp("other"))
    aged.vault.writer, own = other.writer, aged.vault.writer
    aged.expire()
    aged.vault.writer = own
    first = aged.vault.generations()[0]
    aged.store.put(first.name.tombstone(aged.clock(), "0" * 64), b"")
    found = aged.look()
    assert found.verdicts[0].stage is Stage.MARK
    assert len(found.problems) == 1


def test_objects_go_so_that_the_rest_is_understood(aged: Aged) -> None:
    aged.expire()
    first = aged.vault.generations()[0]
    order = [name.removeprefix(first.name.folder)[:12] for name in deletion_order(first)]
    kinds = [each[:3] for each in order]
    assert kinds == ["seg", "seg", "pac", "pac", "zz-"]
    assert order[:2] == ["seg-00000001", "seg-00000000"]


class Denying(ClockedStore):
    """Allows no deletion, as storage that can only be appended to."""

    def delete(self, name: str) -> None:
        raise AccessError(f"may not delete {name}")


def test_a_store_that_denies_deletions_is_told_and_nothing_breaks(aged: Aged) -> None:
    aged.expire()
    aged.forward(hours=80)
    aged.touch()
    held = aged.vault.held()
    denying = Denying(aged.vault.local, aged.clock)
    denying.stored = aged.store.stored
    found = look_for_expired(denying, aged.vault.writer, YEARS, aged.vault.clock)
    deeds = list(found.confirmed().carry_out())
    assert [type(each.problem) for each in deeds] == [AccessError, AccessError]
    assert aged.vault.held() == held
    assert len(aged.vault.reader().snapshots()) == 22


def snapshots_held(aged: Aged, *identities: str) -> list[dict[tuple[str, str], bytes]]:
    return [aged.vault.held(each) for each in identities]


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_calls_keeps_what_stays_and_can_be_repeated(
    tmp_path: Path, *, after: bool
) -> None:
    aged = Aged(tmp_path)
    for _ in range(5):
        aged.quarter()
    keep = Keep(within=timedelta(days=150), min_generations=2)
    staying = [each.sha256 for each in aged.vault.segments()[4:]]
    wanted = snapshots_held(aged, *staying)
    crashes = 0
    for round_ in range(100):
        crashing = CrashingStore(aged.store, round_ % 4, after=after)
        found = look_for_expired(crashing, aged.vault.writer, keep, aged.vault.clock)
        try:
            list(found.confirmed().carry_out())
        except CrashError:
            crashes += 1
        assert snapshots_held(aged, *staying) == wanted
        assert aged.vault.reader().problems == []
        aged.forward(hours=80)
        aged.store.put(f"{names.RUNS}{round_}", b"")
        if len(aged.generations()) == 3:
            break
    assert len(aged.generations()) == 3
    assert crashes > 4
