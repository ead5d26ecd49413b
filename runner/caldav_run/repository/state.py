"""What an account looked like at one snapshot."""

from caldav_run.model import Op
from caldav_run.repository.rows import Row


class State:
    """Calendars and items as the rows up to a snapshot leave them.

    Attributes:
        calendars: The newest row of each calendar, by id; excluded and unread ones too.
        items: The newest row of each item, by calendar and href; excluded ones too.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.calendars: dict[str, Row] = {}
        self.items: dict[str, dict[str, Row]] = {}

    def apply(self, row: Row) -> None:
        """Let one row happen."""
        if row.href is None:
            self._apply_calendar(row)
        elif row.op is Op.GONE:
            self.items.get(row.calendar, {}).pop(row.href, None)
        else:
            self.items.setdefault(row.calendar, {})[row.href] = row

    def _apply_calendar(self, row: Row) -> None:
        if row.op in {Op.CALENDAR_GONE, Op.EXCLUDED}:
            self.items.pop(row.calendar, None)
        if row.op is Op.CALENDAR_GONE:
            self.calendars.pop(row.calendar, None)
        else:
            self.calendars[row.calendar] = row
