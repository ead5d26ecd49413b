"""Incremental readings of servers that lie: what they hold is in the snapshot, now or at an audit.

The same random work as in `test_incremental`, on an account in memory whose server has one of the
faults that servers in the field have. CALDAV_RUN_EXAMPLES=200 looks longer.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caldav_run.connectors.filters.where import WhereFilter
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.judge import Link
from caldav_run.engine.run import run
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.holding import Holding, sink
from caldav_run.testing.liar import Liar, Lie, Shelf
from caldav_run.testing.scripted import Answer, ScriptedServer, scripted_server
from caldav_run.testing.vault import Clock, Vault

EXAMPLES = int(os.environ.get("CALDAV_RUN_EXAMPLES", "6"))
MEMORY = next((each for each in ("/dev/shm",) if os.access(each, os.W_OK)), None)  # noqa: S108
CALENDARS = st.sampled_from(["work", "home"])
NAMES = st.sampled_from([f"{each}.ics" for each in "abcde"] + ["x%40y.ics"])
CHANGES = st.one_of(
    st.tuples(st.just("put"), CALENDARS, NAMES, st.sampled_from(["Lunch", "secret"])),
    st.tuples(st.just("delete"), CALENDARS, NAMES),
    st.tuples(st.just("move"), NAMES),
    st.tuples(st.just("name"), CALENDARS, st.sampled_from(["Home", "Private"])),
    st.tuples(st.just("drop"), CALENDARS),
    st.tuples(st.just("remake"), CALENDARS),
)
ROUNDS = st.lists(st.lists(CHANGES, max_size=5), min_size=1, max_size=4)
# What these keep to themselves comes out at the next audit only.
UNTRUE = {Lie.NO_DELETIONS}
KEEP = {"keep": 'summary != "secret" && calendar != "Private"'}


@dataclass
class Play:
    """An account on a lying server, and a clock."""

    liar: Liar
    server: ScriptedServer
    folder: Path
    clock: Clock

    def begin(self) -> None:
        for calendar, names in (("work", "abcde"), ("home", "ab")):
            for name in names:
                self.put(calendar, f"{name}.ics", "Lunch")

    def put(self, calendar: str, name: str, summary: str) -> None:
        self.liar.put(calendar, name, event(name, summary))

    def delete(self, calendar: str, name: str) -> None:
        self.liar.delete(calendar, name)

    def move(self, name: str) -> None:
        """Move an item to the other calendar, with its name and bytes."""
        body = self.liar.calendars.get("work", Shelf("")).items.get(name)
        if body is not None:
            self.liar.delete("work", name)
            self.liar.put("home", name, body)

    def name(self, calendar: str, title: str) -> None:
        if calendar in self.liar.calendars:
            self.liar.calendars[calendar].title = title

    def drop(self, calendar: str) -> None:
        self.liar.calendars.pop(calendar, None)

    def remake(self, calendar: str) -> None:
        """Delete a calendar and make another one at its URL; its numbers begin anew."""
        self.drop(calendar)
        self.put(calendar, "new.ics", "Lunch")

    def back_up(self, vault: Vault) -> Holding:
        context = Context(
            name="cloud", pipeline="test", timezone=UTC, now=self.clock.now, state_dir=vault.state
        )
        source = CaldavSource.from_options({"url": self.server.url}, context)
        job = Job(
            name="test",
            sources=(NamedSource("cloud", source),),
            filters=(Link("where", WhereFilter.from_options(KEEP, context)),),
            sinks=(NamedSink("vault", sink(vault)),),
            expect=Expectation(),
            timezone=UTC,
            now=self.clock.now,
        )
        events: list[object] = []
        assert run(job, events.append) == 0, events
        return Holding.of(vault, "cloud", self.server.url.rstrip("/") + "/")

    def vault(self, name: str) -> Vault:
        folder = self.folder / name
        folder.mkdir()
        return Vault(folder, self.clock)


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: Answer(404)) as running:
        yield running


@pytest.mark.parametrize("lie", Lie)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CALDAV_RUN_EXAMPLES" not in os.environ,
)
@given(rounds=ROUNDS)
def test_an_incremental_run_holds_what_a_full_one_holds(
    server: ScriptedServer, lie: Lie, rounds: list[list[tuple[Any, ...]]]
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        server.script = liar = Liar(lie)
        play = Play(liar, server, Path(folder), Clock())
        play.begin()
        vault = play.vault("incremental")
        held = play.back_up(vault)
        remade = False
        for changes in rounds:
            for name, *arguments in changes:
                getattr(play, name)(*arguments)
                remade |= name in {"drop", "remake"}
            play.clock.forward(hours=1)
            held = play.back_up(vault)
        # A calendar that was made anew may have come to the very number that the old one had.
        if lie in UNTRUE or remade:
            play.clock.forward(hours=24 * 7)
            held = play.back_up(vault)
        assert held == play.back_up(play.vault("full"))
