"""Holds what lies on a server against what was restored, and against what the run said of it.

The server is read with plain requests. Every item has to be there as it was in the snapshot, or
with deviations that the run told one by one, or the run has to have named it as refused or as not
kept. Whatever is none of these is unexplained.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from icalendar import Calendar as Parsed
from lxml import etree
from tests.integration.servers.corpus import tail
from tests.integration.servers.raw import CALDAV, Raw, resources
from tests.integration.servers.reads import uid
from tests.integration.servers.restoring import Told

from caldav_run.engine.events import Deviated
from caldav_run.ical.canonical import Level, equal
from caldav_run.ical.deviations import Deviation, deviations

_BATCH: Final = 100
_CHANGED: Final = "did not come back as written"
_GIST: Final = ("UID", "RECURRENCE-ID", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION")


class State(StrEnum):
    """What became of one item."""

    EQUAL = "equal"
    DEVIATING = "deviating"
    CHANGED = "changed"
    REFUSED = "refused"


@dataclass(slots=True)
class Comparison:
    """What a restore has come to.

    Attributes:
        states: What became of each item, by name.
        rules: How many deviations there are of each rule.
        losses: What was not kept of an item, by its name.
        refusals: Why an item was not written, by its name.
        unexplained: What the run did not say.
    """

    states: dict[str, State] = field(default_factory=dict)
    rules: Counter[str] = field(default_factory=Counter)
    losses: dict[str, tuple[Deviation, ...]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    unexplained: list[str] = field(default_factory=list)


def there(raw: Raw, path: str) -> dict[str, bytes]:
    """Return what a calendar holds, by href, read with plain requests."""
    hrefs = [each.href for each in raw.members(path)]
    found: dict[str, bytes] = {}
    for start in range(0, len(hrefs), _BATCH):
        found |= _multiget(raw, path, hrefs[start : start + _BATCH])
    for href in hrefs:
        if tail(href) not in found:
            # A batch that is no XML; what not even a report of one item can carry is got.
            alone = dict(_multiget(raw, path, [href]))
            found[tail(href)] = alone.get(tail(href)) or raw.get(href).body
    return found


def _multiget(raw: Raw, path: str, hrefs: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    answer = raw.multiget(path, hrefs)
    try:
        found = resources(answer.body) if answer.status == 207 else []
    except etree.XMLSyntaxError:
        return
    for each in found:
        if text := each.text(f"{CALDAV}calendar-data"):
            yield tail(each.href), text.encode()


def compare(wanted: Mapping[str, bytes], found: Mapping[str, bytes], told: Told) -> Comparison:
    """Hold what is there against what was wanted and what was told.

    Args:
        wanted: What was restored, by name.
        found: What is there, by the last part of its href.
        told: What the run said.
    """
    made = Comparison()
    failures = told.failures()
    failed = dict(failures)
    by_href: dict[str, Counter[Deviation]] = {}
    for each in told.deviations():
        by_href.setdefault(unquote(each.href), Counter())[_deviation(each)] += 1
    pairs = dict(paired(wanted, found))
    for name, href in pairs.items():
        said = by_href.pop(unquote(href), Counter())
        _judge(made, name, (wanted[name], found[href]), said, failed.pop(name, None))
    for name in wanted.keys() - pairs.keys():
        made.states[name] = State.REFUSED
        made.refusals[name] = why = failed.pop(name, "nothing")
        if why == "nothing" or _CHANGED in why:
            made.unexplained.append(f"{name} is missing, and told was: {why}")
    made.unexplained += [f"{href} was never sent" for href in found.keys() - set(pairs.values())]
    made.unexplained += [f"told and not so: {name}: {text}" for name, text in failed.items()]
    made.unexplained += [f"told of {href}, which is as it was" for href in by_href]
    if len(failures) != len(dict(failures)):
        made.unexplained.append("of one item two failures were told")
    return made


def _judge(
    made: Comparison,
    name: str,
    bodies: tuple[bytes, bytes],
    said: Counter[Deviation],
    failure: str | None,
) -> None:
    """Take one item that is there into the comparison."""
    found = deviations(*bodies)
    losses = tuple(each for each in found if each.rule is None)
    made.rules.update(each.rule for each in found if each.rule)
    if Counter(found) != said:
        made.unexplained.append(f"{name}: differs by {found}, and told was {list(said)}")
    if losses:
        made.states[name] = State.CHANGED
        made.losses[name] = losses
        if failure is None or f"{_CHANGED}: {_inside(losses[0])}" not in failure:
            made.unexplained.append(f"{name} was not kept, and told was: {failure}")
        return
    made.states[name] = State.DEVIATING if found else State.EQUAL
    if failure is not None:
        made.unexplained.append(f"{name} is there, and told was: {failure}")
    if not found and not equal(*bodies, Level.L2):
        made.unexplained.append(f"{name} is not equal at L2")
    elif found and _gist(bodies[0]) != _gist(bodies[1]):
        made.unexplained.append(f"{name} is another one to the icalendar library")


def _inside(loss: Deviation) -> str:
    """Return a loss as a failure's text tells it."""
    return f"in {loss.place.rpartition(' > ')[2]}: {loss}"


def _deviation(event: Deviated) -> Deviation:
    return Deviation(event.rule, event.place, event.before, event.after)


def paired(wanted: Mapping[str, bytes], found: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield which item lies where: by its UID, by its name where several or none have that."""
    by_uid: dict[str, list[str]] = {}
    for name, body in wanted.items():
        by_uid.setdefault(uid(body), []).append(name)
    left = dict.fromkeys(wanted)
    for href, body in found.items():
        candidates = [name for name in by_uid.get(uid(body), ()) if name in left]
        named = [name for name in candidates or left if unquote(name) == unquote(href)]
        for name in named or candidates:
            del left[name]
            yield name, href
            break


def _gist(body: bytes) -> Counter[tuple[str, ...]] | None:
    """Return what another library makes of an item's entries; None where it cannot read it."""
    try:
        parsed = Parsed.from_ical(body)
    except ValueError:
        return None
    return Counter(
        tuple(
            each.get(name).to_ical().decode() if hasattr(each.get(name), "to_ical") else ""
            for name in _GIST
        )
        for each in parsed.walk()
        if each.name in {"VEVENT", "VTODO", "VJOURNAL"}
    )
