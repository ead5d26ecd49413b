"""The `calendars:` option: which calendars of an account are meant."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final
from unicodedata import normalize

from caldav_run.errors import SetupError
from caldav_run.model import Calendar

MEND: Final = "write a list of patterns, or a map with include and exclude"


@dataclass(frozen=True, slots=True)
class Selection:
    """Shell patterns that choose calendars by their display name or id; upper case matters.

    Attributes:
        include: A calendar must match one of these; None means every calendar.
        exclude: A calendar that matches one of these is left out, whatever `include` says.
    """

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()

    @classmethod
    def from_option(cls, value: object) -> "Selection":
        """Read the option: None, a list of patterns to include, or a map of both lists.

        Raises:
            SetupError: The value has another shape.
        """
        if value is None:
            return cls()
        if not isinstance(value, Mapping):
            return cls(include=_patterns(value, "calendars"))
        unknown = sorted(str(key) for key in value if key not in {"include", "exclude"})
        if unknown:
            raise SetupError(f"unknown key {unknown[0]!r} in calendars", mend=MEND)
        include = value.get("include")
        return cls(
            include=None if include is None else _patterns(include, "calendars.include"),
            exclude=_patterns(value.get("exclude", ()), "calendars.exclude"),
        )

    @classmethod
    def from_text(cls, text: str) -> "Selection":
        """Read what `text` wrote."""
        include, exclude = json.loads(text)
        return cls(None if include is None else tuple(include), tuple(exclude))

    @property
    def text(self) -> str:
        """A canonical text: equal for two selections with the same patterns in any order."""
        include = None if self.include is None else sorted(set(self.include))
        return json.dumps([include, sorted(set(self.exclude))], ensure_ascii=False)

    def selects(self, calendar: Calendar) -> bool:
        """Return whether this calendar is meant."""
        included = self.include is None or _matches(self.include, calendar)
        return included and not _matches(self.exclude, calendar)

    def hangs_on_name(self, calendar: Calendar) -> bool:
        """Return whether it takes the display name, which is not known, to say what is meant."""
        if _matches(self.exclude, calendar) or self.include == ():
            return False
        return bool(self.exclude) or not self.selects(calendar)


def _patterns(value: object, place: str) -> tuple[str, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        patterns = tuple(pattern for pattern in value if isinstance(pattern, str))
        if len(patterns) == len(value):
            return patterns
    raise SetupError(f"{place} is no list of patterns", mend=MEND)


def _matches(patterns: Sequence[str], calendar: Calendar) -> bool:
    names = [_composed(name) for name in (calendar.display_name, calendar.id) if name is not None]
    return any(fnmatchcase(name, _composed(one)) for one in patterns for name in names)


def _composed(text: str) -> str:
    # An umlaut is one character or two, as the system has it that it was typed on.
    return normalize("NFC", text)
