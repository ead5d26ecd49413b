"""What a check finds."""

from dataclasses import dataclass
from enum import StrEnum

from caldav_run.errors import CaldavRunError


class Severity(StrEnum):
    """How bad a finding is, from worst to best."""

    DAMAGE = "damage"
    """Something that was stored is gone, altered, or not the writer's."""

    WARNING = "warning"
    """Nothing is lost, but somebody should look."""

    NOTE = "note"
    """Worth knowing, and normal."""


class Level(StrEnum):
    """Which check found it; see the table in `docs/recovery.md`."""

    KNOWN = "0"
    STRUCTURE = "1"
    DATA = "2"
    DEEP = "3"
    SOURCE = "S"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    Attributes:
        level: Which check.
        severity: How bad it is.
        name: What it is about: an object's name, a folder, or an item.
        what: What was found, in a sentence without a final full stop.
        mend: What to do about it, or None when there is nothing to advise.
    """

    level: Level
    severity: Severity
    name: str
    what: str
    mend: str | None = None


def damage_of(level: Level, name: str, error: CaldavRunError) -> Finding:
    """Return the finding that an error about an object makes."""
    return Finding(level, Severity.DAMAGE, name, error.message, error.mend)
