"""A run into a sink with a present state: plan everything, then write, look, and delete last."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from caldav_run.connectors.mirroring import Clash, Mirror, Order, Outcome
from caldav_run.connectors.selection import Selection
from caldav_run.engine.agenda import Agenda, Write
from caldav_run.engine.availability import settle
from caldav_run.engine.doom import Court
from caldav_run.engine.events import Level, StepStarted
from caldav_run.engine.guard import too_many
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.means import Means, Saving
from caldav_run.engine.meeting import Destination, destinations, waiting
from caldav_run.engine.mirror import MirrorRecipient
from caldav_run.engine.outcome import ExitStatus
from caldav_run.engine.performing import perform
from caldav_run.engine.plan import Action, Policy, Verb, even, order, plan
from caldav_run.engine.readback import Readback
from caldav_run.engine.recipient import Tally
from caldav_run.engine.rejecting import Rejected
from caldav_run.engine.remembering import Remembered
from caldav_run.engine.showing import in_words, plain, show
from caldav_run.engine.telling import tell, tell_otherwise
from caldav_run.engine.verify import verify
from caldav_run.errors import CalendarError
from caldav_run.model import Calendar, Version

if TYPE_CHECKING:
    from caldav_run.engine.agenda import Place

_WORSE: Final = "it is broken at the source, and whole at the destination"


class MirrorRun:
    """One sink's part of a run."""

    def __init__(self, mirror: Mirror, named: NamedSink, job: Job, tally: Tally) -> None:
        """Take the destination, what the pipeline says of it, and where to count."""
        self._mirror = mirror
        self._named = named
        self._job = job
        self._tally = tally
        self._feeds: list[MirrorRecipient] = []
        self._fit: list[MirrorRecipient] = []
        self._refused: str | None = None
        self._there = 0
        self._condemned: list[Destination] = []
        self._unwritten: set[str] = set()
        self._rejected = Rejected(None if tally.dry else mirror.options.rejected, tally)

    def recipient(self, source: NamedSource) -> MirrorRecipient:
        """Return what collects one source's items.

        Raises:
            ConnectorError: The destination cannot be reached.
        """
        self._mirror.origin()
        selection = Selection.from_text(source.source.selection)
        made = MirrorRecipient(source.name, selection, self._named.filters, self._tally)
        self._feeds.append(made)
        return made

    def execute(self) -> None:
        """Plan what was collected, and do it.

        Raises:
            CaldavRunError: Nothing more can be done there.
        """
        with ExitStack() as stack:
            for feed in self._feeds:
                stack.callback(feed.close)
            self._fit = fit = [feed for feed in self._feeds if feed.fit]
            if not fit:
                return
            self._tally.emit(StepStarted(self._tally.step))
            self._rejected.clear()
            memory = Remembered(self._job.state_dir, self._mirror.origin())
            stack.enter_context(memory)
            agenda = stack.enter_context(Agenda())
            everywhere = destinations(self._mirror, fit, self._refuse)
            doubt = self._doubt()
            places = [each for each in everywhere if self._plan(each, agenda, memory, doubt)]
            if self._mirror.options.mode == "exact":
                self._hear(places)
                self._doom(places, doubt, [each.target.calendar.id for each in everywhere])
                self._reconsider(places)
            means = Means(
                self._mirror,
                fit,
                agenda,
                memory,
                Saving(self._protect),
                Readback(self._tally),
                self._tally,
                self._rejected,
            )
            settle(self._mirror, fit, memory, self._tally)
            if self._tally.dry:
                show(places, self._condemned, means, in_words if self._job.diff else plain)
            else:
                perform(places, self._condemned, means)

    def _refuse(self, error: CalendarError, calendar: Calendar) -> None:
        self._refused = f'"{calendar.title}" has no place there'
        self._tally.fail(error, calendar.title)

    def _doubt(self) -> str | None:
        """Return why it is not known what all sources have, in words; None when it is."""
        read = {feed.source: feed.doubt for feed in self._feeds}
        doubts = (f"{name} was left out" for name in self._job.left_out)
        more = (read.get(each.name, f"{each.name} was not read") for each in self._job.sources)
        return next(filter(None, (*doubts, *more, self._refused)), None)

    def _plan(
        self, place: Destination, agenda: Agenda, memory: Remembered, doubt: str | None
    ) -> bool:
        """Decide for one calendar; return whether that was possible."""
        mirror, target = self._mirror, place.target
        places: dict[int, Place] = {}

        def wanted() -> Iterator[Version]:
            for mine, where in waiting(place, partial(self._outdone, place)):
                places[id(mine)] = where
                yield mine

        def objection(mine: Version, there: Version | None) -> str | None:
            if _worse(mine, there) and policy.on_conflict != "identical":
                return _WORSE
            return mirror.objection(target, mine, there, places[id(mine)].slot.size)

        exact = mirror.options.mode == "exact" and doubt is None and place.gap() is None
        policy = Policy(
            mirror.options.on_conflict,
            objection,
            lambda mine, there: memory.says(target.calendar.id, mine, there),
            exact,
        )
        try:
            found = mirror.present(target) if target.exists else ()
        except CalendarError as error:
            self._tally.fail(error, place.title)
            self._unwritten.update(each.uid for each in wanted())
            return False
        tell_otherwise(self._tally, place.title, target.otherwise)
        present = sorted(memory.as_written(target.calendar.id, found), key=order)
        self._there += len(present)
        for action in plan(wanted(), present, policy):
            # A plan looks ahead by a few; what was dealt with need not be remembered.
            self._decide(place, action, agenda, places)
        self._compare(place, agenda, memory)
        return True

    def _decide(
        self, place: Destination, action: Action, agenda: Agenda, places: "dict[int, Place]"
    ) -> None:
        mine, there = action.wanted, action.present
        if mine is None:
            place.doomed += [there] if there else []
            return
        where = places.pop(id(mine))
        if there is not None and self._doubts(action.verb, mine, there):
            place.doubtful.append((action, where))
        elif action.verb in {Verb.ADD, Verb.REPLACE}:
            self._schedule(place, action, where, agenda)
        elif (action.verb, there, self._mirror.options.mode) == (Verb.REFUSE, None, "exact"):
            place.refused.append((action, where))
        else:
            self._let_be(place, action, where)

    def _doubts(self, verb: Verb, mine: Version, there: Version) -> bool:
        """Return whether the destination may only spell an item otherwise."""
        if verb is Verb.REPLACE:
            return self._mirror.options.on_conflict != "identical" and even(mine, there)
        return verb in {Verb.REFUSE, Verb.UNDECIDED}

    def _schedule(self, place: Destination, action: Action, where: "Place", agenda: Agenda) -> None:
        if action.wanted is None:
            return
        agenda.plan(place.number, Write(action.wanted, action.present, where))
        if action.reason is not None:
            # Nothing is overwritten in silence.
            text = f"{place.title}: {action.wanted.label}: {action.reason}"
            self._tally.note(Level.INFO, text)

    def _compare(self, place: Destination, agenda: Agenda, memory: Remembered) -> None:
        """Tell of what neither side decides, unless the destination only spells it otherwise."""
        doubtful: dict[Order, tuple[Action, Place]] = {}
        for action, where in place.doubtful:
            body = partial(self._fit[where.feed].body, where.slot)
            doubtful[Order(action.wanted, action.present, body)] = action, where
        place.doubtful.clear()
        there = [Outcome(each, each.replaces.href) for each in doubtful if each.replaces]
        # What cannot be looked at is told as it is.
        with suppress(CalendarError):
            for finding in verify(self._mirror, place.target, there, "full"):
                wanted, seen = finding.outcome.order.wanted, finding.seen
                if finding.loss is None and wanted is not None and seen is not None:
                    del doubtful[finding.outcome.order]
                    self._tally.stood["unchanged"] += 1
                    if not self._tally.dry:
                        memory.remember(place.target.calendar.id, wanted, seen)
        for action, where in doubtful.values():
            if action.verb is Verb.REPLACE:
                self._schedule(place, action, where, agenda)
            else:
                self._let_be(place, action, where)

    def _outdone(self, place: Destination, mine: Version) -> None:
        self._tally.stood["kept"] += 1
        text = f"{place.title}: {mine.label}: another calendar's version is taken"
        self._tally.note(Level.INFO, text)

    def _doom(
        self, places: Sequence[Destination], doubt: str | None, claimed: Sequence[str]
    ) -> None:
        """Settle what is deleted: nothing that has to stay, and not too much."""
        mirror, tally = self._mirror, self._tally
        if doubt is not None:
            tally.note(Level.WARNING, f"{tally.step.name}: nothing is deleted: {doubt}")
            return
        court = Court(mirror, (*self._job.filters, *self._named.filters), self._job.now, tally)
        for place in places:
            gap = place.gap()
            if gap is not None:
                text = f"{place.title}: nothing is deleted there: {gap}"
                tally.note(Level.WARNING, text)
            try:
                place.doomed = court.spare(place, self._unwritten)
            except CalendarError as error:
                tally.fail(error, place.title)
                place.doomed = []
        if mirror.options.delete.calendars:
            self._condemned = list(court.condemn(self._feeds, claimed, self._unwritten))
        more = [len(each.doomed) for each in self._condemned]
        # An empty calendar is something, too.
        count = sum(len(each.doomed) for each in places) + sum(max(1, each) for each in more)
        present = self._there + sum(more)
        objection = self._emptied(count) or too_many(count, present, mirror.options.delete)
        if objection is not None:
            self._hold_back([*places, *self._condemned], objection)

    def _emptied(self, deletions: int) -> str | None:
        """Return why nothing is deleted for a source that has nothing at all, as a mishap has."""
        empty = (each.source for each in self._feeds if not each.calendars and not each.excluded)
        source = next(empty, None) if deletions else None
        return None if source is None else f"{source} has no calendar at all"

    def _hold_back(self, places: Sequence[Destination], objection: str) -> None:
        tally = self._tally
        tally.guarded = True
        tally.failures.append(ExitStatus.GUARDED)
        tally.note(Level.ERROR, f"{tally.step.name}: {objection}: nothing is deleted")
        for place in places:
            for each in place.doomed:
                tally.tell(Verb.REFUSE, place.title, f"{each.label} (not deleted)")
            place.doomed = []
        self._condemned = []

    def _hear(self, places: Sequence[Destination]) -> None:
        """Tell what is refused for itself, not for another item that may yet be deleted."""
        for place in places:
            for action, where in place.refused:
                if not isinstance(action.reason, Clash):
                    self._let_be(place, action, where)
                    self._unwritten.add(action.wanted.uid if action.wanted else "")
            place.refused = [each for each in place.refused if isinstance(each[0].reason, Clash)]

    def _reconsider(self, places: Sequence[Destination]) -> None:
        """Tell what is refused for another item; where that is deleted it may yet go in."""
        leaving = {each.uid for place in (*places, *self._condemned) for each in place.doomed}
        for place in places:
            for action, where in place.refused:
                if action.wanted is not None and action.wanted.uid in leaving - {""}:
                    place.deferred.append(Write(action.wanted, None, where))
                else:
                    self._let_be(place, action, where)

    def _let_be(self, place: Destination, action: Action, where: "Place") -> None:
        """Tell of an item that is not written, and keep it where it was refused."""
        tell(self._tally, place.title, action)
        if action.verb is Verb.REFUSE and action.wanted is not None:
            body = partial(self._fit[where.feed].body, where.slot)
            words = action.reason or ""
            self._rejected.keep(place.target.calendar.id, action.wanted, body, words)

    def _protect(self) -> None:
        if self._job.safety is not None:
            self._job.safety.protect(self._named.name)


def _worse(mine: Version, there: Version | None) -> bool:
    """Return whether half of an item would be written over a whole one."""
    return there is not None and mine.broken and not there.broken
