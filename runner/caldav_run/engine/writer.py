"""Does what was planned for one calendar: adds and changes, a look at them, deletions last."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from caldav_run.connectors.mirroring import Held, Order, Outcome
from caldav_run.engine.agenda import Write, Written
from caldav_run.engine.doom import NOT_YET
from caldav_run.engine.events import Level, Progress
from caldav_run.engine.means import Aside, Means, count
from caldav_run.engine.meeting import Destination
from caldav_run.engine.plan import Action, Policy, Verb, plan
from caldav_run.engine.telling import tell, tell_anew, tell_left
from caldav_run.errors import CaldavRunError, CalendarError, ConnectorError, ItemError
from caldav_run.model import Version

_LOOKS: Final = 3
"""So often is an item decided anew that changed between the look and the write."""
_PROGRESS_EVERY: Final = 64


@dataclass(slots=True)
class Writer:
    """Writes one calendar.

    Attributes:
        means: What to write with.
        place: The calendar.
    """

    means: Means
    place: Destination
    _under_way: dict[Order, Write] = field(default_factory=dict)
    _later: list[Write] = field(default_factory=list)
    _dealt_with: int = 0
    _looked_at: int = 0

    # ------------------------------------------------------------ adds and changes

    def bring(self) -> bool:
        """Create the calendar, and write its items; return whether that could be done.

        Raises:
            ConnectorError: Nothing more can be done at the destination.
        """
        mirror, place = self.means.mirror, self.place
        try:
            if not place.target.exists:
                self._create()
            self._apply(self.means.agenda.writes(place.number))
            mirror.finish(place.target)
        except CalendarError as error:
            self.means.tally.fail(error, place.title)
            self._under_way.clear()
            # As far as is known: what was written of them is there twice then, and not lost.
            writes = self.means.agenda.writes(place.number)
            self.means.unwritten.update(each.wanted.uid for each in writes)
            for write in place.deferred:
                # What should make room for it must not go.
                self._refused(write, ItemError(f"not written: {error}"))
            return False
        return True

    def _create(self) -> None:
        try:
            left = self.means.mirror.create(self.place.target)
        except CalendarError as error:
            for write in self.means.agenda.writes(self.place.number):
                self._keep(write, error)
            raise
        self.means.tally.count("calendars", "+", self.place.title, "calendar (new)")
        tell_left(self.means.tally, self.place.title, left)

    def _apply(self, writes: Iterable[Write]) -> None:
        """Write items, and decide those anew that are no more as the plan saw them."""
        orders: Iterable[Order] = self._orders(writes)
        for _ in range(_LOOKS):
            moved = list(self._do(orders))
            if not moved:
                return
            orders = self._orders(list(self._anew(moved)))
        for outcome in self._do(orders):
            self._lost(outcome, outcome.error or ItemError("it keeps changing meanwhile"))

    def _orders(self, writes: Iterable[Write]) -> Iterator[Order]:
        for write in writes:
            failure = self.means.saving.failure() if write.replaces is not None else None
            if failure is not None:
                self._fail(write.wanted, ItemError(f"not written, since {failure}"))
                continue
            feed = self.means.feeds[write.place.feed]
            body = partial(feed.body, write.place.slot)
            made = Order(write.wanted, write.replaces, body, feed.file)
            self._under_way[made] = write
            yield made

    def _do(self, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Have orders done, and yield those that are to be decided anew."""
        for outcome in self.means.mirror.apply(self.place.target, orders):
            self._dealt_with += 1
            if self._dealt_with % _PROGRESS_EVERY == 0:
                self.means.tally.emit(Progress(self.means.tally.step, self._dealt_with))
            if outcome.moved:
                yield outcome
            elif outcome.error is not None:
                self._lost(outcome, outcome.error)
            else:
                self._written(outcome)

    def _anew(self, moved: Sequence[Outcome]) -> Iterator[Write]:
        """Decide again about items whose place is no more as it was."""
        found = self._reread({each.sought: None for each in moved})
        for outcome in moved:
            write, held = self._under_way[outcome.order], found.get(outcome.sought)
            if held is not None and held.error is not None:
                self._lost(outcome, held.error)
                continue
            del self._under_way[outcome.order]
            there = held.version if held else None
            for action in self._decided(write.wanted, there):
                tell_anew(self.means.tally, self.place.title, action)
                if action.verb in {Verb.ADD, Verb.REPLACE}:
                    yield Write(write.wanted, action.present, write.place)
                else:
                    tell(self.means.tally, self.place.title, action)

    def _decided(self, wanted: Version, there: Version | None) -> Iterator[Action]:
        policy = Policy(self.means.mirror.options.on_conflict)
        # Another item may have got the name meanwhile: it stays, and the wanted one gets another.
        same = there is not None and there.uid == wanted.uid
        return plan([wanted], [there] if there is not None and same else [], policy)

    def _reread(self, hrefs: Iterable[str]) -> dict[str, Held]:
        found = self.means.mirror.reread(self.place.target, list(hrefs))
        return {each.href: each for each in found}

    def _written(self, outcome: Outcome) -> None:
        write, tally = self._under_way.pop(outcome.order), self.means.tally
        if outcome.href is not None:
            done = Written(write, outcome.href, outcome.etag)
            self.means.agenda.finish(self.place.number, done)
        for note in outcome.notes:
            tally.note(Level.INFO, f"{self.place.title}: {write.wanted.label}: {note}")
        count(tally, self.place, write.wanted, write.replaces)

    def _lost(self, outcome: Outcome, error: ItemError) -> None:
        write = self._under_way.pop(outcome.order)
        if write.wanted.uid in self.means.leaving and write not in self._later:
            # One account may hold a UID once: it may go in when it is gone from another calendar.
            self._later.append(write)
        else:
            self._refused(write, error)

    def _refused(self, write: Write, error: ItemError) -> None:
        self.means.unwritten.add(write.wanted.uid)
        self._fail(write.wanted, error)
        self._keep(write, error)

    def _keep(self, write: Write, error: CaldavRunError) -> None:
        """Keep what was refused, where that is asked for."""
        body = partial(self.means.feeds[write.place.feed].body, write.place.slot)
        self.means.rejected.keep(self.place.target.calendar.id, write.wanted, body, str(error))

    def _fail(self, item: Version, error: ItemError) -> None:
        self.means.tally.stood["refused"] += 1
        self.means.tally.fail(error, f"{self.place.title}: {item.label}", item.href)

    # ------------------------------------------------------------ what became of them

    def look(self) -> None:
        """Read back what was written.

        Raises:
            ConnectorError: The destination cannot be read any more.
        """
        means, target, before = self.means, self.place.target, self._looked_at
        try:
            for finding in means.readback.check(means.mirror, target, self._done()):
                wanted, seen = finding.outcome.order.wanted, finding.seen
                if wanted is not None and finding.missing is not None:
                    means.unwritten.add(wanted.uid)
                if wanted is None or seen is None or _as_before(finding.outcome.order, seen):
                    continue
                if seen.digest != wanted.digest:
                    means.memory.remember(target.calendar.id, wanted, seen)
        except CalendarError as error:
            means.tally.fail(error, self.place.title)
            means.unwritten.update(self._uids_written(before))

    def _uids_written(self, skipped: int) -> Iterator[str]:
        done = self.means.agenda.written(self.place.number, skipped)
        return (each.write.wanted.uid for each in done)

    def _done(self) -> Iterator[Outcome]:
        for write, href, etag in self.means.agenda.written(self.place.number, self._looked_at):
            feed = self.means.feeds[write.place.feed]
            body = partial(feed.body, write.place.slot)
            self._looked_at += 1
            yield Outcome(Order(write.wanted, write.replaces, body), href, etag)

    # ------------------------------------------------------------ deletions

    def late(self) -> list[Write]:
        """Return what can be written only when something else is deleted."""
        return [*self._later, *self.place.deferred]

    def delete(self, awaited: Container[str]) -> None:
        """Delete what is to be deleted.

        Args:
            awaited: The UIDs of what waits for that to be written elsewhere.

        Raises:
            ConnectorError: Nothing more can be done at the destination.
        """
        doomed = [each for each in self.place.doomed if not self._spared(each)]
        if not doomed:
            return
        try:
            self._set_aside([each for each in doomed if each.uid in awaited])
            self._destroy(doomed)
            self.means.mirror.finish(self.place.target)
        except CalendarError as error:
            self.means.tally.fail(error, self.place.title)

    def _spared(self, doomed: Version) -> bool:
        failure = self.means.saving.failure()
        if failure is not None:
            self._fail(doomed, ItemError(f"not deleted, since {failure}"))
            return True
        awaited = bool(doomed.uid) and doomed.uid in self.means.unwritten
        if awaited:
            self.means.tally.note(Level.WARNING, f"{self.place.title}: {doomed.label}: {NOT_YET}")
        return awaited

    def _set_aside(self, doomed: Sequence[Version]) -> None:
        """Keep the bytes of what makes room, should it be needed again."""
        by_href = {each.href: each for each in doomed}
        for href, held in (self._reread(by_href) if by_href else {}).items():
            if held.body is not None:
                kept = Aside(self.place, by_href[href], held.body)
                self.means.aside[by_href[href].uid] = kept

    def catch_up(self) -> None:
        """Write what was refused for something that is deleted by now.

        Raises:
            ConnectorError: Nothing more can be done at the destination.
        """
        self.means.leaving.clear()
        writes = [*self._later, *filter(self._unopposed, self.place.deferred)]
        self._later, self.place.deferred = [], []
        try:
            if writes:
                self._apply(writes)
                self.means.mirror.finish(self.place.target)
        except (CalendarError, ConnectorError) as error:
            left = {each.wanted.uid for each in writes}
            self.means.unwritten.update(left.difference(self._uids_written(self._looked_at)))
            if isinstance(error, ConnectorError):
                raise
            self.means.tally.fail(error, self.place.title)
        self.look()

    def _unopposed(self, write: Write) -> bool:
        wanted, size = write.wanted, write.place.slot.size
        reason = self.means.mirror.objection(self.place.target, wanted, None, size)
        if reason is not None:
            self._refused(write, ItemError(f"not written: {reason}"))
        return reason is None

    def _destroy(self, doomed: Sequence[Version]) -> None:
        orders = (Order(None, each, bytes) for each in doomed)
        moved: list[Version] = []
        for outcome in self.means.mirror.apply(self.place.target, orders):
            gone = outcome.order.replaces
            if gone is None:
                continue
            if outcome.moved:
                moved.append(gone)
            elif outcome.error is not None:
                self._fail(gone, outcome.error)
            else:
                count(self.means.tally, self.place, None, gone)
        there = self._reread([each.href for each in moved]) if moved else {}
        for each in moved:
            # Gone is as good as deleted; a change is somebody's work that nobody has decided on.
            if (held := there.get(each.href)) is not None and (held.version or held.error):
                self._fail(each, ItemError("not deleted, it changed meanwhile"))


def _as_before(order: Order, seen: Version) -> bool:
    """Return whether the destination holds what it held, and so has not written what it took."""
    old = order.replaces
    return old is not None and (old.digest, old.etag) == (seen.digest, seen.etag)
