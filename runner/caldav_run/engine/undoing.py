"""Bring destinations back as they were before a run, without taking anything from anybody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from caldav_run.connectors.mirroring import Clash, Mirror, Order, Outcome, Target
from caldav_run.engine.availability import put_back
from caldav_run.engine.events import Emit, RunFinished, RunStarted, StepFinished, StepStarted
from caldav_run.engine.outcome import ExitStatus, combine
from caldav_run.engine.readback import Readback
from caldav_run.engine.recipient import Tally
from caldav_run.engine.spool import Slot, Spool
from caldav_run.engine.telling import tell_left, tell_notes
from caldav_run.engine.trail import Touched, Trail
from caldav_run.engine.undo import Step, Way, decide
from caldav_run.errors import CaldavRunError, CalendarError, ConnectorError, ItemError
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Version

# What the run added goes before what it deleted comes: a server may not take a UID twice.
_ORDER: Final = (Way.REPLACE, Way.DELETE, Way.ADD)
_COUNTED: Final = {Way.REPLACE: "changed", Way.DELETE: "deleted", Way.ADD: "added"}


class Kept(Protocol):
    """What a destination held before the run."""

    def hrefs(self, calendar: str) -> Sequence[str]:
        """Return the names of all that a calendar held."""

    def bodies(self, calendar: str, hrefs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the bytes of items by name; what is not there is left out."""

    def file(self, managed_id: str) -> bytes | None:
        """Return what a managed attachment held; None where that was not saved."""

    def available(self) -> str:
        """Return when the user was available; empty for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Undoes what a run did to one destination.

    Attributes:
        trail: What it did.
        mirror: The destination.
        kept: What it held before; None where it was not saved.
        tally: Where to count.
        readback: Compares what came back with what was meant.
    """

    trail: Trail
    mirror: Mirror
    kept: Kept | None
    tally: Tally
    readback: Readback
    _later: list[tuple[str, Target, Sequence[Step]]] = field(default_factory=list, init=False)
    _leaving: set[str] = field(default_factory=set, init=False)

    def execute(self) -> None:
        """Do it, or only tell it where the tally is dry.

        Raises:
            CaldavRunError: The destination cannot be used.
        """
        origin = self.mirror.origin()
        if origin != self.trail.origin:
            raise ConnectorError(
                f"{self.trail.sink} is another place now: {origin} instead of {self.trail.origin}",
                mend="have the pipeline lead to the old place again",
            )
        self.tally.fed = True
        known = {each.id: each for each in self.mirror.calendars()}
        whole = (*self.trail.created, *self.trail.removed)
        touched: dict[str, list[Touched]] = {each: [] for each in whole}
        for item in self.trail.items:
            touched.setdefault(item.calendar, []).append(item)
        for identity, items in touched.items():
            try:
                self._calendar(identity, items, known)
            except CalendarError as error:
                self.tally.fail(error, self._title(identity))
        for identity, target, steps in self._later:
            try:
                self._bring_back(identity, target, steps)
            except CalendarError as error:
                self.tally.fail(error, self._title(identity))
        self.readback.finish()
        put_back(self.trail.available, self.mirror, self.kept, self.tally)

    def _calendar(
        self, identity: str, items: Sequence[Touched], known: Mapping[str, Calendar]
    ) -> None:
        target = self._target(identity, known)
        if target is None:
            return
        present = list(self.mirror.present(target)) if target.exists else []
        if identity in self.trail.removed:
            items = [*items, *self._lost(identity, items)]
        steps = [decide(each, present) for each in items]
        for step in steps:
            if step.present is not None:
                step.item.label = step.present.label
        self._leaving.update(each.item.uid for each in steps if each.way is Way.DELETE)
        # An account may hold a UID once: what went comes back when nothing is in its way anywhere.
        self._later.append((identity, target, [each for each in steps if each.way is Way.ADD]))
        self._carry_out(identity, target, [each for each in steps if each.way is not Way.ADD])
        if identity in self.trail.created and target.exists:
            gone = {each.present.href for each in steps if each.way is Way.DELETE and each.present}
            self._remove(target, [each for each in present if each.href not in gone])

    def _bring_back(self, identity: str, target: Target, steps: Sequence[Step]) -> None:
        if identity in self.trail.removed and not target.exists:
            if not self.tally.dry:
                tell_left(self.tally, target.calendar.title, self.mirror.create(target))
            self.tally.count("calendars", "+", target.calendar.title, "calendar (new)")
        self._carry_out(identity, target, steps)

    def _target(self, identity: str, known: Mapping[str, Calendar]) -> Target | None:
        """Return the calendar; None where the run made it and it is gone by itself.

        Raises:
            CalendarError: It is not there any more.
        """
        if identity in known:
            return Target(known[identity], exists=True)
        if identity in self.trail.sources:
            found = self.mirror.target(*self.trail.sources[identity])
            # A server may have given a new calendar another name than it was asked to.
            same = found.calendar.id == identity or identity in self.trail.created
            if found.exists and same:
                return found
        if identity in self.trail.removed:
            return Target(self.trail.removed[identity], exists=False)
        if identity in self.trail.created:
            return None
        raise CalendarError("the calendar is not there any more, and nothing of it is undone")

    def _lost(self, identity: str, items: Sequence[Touched]) -> Iterator[Touched]:
        """Yield what went with a whole calendar."""
        if self.kept is None:
            return
        named = {each.was for each in items}
        hrefs = [each for each in self.kept.hrefs(identity) if each not in named]
        found = (version(body, href, None) for href, body in self.kept.bodies(identity, hrefs))
        known = {each.href: each for each in found}
        for href in hrefs:
            lost = Touched(calendar=identity, href=href, was=href, before=b"")
            if href in known:
                old = known[href]
                lost.uid, lost.label, lost.before = old.uid, old.label, old.digest
            yield lost

    def _fetch(self, identity: str, steps: Sequence[Step], spool: Spool) -> dict[str, Slot]:
        needed = [each.item.was for each in steps if each.way in {Way.REPLACE, Way.ADD}]
        hrefs = [each for each in needed if each is not None]
        if self.kept is None or not hrefs:
            return {}
        return {href: spool.put(body) for href, body in self.kept.bodies(identity, hrefs)}

    def _carry_out(self, identity: str, target: Target, steps: Sequence[Step]) -> None:
        with Spool() as spool:
            self._do(target, steps, self._fetch(identity, steps, spool), spool)

    def _do(
        self, target: Target, steps: Sequence[Step], slots: Mapping[str, Slot], spool: Spool
    ) -> None:
        meant = sorted((each for each in steps if each.way in _ORDER), key=_turn)
        made = ((self._order(target, each, slots, spool), each) for each in meant)
        orders = {order: step for order, step in made if order is not None}
        for step in steps:
            if step.way is Way.CONFLICT:
                self._conflict(target, step.item, step.reason or "")
        if orders and not self.tally.dry:
            self._apply(target, orders)
        for step in orders.values() if self.tally.dry else ():
            self._count(target, step)

    def _order(
        self, target: Target, step: Step, slots: Mapping[str, Slot], spool: Spool
    ) -> Order | None:
        """Return what to do; None, told as a conflict, where it cannot be done."""
        item, wanted, slot = step.item, None, slots.get(step.item.was or "")
        if step.way is not Way.DELETE:
            if slot is None:
                self._conflict(target, item, "its old version was not saved before the run")
                return None
            wanted = version(spool.get(slot), item.was or "", None)
            item.label = wanted.label
            if item.before and wanted.digest != item.before:
                self._conflict(target, item, "it was saved in another version than was replaced")
                return None
        reason = self.mirror.objection(target, wanted, step.present, slot.size if slot else 0)
        # A plan has not deleted yet what would be in the way.
        settled = self.tally.dry and isinstance(reason, Clash) and item.uid in self._leaving
        if reason is not None and not settled:
            self._conflict(target, item, reason)
            return None
        body = partial(spool.get, slot) if slot else bytes
        if self.kept is None:
            return Order(wanted, step.present, body)
        return Order(wanted, step.present, body, self.kept.file, gives_back=True)

    def _apply(self, target: Target, orders: Mapping[Order, Step]) -> None:
        done: list[Outcome] = []
        for outcome in self.mirror.apply(target, iter(orders)):
            step = orders[outcome.order]
            if outcome.error is not None:
                self._conflict(target, step.item, str(outcome.error))
                continue
            self._count(target, step)
            tell_notes(self.tally, target.calendar.title, outcome)
            if outcome.href is not None:
                done.append(outcome)
        for _ in self.readback.check(self.mirror, target, done):
            pass
        self.mirror.finish(target)

    def _remove(self, target: Target, left: Sequence[Version]) -> None:
        """Delete a calendar that the run made, where it is empty again.

        Args:
            target: The calendar.
            left: What would be left in it.
        """
        if not self.tally.dry:
            # Not all may have gone, and somebody may have put something into it meanwhile.
            left = self.mirror.present(target)
        if left:
            return
        if not self.tally.dry:
            self.mirror.remove(target.calendar)
        self.tally.count("calendars", "-", target.calendar.title, "calendar (made by the run)")

    def _count(self, target: Target, step: Step) -> None:
        self.tally.count(_COUNTED[step.way], step.way, target.calendar.title, _label(step.item))

    def _conflict(self, target: Target, item: Touched, reason: str) -> None:
        place = f"{target.calendar.title}: {_label(item)}"
        self.tally.tell(Way.CONFLICT, target.calendar.title, _label(item))
        self.tally.fail(ItemError(f"left as it is: {reason}"), place)

    def _title(self, identity: str) -> str:
        calendar = self.trail.sources.get(identity, ("", None))[1]
        return calendar.title if calendar else identity


def undo(name: str, undos: Sequence[Undo], emit: Emit, *, dry: bool) -> int:
    """Undo a run at all of its destinations and return the exit status.

    Args:
        name: What the run is called.
        undos: What to do, for each destination.
        emit: Told how it goes.
        dry: Whether nothing is written.
    """
    failures: list[int] = []
    emit(RunStarted(name, dry, tuple(each.tally.step for each in undos)))
    try:
        for each in undos:
            emit(StepStarted(each.tally.step))
            _one(each)
            tally = each.tally
            failures += tally.failures
            emit(StepFinished(tally.step, tally.state(), tally.summary(), tally.counts))
        status = combine(failures)
    except KeyboardInterrupt:
        status = ExitStatus.INTERRUPTED
    emit(RunFinished(name, status))
    return status


def _one(each: Undo) -> None:
    try:
        each.execute()
    except CaldavRunError as error:
        each.tally.fail(error, each.trail.sink)
    finally:
        each.mirror.close()


def _turn(step: Step) -> int:
    return _ORDER.index(step.way)


def _label(item: Touched) -> str:
    return item.label or item.was or item.href or item.uid
