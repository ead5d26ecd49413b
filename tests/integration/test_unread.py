"""Whatever fails, and in whichever order: a history holds what was last read, and no more is lost.

Random work on an account in memory breaks what can break, and after each run two real repositories
are compared with a model of a few lines: one repository behind the common filter only, one
with a filter of its own.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caldav_run.connectors.filters.where import WhereFilter
from caldav_run.connectors.protocol import Context, Filter
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.judge import Link
from caldav_run.engine.outcome import ExitStatus
from caldav_run.engine.run import run
from caldav_run.errors import TemporaryError
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Item, Provenance
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.holding import Holding, Key, sink
from caldav_run.testing.memory import MemorySource
from caldav_run.testing.vault import Clock, Vault

EXAMPLES = int(os.environ.get("CALDAV_RUN_EXAMPLES", "40"))
CALENDARS = st.sampled_from(["family", "work"])
NAMES = st.sampled_from(["a.ics", "b.ics"])
SUMMARIES = st.sampled_from(["Lunch", "secret"])
TITLES = st.sampled_from(["Common", "Private"])
# Where waiting for a disk costs nothing; elsewhere the default does.
MEMORY = next((each for each in ("/dev/shm",) if os.access(each, os.W_OK)), None)  # noqa: S108
LOST = TemporaryError("the connection was lost")

# What an item says, the name of its calendar, and the time: all that an answer can hang on.
EXPRESSIONS = st.sampled_from(
    [
        "true",
        'summary != "secret"',
        'calendar != "Private"',
        'now < timestamp("2026-05-04T00:00:00Z") || summary == "secret"',
    ]
)


@dataclass
class History:
    """One repository and what it has to hold.

    Attributes:
        vault: The repository.
        own: The expression of the sink's own filter.
        expected: The items that the latest snapshot has to give back.
        begun: Whether it has a snapshot.
        afresh: Whether the next run has to begin a new generation.
    """

    vault: Vault
    own: str = "true"
    expected: dict[Key, bytes] = field(default_factory=dict)
    begun: bool = False
    afresh: bool = False

    def held(self) -> dict[Key, bytes]:
        """Return what the latest snapshot gives back; what has no bytes is left out."""
        if not self.begun:
            return {}
        reader = self.vault.reader()
        latest = reader.resolve("latest", "memory")
        found = reader.bodies(each for each in reader.items(latest) if each.object is not None)
        return {(each.calendar, each.href): each.body for each in found if isinstance(each, Item)}

    def holding(self) -> Holding:
        return Holding.of(self.vault, "memory", "memory:memory")


class Play:
    """An account that changes and fails, and two repositories that follow it.

    What cannot be read stays so until it is mended; a connection is lost for one run.
    """

    def __init__(self, folder: Path, source: MemorySource) -> None:
        self.folder = folder
        self.clock = Clock()
        self.source = source
        for calendar, href in (("family", "a.ics"), ("work", "a.ics"), ("work", "b.ics")):
            self.source.put(calendar, href, event(href))
        self.common = "true"
        self.histories = [self._history("first"), self._history("second")]
        self.histories[1].own = 'summary != "secret"'

    # ------------------------------------------------------------ what happens to the account

    def edit(self, calendar: str, href: str, summary: str | None) -> None:
        if summary is not None:
            self.source.put(calendar, href, event(href, summary))
        else:
            self.source.bodies.pop((calendar, href), None)

    def rename(self, calendar: str, title: str | None) -> None:
        if title is not None:
            self.source.calendars[calendar] = Calendar(id=calendar, display_name=title)
        elif self.source.calendars.pop(calendar, None):
            for key in [each for each in self.source.bodies if each[0] == calendar]:
                del self.source.bodies[key]

    def spoil(self, calendar: str, href: str | None) -> None:
        self.source.unreadable.add((calendar, href))

    def cut(self, where: str) -> None:
        if where == "at the start":
            self.source.lost = LOST
        else:
            self.source.broken = LOST

    def mend(self) -> None:
        self.source.unreadable.clear()

    # ------------------------------------------------------------ what the pipeline changes

    def filter(self, where: str, expression: str) -> None:
        if where == "everywhere":
            self.common = expression
        else:
            self.histories[1].own = expression

    def select(self, calendar: str) -> None:
        self.source.excluded ^= {calendar}
        self.source.selection = str(sorted(self.source.excluded))

    def reseal(self, number: int) -> None:
        """Change who can read: what they cannot read has to begin anew."""
        history = self.histories[number]
        mine, *more = history.vault.recipients
        theirs = self.histories[1 - number].vault.recipients[0]
        history.vault.recipients = (mine,) if more else (mine, theirs)
        history.afresh = not history.afresh and history.begun

    # ------------------------------------------------------------ what must hold

    def back_up(self, numbers: tuple[int, ...], hours: int) -> None:
        self.clock.forward(hours=hours)
        histories = [self.histories[number] for number in numbers]
        for each in histories:
            self._follow(each)
        status = self._run(histories, self.source)
        self.source.broken = self.source.lost = None
        for each in histories:
            assert each.held() == each.expected
        if status == ExitStatus.DONE:
            self._compare_with_full(histories)

    def _follow(self, history: History) -> None:
        """Work out what a run has to leave behind."""
        source = self.source
        names = sorted(source.calendars)
        cut = source.broken is not None and bool(names)
        if source.lost is not None or (cut and (len(names) == 1 or history.afresh)):
            return
        before, history.expected = history.expected, {}
        link = [self._link(self.common), self._link(history.own)]
        for key in before.keys() | source.bodies.keys():
            calendar, href = key
            if cut and (calendar not in names or calendar == names[-1]):
                unread = True
            elif calendar not in names or calendar in source.excluded:
                continue
            else:
                unread = bool({(calendar, None), (calendar, href)} & source.unreadable)
                if (calendar, None) not in source.unreadable and key not in source.bodies:
                    continue
            if unread:
                history.expected |= {key: before[key]} if key in before else {}
            elif self._kept(key, link):
                history.expected[key] = source.bodies[key]
        history.begun, history.afresh = True, False

    def _kept(self, key: Key, filters: list[Filter]) -> bool:
        item = Item(*key, None, self.source.bodies[key], Provenance.FILE)
        view = ItemView(item, self.source.calendars[key[0]], "here")
        return all(each.judge(view, self.clock.now).keep for each in filters)

    def _run(self, histories: list[History], source: MemorySource) -> int:
        job = Job(
            name="test",
            sources=(NamedSource("here", source),),
            filters=(Link("common", self._link(self.common)),),
            sinks=tuple(
                NamedSink(str(number), sink(each.vault), (Link("own", self._link(each.own)),))
                for number, each in enumerate(histories)
            ),
            expect=Expectation(max_shrink=0.5),
            timezone=UTC,
            now=self.clock.now,
        )
        return run(job, lambda _: None)

    def _compare_with_full(self, histories: list[History]) -> None:
        with self._fresh(histories) as fresh:
            # What need not be read may well be unreadable.
            readable = replace(self.source, unreadable=set())
            assert self._run(fresh, readable) == ExitStatus.DONE
            for one, other in zip(histories, fresh, strict=True):
                assert one.holding() == other.holding()

    @contextmanager
    def _fresh(self, histories: list[History]) -> Iterator[list[History]]:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            made = []
            for number, each in enumerate(histories):
                place = Path(folder) / str(number)
                place.mkdir()
                made.append(History(Vault(place, self.clock), own=each.own))
            yield made

    def _history(self, name: str) -> History:
        folder = self.folder / name
        folder.mkdir()
        return History(Vault(folder, self.clock))

    def _link(self, expression: str) -> Filter:
        context = Context(
            name="where",
            pipeline="test",
            timezone=UTC,
            now=datetime(2026, 5, 1, tzinfo=UTC),
            state_dir=self.folder,
        )
        return WhereFilter.from_options({"keep": expression}, context)


ACTIONS = st.one_of(
    st.tuples(st.just("edit"), CALENDARS, NAMES, SUMMARIES | st.none()),
    st.tuples(st.just("rename"), CALENDARS, TITLES | st.none()),
    st.tuples(st.just("spoil"), CALENDARS, NAMES | st.none()),
    st.tuples(st.just("cut"), st.sampled_from(["at the start", "at the end"])),
    st.tuples(st.just("mend")),
    st.tuples(st.just("filter"), st.sampled_from(["everywhere", "in one sink"]), EXPRESSIONS),
    st.tuples(st.just("select"), CALENDARS),
    st.tuples(st.just("reseal"), st.integers(0, 1)),
)
BACKUPS = st.tuples(st.sampled_from([(0, 1), (0,), (1,)]), st.sampled_from([1, 60]))
ROUNDS = st.lists(st.tuples(st.lists(ACTIONS, max_size=4), BACKUPS), min_size=2, max_size=6)


@pytest.mark.parametrize("names_changes", [False, True])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CALDAV_RUN_EXAMPLES" not in os.environ,
)
@given(rounds=ROUNDS)
def test_a_history_holds_what_was_last_read(
    names_changes: bool,  # noqa: FBT001 - a parameter of the test
    rounds: list[tuple[list[tuple[Any, ...]], tuple[tuple[int, ...], int]]],
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        play = Play(Path(folder), MemorySource(names_changes=names_changes))
        for actions, backup in rounds:
            for name, *arguments in actions:
                getattr(play, name)(*arguments)
            play.back_up(*backup)
