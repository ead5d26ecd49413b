"""Looking for a text in what an item says."""

import re
from collections.abc import Collection, Iterator
from typing import Final
from unicodedata import normalize

from caldav_run.ical.lines import Line, logical_lines, parse_line, unfold
from caldav_run.ical.values import unescape

TITLES: Final = frozenset({"SUMMARY", "LOCATION", "DESCRIPTION"})
"""What a person remembers of an event."""

# What no person has written: frames, times and numbers, and data in base64.
_MUTE: Final = frozenset(
    {
        *("BEGIN", "END", "VERSION", "PRODID", "CALSCALE", "METHOD", "SEQUENCE", "TRANSP", "CLASS"),
        *("DTSTAMP", "CREATED", "LAST-MODIFIED", "DTSTART", "DTEND", "DUE", "DURATION"),
        *("COMPLETED", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "TRIGGER", "REPEAT", "ACTION"),
        *("PRIORITY", "PERCENT-COMPLETE", "ACKNOWLEDGED"),
    }
)

_WORD: Final = re.compile("[a-z0-9]+")


def folded(text: str) -> str:
    """Return text for comparing: no upper and lower case, no variants of a character, one line.

    Source: Unicode 15, section 3.13 D146 (compatibility caseless matching).
    """
    # Most text is ASCII, and this is asked of every item of every year.
    plain = text.lower() if text.isascii() else normalize("NFKD", text).casefold()
    return " ".join((plain if plain.isascii() else normalize("NFKC", plain)).split())


class Search:
    """A text that is looked for, in what people wrote or in some properties only."""

    def __init__(self, text: str, names: Collection[str] | None = None) -> None:
        """Take the text, and the upper-case names of properties; None for all that people write.

        A time zone's definition is nothing that people write.
        """
        self._wanted = folded(text)
        self._names = names
        # Of letters and digits only: nothing of it can be escaped.
        self._word = max(_WORD.findall(self._wanted), key=len, default="").encode()

    def finds(self, body: bytes) -> bool:
        """Return whether an item says it; never fails, whatever the bytes are."""
        # Most items are passed over here: taking each of them apart takes ten times as long.
        flat = unfold(body)
        if flat.isascii() and not (self._wanted.isascii() and self._word in flat.lower()):
            return False
        if self._wanted not in folded(unescape(flat.decode("utf-8", "replace"))):
            return False
        return any(self._wanted in folded(text) for text in self._texts(body))

    def _texts(self, body: bytes) -> Iterator[str]:
        zone = False
        for raw in logical_lines(body):
            line = parse_line(raw)
            if line.name in {"BEGIN", "END"} and line.value.strip().upper() == "VTIMEZONE":
                zone = line.name == "BEGIN"
            elif not zone and self._asks(line):
                yield unescape(line.value)
                if self._names is None:
                    yield from (value.strip('"') for name, value in line.params if name == "CN")

    def _asks(self, line: Line) -> bool:
        if self._names is not None:
            return line.name in self._names
        return line.name not in _MUTE and ("ENCODING", "BASE64") not in line.params
