"""The caldav sink of a drill, and what the scratch server said to each item."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from caldav_run.connectors.protocol import Target
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.errors import CalendarError, ItemError
from caldav_run.model import Calendar, Version

if TYPE_CHECKING:
    from caldav_run.testing.drill.given import Key


class Scratch:
    """The sink as it is; see `connectors.protocol.Mirror`.

    Attributes:
        calendars: The snapshot's calendar that each of the server's holds, by the server's id.
        taken: The items that the server took, by its calendar's id and their UID.
        refused: What it said to the others.
        refused_calendars: What it said to whole calendars, by the snapshot's id.
    """

    def __init__(self, sink: CaldavSink) -> None:
        """Take the sink."""
        self.calendars: dict[str, Calendar] = {}
        self.taken: dict[Key, list[Key]] = {}
        self.refused: dict[Key, str] = {}
        self.refused_calendars: dict[str, str] = {}
        self.on_conflict = sink.on_conflict
        self.refuse_scheduled = sink.refuse_scheduled
        self.origin = sink.origin
        self.finish = sink.finish
        self.close = sink.close
        self._sink = sink

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        """Return where a calendar goes, and remember it."""
        try:
            target = self._sink.target(source, calendar, siblings)
        except CalendarError as error:
            self.refused_calendars[calendar.id] = str(error)
            raise
        self.calendars[target.calendar.id] = calendar
        return target

    def create(self, target: Target) -> None:
        """Create a calendar, and remember a refusal."""
        try:
            self._sink.create(target)
        except CalendarError as error:
            self.refused_calendars[self.calendars[target.calendar.id].id] = str(error)
            raise

    def present(self, target: Target) -> Sequence[Version]:
        """Return what the calendar holds."""
        return self._sink.present(target)

    def write(self, target: Target, wanted: Version, body: bytes, replaces: Version | None) -> None:
        """Put one item, and remember what became of it."""
        key = (self.calendars[target.calendar.id].id, wanted.href)
        try:
            self._sink.write(target, wanted, body, replaces)
        except ItemError as error:
            self.refused[key] = str(error)
            raise
        self.taken.setdefault((target.calendar.id, wanted.uid), []).append(key)
