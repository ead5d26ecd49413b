"""One merged `.ics` file, as calendar programs export and publish it: one calendar."""

import re
from collections.abc import Iterator
from typing import Final

from caldav_run.connectors.ics_folder import file_reading
from caldav_run.connectors.protocol import Baseline
from caldav_run.connectors.selection import Selection
from caldav_run.connectors.vdir import spelled
from caldav_run.errors import ConnectorError, ItemError
from caldav_run.ical.lines import logical_lines, parse_line
from caldav_run.ical.merged import split
from caldav_run.ical.tree import parse
from caldav_run.ical.values import unescape
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    Failed,
    Reading,
)

# The properties that stand before the first component; a web page starts otherwise.
_HEAD: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(BEGIN:VCALENDAR.*?)(?:\r?\nBEGIN:|\Z)", re.IGNORECASE | re.DOTALL
)
# Some files end with the end-of-file mark of old systems, or are padded.
_BLANK: Final = b" \t\r\n\x00\x1a"
_FOOT: Final = b"END:VCALENDAR"


def readings(
    data: bytes, name: str, place: str, selection: Selection, baseline: Baseline
) -> Iterator[Reading]:
    """Yield one calendar and its items.

    Args:
        data: The file's bytes.
        name: What the calendar is called where its bytes do not say it; makes its id.
        place: Where the bytes come from, for messages.
        selection: Which calendars are meant.
        baseline: The etags that need not be read again.

    Raises:
        ConnectorError: The bytes are no iCalendar stream.
    """
    head = _HEAD.match(data)
    if head is None:
        raise ConnectorError(
            f"{place} is no calendar: it does not start with BEGIN:VCALENDAR",
            mend="check the address; a page to log in may have been answered",
        )
    found = _calendar(name, head[1])
    if not selection.selects(found):
        yield CalendarExcluded(found)
        return
    yield CalendarStart(found)
    whole = data.rstrip(_BLANK)[-len(_FOOT) :].upper() == _FOOT
    for href, body in split(data):
        if whole or _is_whole(body):
            yield file_reading(found.id, href, body, baseline)
        else:
            yield Failed(found.id, href, f"{place} breaks off inside of it")
    if whole:
        yield CalendarDone(found.id)
    else:
        # What the rest held must not be taken for deleted.
        yield Failed(found.id, None, f"{place} breaks off: it does not end with END:VCALENDAR")


def _is_whole(body: bytes) -> bool:
    try:
        parse(body)
    except ItemError:
        return False
    return True


def _calendar(name: str, head: bytes) -> Calendar:
    """Return the calendar with what the widely used X- properties say of it."""
    lines = [parse_line(line) for line in logical_lines(head)]
    values = {line.name: unescape(line.value) for line in reversed(lines)}
    return Calendar(
        id=spelled(name),
        display_name=values.get("X-WR-CALNAME") or name,
        color=values.get("X-APPLE-CALENDAR-COLOR") or None,
        description=values.get("X-WR-CALDESC") or None,
    )
