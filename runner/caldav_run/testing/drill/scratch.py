"""The caldav sink of a drill, and what the scratch server said to each item."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from caldav_run.connectors.mirroring import Order, Outcome, Target
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.errors import CalendarError
from caldav_run.model import Calendar, Version

if TYPE_CHECKING:
    from caldav_run.testing.drill.given import Key


class Scratch:
    """The sink as it is; see `connectors.protocol.Mirror`.

    Attributes:
        sent: The snapshot's calendar that each of the server's holds, by the server's id.
        taken: The items that the server took, by its calendar's id and their UID.
        refused: What it said to the others.
        refused_calendars: What it said to whole calendars, by the snapshot's id.
    """

    def __init__(self, sink: CaldavSink) -> None:
        """Take the sink."""
        self.sent: dict[str, Calendar] = {}
        self.taken: dict[Key, list[Key]] = {}
        self.refused: dict[Key, str] = {}
        self.refused_calendars: dict[str, str] = {}
        self.options = sink.options
        self.origin = sink.origin
        self.finish = sink.finish
        self.close = sink.close
        self.objection = sink.objection
        self.mailed = sink.mailed
        self.meant = sink.meant
        self.reread = sink.reread
        self.calendars = sink.calendars
        self.owns = sink.owns
        self.remove = sink.remove
        self.say_available = sink.say_available
        self._sink = sink

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        """Return where a calendar goes, and remember it."""
        try:
            target = self._sink.target(source, calendar, siblings)
        except CalendarError as error:
            self.refused_calendars[calendar.id] = str(error)
            raise
        self.sent[target.calendar.id] = calendar
        return target

    def create(self, target: Target) -> Sequence[str]:
        """Create a calendar, and remember a refusal."""
        try:
            return self._sink.create(target)
        except CalendarError as error:
            self.refused_calendars[self.sent[target.calendar.id].id] = str(error)
            raise

    def present(self, target: Target) -> Sequence[Version]:
        """Return what the calendar holds."""
        return self._sink.present(target)

    def available(self) -> str | None:
        """Return None: a drill leaves nothing behind, and this is not of its calendars."""

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Do the orders, and remember what became of them."""
        calendar = self.sent[target.calendar.id].id
        for outcome in self._sink.apply(target, orders):
            wanted = outcome.order.wanted
            if wanted is not None:
                key = (calendar, wanted.href)
                if outcome.error is not None:
                    self.refused[key] = str(outcome.error)
                else:
                    self.refused.pop(key, None)
                    self.taken.setdefault((target.calendar.id, wanted.uid), []).append(key)
            yield outcome
