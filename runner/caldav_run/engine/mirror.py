"""Feed one account's readings into a sink with a present state: spool, plan, apply."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from caldav_run.connectors.mirroring import Mirror, Order, Target
from caldav_run.engine.events import Level
from caldav_run.engine.judge import Link, Verdict
from caldav_run.engine.ledger import Held
from caldav_run.engine.plan import Policy, Verb, order, plan
from caldav_run.engine.recipient import Tally
from caldav_run.engine.wanted import Wanted
from caldav_run.errors import CalendarError, ItemError
from caldav_run.ical.version import version
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Mark, Version

if TYPE_CHECKING:
    from caldav_run.engine.spool import Slot

# A decision by the rules is only told; where they could not decide, a person may want to.
_STAYS = {Verb.KEEP: Level.INFO, Verb.UNDECIDED: Level.WARNING}


class Claim(NamedTuple):
    """Which source calendar a destination calendar belongs to.

    Attributes:
        source: The source's name.
        calendar: The source calendar's id.
        title: What to call it.
        mapped: Whether the pipeline's `rename` put it there.
    """

    source: str
    calendar: str
    title: str
    mapped: bool

    def __str__(self) -> str:
        """Return what to call the source calendar."""
        return f'"{self.source}/{self.title}"'


class MirrorRecipient:
    """Collects one source's items, then plans and writes calendar by calendar."""

    held: Held | None = None

    def __init__(
        self,
        mirror: Mirror,
        source: str,
        chain: Sequence[Link],
        claimed: dict[str, Claim],
        tally: Tally,
    ) -> None:
        """Take the destination and the source that feeds it.

        Args:
            mirror: The destination.
            source: The source's name in the pipeline.
            chain: The sink's own filters.
            claimed: Destination calendars that have got their source calendar; shared by all
                sources of a run.
            tally: Where to count.
        """
        self.tally = tally
        self.chain = chain
        self._mirror = mirror
        self._source = source
        self._claimed = claimed
        self._wanted = Wanted()
        self._calendars: dict[str, Calendar] = {}

    def start(self, calendar: Calendar) -> None:
        """Remember the calendar, empty ones too: they are created with their properties."""
        self._calendars[calendar.id] = calendar

    def exclude(self, calendar: Calendar) -> None:
        """Leave a calendar alone that is not selected."""

    def changed(self, view: ItemView, verdict: Verdict) -> None:
        """Spool an item that passed the filters."""
        if not verdict.keep:
            return
        item = view.item
        mine = version(item.body, item.href, item.etag)
        if item.stale_since is not None:
            since = item.stale_since.strftime("%Y-%m-%d %H:%M")
            title = self._calendars[item.calendar].title
            text = f"{title}: {mine.label}: last read {since} UTC, not readable after that"
            self.tally.note(Level.WARNING, text)
        self._wanted.put(item.calendar, mine, item.body)

    def unchanged(self, calendar: str, href: str) -> None:
        """Do nothing: a sink without a ledger is never told so."""

    def failed(self, calendar: str, href: str | None, reason: str) -> None:
        """Leave what could not be read as it is at the destination."""

    def gone(self, calendar: str, href: str) -> None:
        """Do nothing: what is not wanted stays as it is."""

    def synced(self, calendar: str, mark: Mark) -> int:
        """Do nothing: a sink without a ledger is never told so."""
        del calendar, mark
        return 0

    def done(self, calendar: str, mark: Mark | None) -> None:
        """Do nothing: planning starts when the source's guard has spoken."""

    def expected(self, *, complete: bool) -> int | None:
        """Return None: only a history knows what was there before."""
        del complete
        return None

    def finish(self, *, complete: bool, guarded: bool) -> None:
        """Plan and write every calendar that was read."""
        del complete
        with self._wanted:
            if guarded:
                return
            for calendar in self._calendars.values():
                try:
                    self._calendar(calendar)
                except CalendarError as error:
                    self.tally.fail(error, calendar.title)

    def abandon(self) -> None:
        """Drop the spool."""
        with self._wanted:
            self._calendars.clear()

    def _calendar(self, calendar: Calendar) -> None:
        target = self._claim(calendar)
        if not target.exists:
            if not self.tally.dry:
                self._mirror.create(target)
            self.tally.count("calendars", "+", target.calendar.title, "calendar (new)")
        present = sorted(self._mirror.present(target), key=order) if target.exists else []
        orders = self._orders(target, calendar.id, present)
        if self.tally.dry:
            for each in orders:
                self._count(target, each)
            return
        for outcome in self._mirror.apply(target, orders):
            if outcome.error is None:
                self._count(target, outcome.order)
            else:
                self.tally.fail(outcome.error, f"{target.calendar.title}: {outcome.order.label}")
        self._mirror.finish(target)

    def _claim(self, calendar: Calendar) -> Target:
        target = self._mirror.target(self._source, calendar, self._calendars.values())
        mine = Claim(self._source, calendar.id, calendar.title, target.mapped)
        owner = self._claimed.setdefault(target.calendar.id, mine)
        if owner != mine and not (owner.mapped and target.mapped):
            title = target.calendar.title
            raise CalendarError(
                f'{owner} and {mine} would meet in the calendar "{title}"',
                mend="give one of them another name with the sink's rename, or map both to it",
            )
        return target

    def _orders(self, target: Target, calendar: str, present: Sequence[Version]) -> Iterator[Order]:
        """Yield what is to be written, and tell of what stays."""
        title = target.calendar.title
        slots: dict[int, Slot] = {}

        def wanted() -> Iterator[Version]:
            for mine, slot in self._wanted.versions(calendar):
                slots[id(mine)] = slot
                yield mine

        def objection(mine: Version, there: Version | None) -> str | None:
            return self._mirror.objection(target, mine, there, slots[id(mine)].size)

        policy = Policy(self._mirror.options.on_conflict, objection)
        for action in plan(wanted(), present, policy):
            mine = action.wanted
            # A plan looks ahead by a few; what was dealt with need not be remembered.
            slot = slots.pop(id(mine))
            if action.verb in _STAYS:
                self.tally.note(_STAYS[action.verb], f"{title}: {mine.label}: {action.reason}")
            elif action.verb is Verb.REFUSE:
                error = ItemError(f"not written: {action.reason}")
                self.tally.fail(error, f"{title}: {mine.label}")
            elif action.verb is not Verb.SAME:
                yield Order(mine, action.present, partial(self._wanted.body, slot))

    def _count(self, target: Target, order: Order) -> None:
        added = order.replaces is None
        sign = Verb.ADD if added else Verb.REPLACE
        self.tally.count("added" if added else "changed", sign, target.calendar.title, order.label)
