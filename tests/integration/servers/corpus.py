"""The hostile corpus on a server: put there by plain requests, and what became of each item."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final
from urllib.parse import unquote

from lxml import etree
from tests.integration.servers.backup import Backup
from tests.integration.servers.calendars import Made
from tests.integration.servers.raw import CALDAV, Raw, Resource, resources

from caldav_run.errors import ItemError
from caldav_run.ical.canonical import Level, equal
from caldav_run.ical.deviations import deviations
from caldav_run.ical.tree import parse
from caldav_run.model import Item
from caldav_run.testing import hostile, odd

_NAMED: Final = 4
_TITLE: Final = 32
_WITHOUT_END: Final = "no-end.ics"
_STARTED: Final = re.compile(rb"(?<=\n)DTSTART[^\r\n]*(\r?\n)(?=(?s:.*)END:VEVENT)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item of the corpus.

    Attributes:
        name: Its name, without `.ics`.
        sent: The bytes that were sent.
        status: How the server answered.
        href: How the server spells it; None when it is not listed.
        got: What a GET gives; None where it does not.
        reported: What a multiget of this item alone gives; None where that cannot be read.
    """

    name: str
    sent: bytes = field(repr=False)
    status: int
    href: str | None
    got: bytes | None = field(repr=False)
    reported: bytes | None = field(repr=False)

    @property
    def stored(self) -> bool:
        """Whether the server has it."""
        return self.href is not None

    def change(self) -> str:
        """Say in a few words how what comes back differs from what was sent."""
        back = self.got if self.got is not None else self.reported
        if back is None:
            return "not handed out"
        if back == self.sent:
            return "as sent"
        if _joined(back) == _joined(self.sent):
            return "line ends"
        if equal(back, self.sent, Level.L1):
            return "folding"
        if equal(back, self.sent, Level.L2):
            return "order"
        return f"content: {_differences(self.sent, back)}"


@dataclass(frozen=True, slots=True)
class Filled:
    """A calendar with the corpus in it, and a backup of it.

    Attributes:
        calendar: The calendar.
        outcomes: Every item of the corpus.
        listed: What the server lists in it.
        status: The exit status of the backup.
        held: What the backup holds, by href.
        unread: What it names as unread.
    """

    calendar: Made
    outcomes: tuple[Outcome, ...]
    listed: tuple[Resource, ...]
    status: int
    held: Mapping[str, Item]
    unread: frozenset[str]

    def item(self, outcome: Outcome) -> Item | None:
        """Return what the backup holds of it."""
        return None if outcome.href is None else self.held.get(tail(outcome.href))


def corpus() -> Iterator[tuple[str, bytes]]:
    """Yield all items: hrefs, percent-encoded, and bytes."""
    for name, body in chain(hostile.objects(), odd.oddities()):
        yield name, body if name == _WITHOUT_END else _ended(body)


def _ended(body: bytes) -> bytes:
    """Return the body with a duration for each event that has no end.

    One server refuses events without one, and would show nothing else of what is in them.
    """
    parts = re.split(rb"(?=BEGIN:VEVENT)", body)
    return b"".join(
        each
        if re.search(rb"\n(DTEND|DURATION)\b", each.partition(b"BEGIN:VALARM")[0])
        else _STARTED.sub(rb"\g<0>DURATION:P1D\g<1>", each, count=1)
        for each in parts
    )


def fill(calendar: Made, backup: Backup) -> Filled:
    """Put the corpus into a new calendar, and back that up."""
    calendar.make("Corpus")
    statuses = {name: _put(calendar, name, body) for name, body in corpus()}
    calendar.raw.close()
    listed = tuple(calendar.raw.members(calendar.path))
    spelled = {unquote(tail(each.href)): each.href for each in listed}
    outcomes = tuple(
        _outcome(calendar, name, body, statuses[name], spelled.get(unquote(name)))
        for name, body in corpus()
    )
    status = backup.run()
    return Filled(calendar, outcomes, listed, status, backup.held(), frozenset(backup.unread()))


def _put(calendar: Made, name: str, body: bytes) -> int:
    """Store one item over a connection of its own: servers answer some of these twice."""
    calendar.raw.close()
    return calendar.raw.put(calendar.path + name, body).status


def tail(href: str) -> str:
    """Return the last part of an href."""
    return href.rpartition("/")[2]


def _outcome(calendar: Made, name: str, body: bytes, status: int, href: str | None) -> Outcome:
    title = unquote(name).removesuffix(".ics")[:_TITLE]
    if href is None:
        return Outcome(title, body, status, None, None, None)
    answer = calendar.raw.get(href)
    got = answer.body if answer.status == 200 else None
    return Outcome(title, body, status, href, got, reported(calendar.raw, calendar.path, href))


def reported(raw: Raw, path: str, href: str) -> bytes | None:
    """Return the data that a multiget of one item gives; None where it gives none."""
    answer = raw.multiget(path, [href])
    try:
        found = resources(answer.body) if answer.status == 207 else []
    except etree.XMLSyntaxError:
        return None
    texts = [each.text(f"{CALDAV}calendar-data") for each in found]
    return texts[0].encode() if len(texts) == 1 and texts[0] else None


def _joined(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n").rstrip(b"\n")


def _differences(sent: bytes, back: bytes) -> str:
    whole, mended = _is_whole(sent), _is_whole(back)
    if not whole:
        return "mended" if mended else "still broken"
    if not mended:
        return "broken"
    found = deviations(sent, back)
    names: dict[str, None] = {}
    for each in found:
        kind = "lost" if each.after is None else "added" if each.before is None else "changed"
        text = (each.before if each.before is not None else each.after) or ""
        names[f"{kind} {_property(text)}"] = None
    words = list(names)
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more


def _is_whole(body: bytes) -> bool:
    try:
        parse(body)
    except ItemError:
        return False
    return True


def _property(text: str) -> str:
    return text.partition(":")[0].partition(";")[0][:40] or "a component"
