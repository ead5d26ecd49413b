"""What came back from the scratch server, against what it was given."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Final

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.protocol import Source
from caldav_run.dav import hrefs
from caldav_run.errors import ItemError
from caldav_run.ical.canonical import Level, equal
from caldav_run.ical.deviations import deviations
from caldav_run.ical.scan import scan
from caldav_run.ical.tree import parse
from caldav_run.model import Calendar, CalendarStart, Changed, Failed, Item
from caldav_run.testing.drill.given import Given, Key
from caldav_run.testing.drill.scratch import Scratch

L3: Final = "L3"
_SHOWN: Final = 80
# Where it lies and who may write there is the server's own.
_OWN: Final = frozenset({"id", "read_only", "token", "sharing", "availability"})


@dataclass(slots=True)
class Comparison:
    """What a comparison has come to.

    Attributes:
        levels: How many items are equal at each level, and at no stricter one.
        deviations: How often each deviation was met that L3 tolerates, by its rule.
        differences: What is not as it was given, in words.
        calendars: How many calendars came back.
    """

    levels: Counter[str] = field(default_factory=Counter)
    deviations: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    calendars: int = 0
    _sent: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _came: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def read_back(self, source: Source, given: Given, scratch: Scratch) -> None:
        """Read everything from the server, and compare it with what the server took.

        Raises:
            ConnectorError: The server cannot be read.
        """
        left = {key: list(taken) for key, taken in scratch.taken.items()}
        for reading in source.read(Nothing()):
            if isinstance(reading, CalendarStart):
                self._calendar(reading.calendar, scratch)
            elif isinstance(reading, Changed):
                self._returned(reading.item, left, given)
            elif isinstance(reading, Failed):
                place = f"{reading.calendar}/{reading.href or ''}"
                self._differ(place, f"cannot be read back: {reading.reason}")
        for key in (each for keys in left.values() for each in keys):
            self._differ("/".join(key), "was taken, and is not there")
        for lost in (self._sent - self._came) | (self._came - self._sent):
            self._differ(" ".join(filter(None, lost)), "comes back another number of times")

    @property
    def instances(self) -> int:
        """How many masters and overrides came back, told apart by UID and RECURRENCE-ID."""
        return self._came.total()

    def _returned(self, item: Item, left: dict[Key, list[Key]], given: Given) -> None:
        key = _match(item, left)
        self._came.update(_instances(item.calendar, item.body))
        if key is None:
            self._differ(f"{item.calendar}/{item.href}", "was never sent")
            return
        before = given.body(key)
        self._sent.update(_instances(item.calendar, before))
        self._item("/".join(key), before, item.body)

    def _calendar(self, calendar: Calendar, scratch: Scratch) -> None:
        wanted = scratch.sent.get(calendar.id)
        if wanted is None:
            return
        self.calendars += 1
        for each in fields(Calendar):
            before, after = getattr(wanted, each.name), getattr(calendar, each.name)
            # What nobody had set, a server may have a word for.
            if each.name in _OWN or not before or _same(before, after):
                continue
            self._differ(f"{wanted.id}/", f"{each.name} was {before!r} and is {after!r}")

    def _item(self, name: str, before: bytes, after: bytes) -> None:
        for level in Level:
            if equal(before, after, level):
                self.levels[level.name] += 1
                return
        found = deviations(before, after)
        losses = [each for each in found if each.rule is None]
        for loss in losses:
            self._differ(
                name, f"{loss.place}: {_told(loss.before)} came back as {_told(loss.after)}"
            )
        if not losses:
            self.levels[L3] += 1
            self.deviations.update(each.rule for each in found if each.rule)

    def _differ(self, name: str, what: str) -> None:
        self.differences.append(f"{name}: {what}")


def _match(item: Item, left: dict[Key, list[Key]]) -> Key | None:
    """Return which of the items that were sent came back as this one, and strike it off.

    A UID is one item; where several bear it, or none has one, the name tells, as far as the
    server kept it.
    """
    candidates = left.get((item.calendar, scan(item.body).uid or ""), [])
    named = [each for each in candidates if hrefs.key(each[1]) == hrefs.key(item.href)]
    found = next(iter(named or candidates), None)
    if found is not None:
        candidates.remove(found)
    return found


def _instances(calendar: str, body: bytes) -> Iterator[tuple[str, ...]]:
    """Yield what tells each master and override of an item."""
    try:
        tree = parse(body)
    except ItemError:
        return
    for entry in tree.entries():
        yield calendar, entry.value("UID") or "", entry.value("RECURRENCE-ID") or ""


def _told(line: str | None) -> str:
    if line is None:
        return "nothing"
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…")


def _same(before: object, after: object) -> bool:
    if before == after:
        return True
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    # A colour in other letters, a time zone with other line ends.
    return before.lower() == after.lower() or equal(before.encode(), after.encode(), Level.L2)
