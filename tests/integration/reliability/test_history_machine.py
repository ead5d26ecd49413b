"""Whatever machines, disks, clocks and expiry do, each snapshot is what a plain dict remembers."""

import os
import random
import shutil
import sqlite3
import tempfile
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from caldav_run.errors import CaldavRunError
from caldav_run.repository import account, resume, segment
from caldav_run.repository.retention import Keep
from caldav_run.testing.fleet import ACCOUNTS, VERSIONS, Copy, Fleet, Machine
from caldav_run.testing.tripwire import Harm, MachineStopped, Tripwire

LONG = os.environ.get("CALDAV_RUN_CHANCE") == "long"
KEEP = Keep(within=timedelta(days=200), min_generations=2)
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it

NAMES = st.sampled_from(ACCOUNTS)
CALENDARS = st.sampled_from(["family", "work"])
UIDS = st.sampled_from(["a", "b", "c"])
KEYS = st.tuples(CALENDARS, UIDS)
EDITS = st.dictionaries(KEYS, st.integers(0, VERSIONS - 1), max_size=4)
NUMBERS = st.integers(0, 1 << 16)


class History(RuleBasedStateMachine):
    """Machines that share a repository, and all that can come between."""

    @initialize()
    def begin(self) -> None:
        folder = tempfile.mkdtemp(dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
        self.folder = Path(folder)
        self.fleet = Fleet(self.folder)
        self.copies: list[Copy] = []
        self.disks: list[tuple[Machine, Path]] = []
        for name in ACCOUNTS:
            self.edits_and_backs_up(0, name, {("family", "a"): 1, ("work", "b"): 1})

    def teardown(self) -> None:
        if hasattr(self, "fleet"):
            try:
                self.fleet.drop_runs()
                self.fleet.check()
            finally:
                shutil.rmtree(self.folder)

    def machine(self, number: int) -> Machine:
        return self.fleet.machines[number % len(self.fleet.machines)]

    @rule(name=NAMES, edits=EDITS)
    def edits(self, name: str, edits: dict[tuple[str, str], int]) -> None:
        for (calendar, uid), version in edits.items():
            self.fleet.servers[name].put(calendar, f"{name}-{uid}", version)

    @rule(name=NAMES, calendar=CALENDARS)
    def removes_a_calendar(self, name: str, calendar: str) -> None:
        self.fleet.servers[name].remove(calendar)

    @rule(name=NAMES, calendar=CALENDARS)
    def renames_a_calendar(self, name: str, calendar: str) -> None:
        names = self.fleet.servers[name].names
        names[calendar] = names.get(calendar, 0) + 1

    @rule(
        name=NAMES,
        failing=st.frozensets(KEYS, max_size=2),
        calendars=st.frozensets(CALENDARS, max_size=1),
        filtered=st.frozensets(KEYS, max_size=2),
        unselected=st.frozensets(CALENDARS, max_size=1),
    )
    def has_trouble(
        self,
        name: str,
        failing: frozenset[tuple[str, str]],
        calendars: frozenset[str],
        filtered: frozenset[tuple[str, str]],
        unselected: frozenset[str],
    ) -> None:
        server = self.fleet.servers[name]
        server.failing = frozenset((calendar, f"{name}-{uid}") for calendar, uid in failing)
        server.filtered = frozenset((calendar, f"{name}-{uid}") for calendar, uid in filtered)
        server.failing_calendars, server.unselected = calendars, unselected

    @rule(name=NAMES)
    def has_no_more_trouble(self, name: str) -> None:
        server = self.fleet.servers[name]
        server.failing = server.filtered = frozenset()
        server.failing_calendars = server.unselected = frozenset()

    @rule(number=NUMBERS, name=NAMES, guarded=st.booleans())
    def starts(self, number: int, name: str, *, guarded: bool) -> None:
        machine = self.machine(number)
        if machine.run is None:
            self.fleet.start(machine, name, self.fleet.store, guarded=guarded)

    @rule(number=NUMBERS)
    def finishes(self, number: int) -> None:
        machine = self.machine(number)
        if machine.run is not None:
            self.fleet.finish(machine)

    @rule(number=NUMBERS, name=NAMES, edits=EDITS)
    def edits_and_backs_up(self, number: int, name: str, edits: dict[tuple[str, str], int]) -> None:
        self.edits(name, edits)
        self.backs_up(number, name)

    @rule(number=NUMBERS, name=NAMES, edits=EDITS, more=EDITS)
    def backs_up_twice(
        self,
        number: int,
        name: str,
        edits: dict[tuple[str, str], int],
        more: dict[tuple[str, str], int],
    ) -> None:
        self.edits_and_backs_up(number, name, edits)
        self.edits_and_backs_up(number, name, more)

    @rule(number=NUMBERS, name=NAMES)
    def backs_up(self, number: int, name: str) -> None:
        machine = self.machine(number)
        if machine.run is None:
            self.fleet.start(machine, name, self.fleet.store, guarded=False)
            self.fleet.finish(machine)

    @rule(number=NUMBERS, name=NAMES, at=st.integers(1, 60), harm=st.sampled_from(Harm))
    def meets_with_an_accident(self, number: int, name: str, at: int, harm: Harm) -> None:
        machine = self.machine(number)
        if machine.run is not None:
            return
        machine.state.mkdir(exist_ok=True)
        wire = Tripwire(machine.state, at, harm)
        tripped = partial(sqlite3.connect, factory=wire.connection())
        with patch("sqlite3.connect", tripped), suppress(MachineStopped, CaldavRunError):
            self.fleet.start(machine, name, wire.store(self.fleet.store), guarded=False)
            self.fleet.finish(machine)
        machine.run = None
        wire.restart()

    @precondition(lambda self: len(self.fleet.machines) > 1)
    @rule(number=NUMBERS, name=NAMES, version=st.integers(1, VERSIONS - 1))
    def two_write_at_once(self, number: int, name: str, version: int) -> None:
        here, there = self.machine(number), self.machine(number + 1)
        if here.run is there.run is None:
            for machine, uid in ((here, "a"), (there, "b")):
                self.edits(name, {("family", uid): version})
                self.fleet.start(machine, name, self.fleet.store, guarded=False)
            self.fleet.finish(here)
            self.fleet.finish(there)

    @precondition(lambda self: len(self.fleet.machines) < 4)
    @rule()
    def another_writer_comes(self) -> None:
        self.fleet.second_writer()

    @precondition(lambda self: len(self.fleet.machines) < 4)
    @rule(number=NUMBERS)
    def a_machine_is_cloned(self, number: int) -> None:
        machine = self.machine(number)
        if machine.run is None and machine.state.exists():
            self.fleet.clone(machine)

    @rule(number=NUMBERS)
    def loses_its_disk(self, number: int) -> None:
        machine = self.machine(number)
        if machine.run is None:
            shutil.rmtree(machine.state, ignore_errors=True)

    @rule(number=NUMBERS)
    def copies_its_disk(self, number: int) -> None:
        machine = self.machine(number)
        if machine.run is None and machine.state.exists():
            copy = self.folder / f"disk-{len(self.disks)}"
            shutil.copytree(machine.state, copy)
            self.disks.append((machine, copy))

    @precondition(lambda self: self.disks)
    @rule(number=NUMBERS)
    def gets_an_old_disk_back(self, number: int) -> None:
        machine, copy = self.disks[number % len(self.disks)]
        if machine.run is None:
            shutil.rmtree(machine.state, ignore_errors=True)
            shutil.copytree(copy, machine.state)

    @rule(number=NUMBERS, bit=st.integers(0, 1 << 30))
    def a_bit_of_a_cache_flips(self, number: int, bit: int) -> None:
        machine = self.machine(number)
        caches = sorted(machine.state.rglob("*.sqlite"))
        if machine.run is None and caches:
            path = caches[bit % len(caches)]
            data = bytearray(path.read_bytes())
            # Behind the header: a bit in it can make the file unwritable.
            if len(data) > 100:
                data[100 + bit % (len(data) - 100)] ^= 1 << bit % 8
                path.write_bytes(data)

    @rule(number=NUMBERS, other=NUMBERS, which=NUMBERS)
    def a_cache_is_another_accounts(self, number: int, other: int, which: int) -> None:
        machine, owner = self.machine(number), self.machine(other)
        mine, theirs = (sorted(each.state.rglob("*.sqlite")) for each in (machine, owner))
        if machine.run is owner.run is None and mine and theirs:
            source, target = theirs[which % len(theirs)], mine[-1 - which % len(mine)]
            if source != target:
                shutil.copy(source, target)

    @rule()
    def the_repository_is_copied(self) -> None:
        self.copies.append(self.fleet.copy())

    @precondition(lambda self: self.copies)
    @rule(number=NUMBERS)
    def the_repository_goes_back_in_time(self, number: int) -> None:
        self.fleet.put_back(self.copies[number % len(self.copies)])

    @precondition(lambda self: all(each.run is None for each in self.fleet.machines))
    @rule(days=st.integers(1, 100))
    def time_passes(self, days: int) -> None:
        self.fleet.clock.forward(days=days)
        for each in self.fleet.machines:
            each.clock.forward(days=days)

    @rule(number=NUMBERS, minutes=st.integers(1, 600))
    def minutes_pass_for_one(self, number: int, minutes: int) -> None:
        self.machine(number).clock.forward(minutes=minutes)

    @rule(number=NUMBERS, days=st.integers(-500, 500))
    def a_clock_jumps(self, number: int, days: int) -> None:
        self.machine(number).clock.forward(days=days)

    @rule(number=NUMBERS)
    def a_clock_is_put_right(self, number: int) -> None:
        self.machine(number).clock.now = self.fleet.clock.now

    @rule(number=NUMBERS, deeds=st.integers(0, 3))
    def something_expires(self, number: int, deeds: int) -> None:
        self.fleet.expire(self.machine(number), KEEP, deeds)

    @rule(number=NUMBERS)
    def an_object_is_harmed(self, number: int) -> None:
        whole = [each.name for each in self.fleet.objects() if each.name not in self.fleet.altered]
        if whole and number % 4 == 0:
            name = whole[number % len(whole)]
            self.fleet.harm(name, random.Random(number))  # noqa: S311  # no secret

    @rule()
    def somebody_looks(self) -> None:
        self.fleet.check()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    """Make generations short as well."""
    del small
    monkeypatch.setattr(resume, "MAX_SEGMENTS", 8)
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr(account, "CUMULATIVE_EVERY", 3)


@pytest.mark.timeout(14_400 if LONG else 600)
@pytest.mark.usefixtures("quick")
def test_every_snapshot_is_what_a_dict_remembers() -> None:
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=20_000 if LONG else 150,
            stateful_step_count=60 if LONG else 40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Shrinking takes minutes; the steps of a failure are readable as they are.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
