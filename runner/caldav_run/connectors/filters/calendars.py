"""Keep or drop items by the calendar that they lie in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from caldav_run.connectors.protocol import Context, Judgement
from caldav_run.connectors.selection import Selection
from caldav_run.ical.view import ItemView
from caldav_run.model import Options

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class CalendarsFilter:
    """Judges by display name and id, which is the calendar's href; never looks at the item.

    Attributes:
        selection: The patterns.
        fingerprint: See `caldav_run.connectors.protocol.Filter`.
    """

    selection: Selection
    fingerprint: str

    @classmethod
    def from_options(cls, options: Options, _context: Context) -> "CalendarsFilter":
        """Read the options of `schemas/filters/calendars.schema.json`.

        Raises:
            SetupError: A list holds something else than patterns.
        """
        selection = Selection.from_option(
            {key: value for key, value in options.items() if key != "type"}
        )
        return cls(selection, f"calendars/{_VERSION} {selection.text}")

    def judge(self, view: ItemView, now: datetime) -> Judgement:  # noqa: ARG002 - the protocol
        """Judge one item by its calendar."""
        return Judgement(keep=self.selection.selects(view.calendar))
