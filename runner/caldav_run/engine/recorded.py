"""A mirror whose writes are written down, and whose destination is saved before it loses any."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from caldav_run import shelf
from caldav_run.connectors.mirroring import Held, Mirror, Order, Outcome, Target
from caldav_run.engine.availability import digest
from caldav_run.engine.job import Safety
from caldav_run.engine.journal import Journal
from caldav_run.errors import CalendarError, ConnectorError, ItemError
from caldav_run.model import Calendar


class RecordedMirror:
    """The mirror as it is; see `connectors.mirroring.Mirror`."""

    def __init__(
        self,
        mirror: Mirror,
        name: str,
        journal: Journal,
        safety: Safety,
        where: Mapping[str, Any],
    ) -> None:
        """Take the mirror.

        Args:
            mirror: The destination.
            name: What it is called.
            journal: Where its writes are written down.
            safety: Saves it before the first destructive write.
            where: What `undo` needs to find it again.
        """
        self.options = mirror.options
        self.origin = mirror.origin
        self.present = mirror.present
        self.objection = mirror.objection
        self.mailed = mirror.mailed
        self.meant = mirror.meant
        self.calendars = mirror.calendars
        self.owns = mirror.owns
        self.available = mirror.available
        self.finish = mirror.finish
        self.close = mirror.close
        self._mirror = mirror
        self._name = name
        self._journal = journal
        self._safety = safety
        self._where = where
        self._sources: dict[str, tuple[str, Calendar]] = {}
        self._told: set[str | None] = set()
        self._sent: dict[tuple[str, str], bytes] = {}
        self._unsafe: ConnectorError | None = None

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        """Return where a calendar goes, and remember whose it is."""
        target = self._mirror.target(source, calendar, siblings)
        self._sources.setdefault(target.calendar.id, (source, calendar))
        return target

    def create(self, target: Target) -> Sequence[str]:
        """Create a calendar."""
        self._tell(target.calendar.id)
        self._journal.whole("create", self._name, target.calendar)
        return self._mirror.create(target)

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Do the orders; what would destroy anything that could not be saved is not done."""
        numbers: dict[Order, int] = {}
        refused: dict[Order, str] = {}
        for outcome in self._mirror.apply(target, self._written(target, orders, numbers, refused)):
            self._journal.ended(numbers.pop(outcome.order), outcome)
            wanted = outcome.order.wanted
            if outcome.error is None and outcome.href is not None and wanted is not None:
                self._sent[target.calendar.id, outcome.href] = wanted.digest
            yield outcome
        for order, reason in refused.items():
            yield Outcome(order, error=ItemError(f"not written: {reason}"))

    def reread(self, target: Target, hrefs: Collection[str]) -> Iterator[Held]:
        """Look again; what is not as it was sent is written down."""
        for held in self._mirror.reread(target, hrefs):
            sent = self._sent.pop((target.calendar.id, held.href), None)
            if sent is not None and held.version is not None and held.version.digest != sent:
                self._journal.found(self._name, target.calendar.id, held.version)
            yield held

    def say_available(self, text: str, over: str) -> str:
        """Say when the user is available, over something else only where that could be saved."""
        self._tell(shelf.ACCOUNT)
        if over and not self._safe():
            raise ItemError(f"not written: {self._unsafe}")
        before = digest(over)
        self._journal.available(self._name, before, digest(text))
        kept = self._mirror.say_available(text, over)
        if digest(kept) != digest(text):
            self._journal.available(self._name, before, digest(kept))
        return kept

    def remove(self, calendar: Calendar) -> None:
        """Delete a whole calendar."""
        self._tell(calendar.id)
        danger = self._danger(calendar.id, None)
        if danger is not None:
            raise CalendarError(f'"{calendar.title}" is not deleted: {danger}')
        self._journal.whole("remove", self._name, calendar)
        self._mirror.remove(calendar)

    def _written(
        self,
        target: Target,
        orders: Iterable[Order],
        numbers: dict[Order, int],
        refused: dict[Order, str],
    ) -> Iterator[Order]:
        identity = target.calendar.id
        for order in orders:
            self._tell(identity)
            old = order.replaces
            danger = None if old is None else self._danger(identity, old.href)
            if danger is not None:
                refused[order] = danger
                continue
            numbers[order] = self._journal.intend(
                self._name, identity, order.wanted, order.replaces
            )
            yield order

    def _tell(self, calendar: str) -> None:
        """Write down what the destination and its calendar are, once."""
        if None not in self._told:
            self._told.add(None)
            self._journal.place(self._name, self._mirror.origin(), self._where)
        if calendar not in self._told:
            self._told.add(calendar)
            if calendar in self._sources:
                self._journal.calendar(self._name, calendar, *self._sources[calendar])

    def _danger(self, calendar: str, href: str | None) -> str | None:
        """Return why an item must not be lost, or any of a calendar, in words; else None."""
        if not self._safe():
            return str(self._unsafe)
        if self._safety.unsaved(self._name, calendar, href):
            return "what is there could not be read when the destination was saved before"
        return None

    def _safe(self) -> bool:
        """Have the destination saved, and return whether that went well."""
        try:
            self._safety.protect(self._name)
        except ConnectorError as error:
            self._unsafe = error
            return False
        return True
