"""Level S of checks: read unchanged items from their source again, and compare."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from caldav_run.connectors.protocol import Source
from caldav_run.ical.canonical import Level as Fidelity
from caldav_run.ical.canonical import equal
from caldav_run.model import Changed, Failed, Item, Mark
from caldav_run.repository.check.findings import Finding, Level, Severity
from caldav_run.repository.snapshots import ItemInfo

Key = tuple[str, str]
"""A calendar's id and an item's href."""

BodyOf = Callable[[ItemInfo], bytes | None]
"""Gives the bytes that are held of an item; None when nothing at hand opens them."""

_MEND: Final = (
    "if check --deep finds no damage, the server changes items without telling: a run after "
    "`full_every`, or in a new repository, reads all of them anew"
)


class SampleBaseline:
    """Claims every etag that is held but those of the sample, so that only these are fetched."""

    def __init__(self, held: Mapping[Key, ItemInfo], sample: Collection[Key]) -> None:
        """Take what is held and what to read again."""
        self._held = held
        self._sample = sample

    def etag(self, calendar: str, href: str) -> str | None:
        """Return the etag whose bytes need not be read again, or None."""
        info = self._held.get((calendar, href))
        return None if info is None or (calendar, href) in self._sample else info.etag

    def knows(self, calendar: str) -> bool:
        """Claim something of every calendar, so that none is fetched as a whole."""
        del calendar
        return True

    def mark(self, calendar: str) -> Mark | None:
        """Have every member named."""
        del calendar
        return None

    def doubtful(self, calendar: str) -> Collection[str]:
        """Return nothing: the sample is asked for as if it had changed."""
        del calendar
        return ()

    def hrefs(self, calendar: str) -> Collection[str]:
        """Return what is held of the calendar."""
        return [href for held_in, href in self._held if held_in == calendar]


class Reread:
    """Compares a sample of an account with what its source gives now.

    Attributes:
        compared: How many items of the sample were compared.
        passed: How many were not: they have changed or gone, or nothing opens what is held.
    """

    def __init__(self, held: Mapping[Key, ItemInfo], sample: Collection[Key], body: BodyOf) -> None:
        """Take what the newest snapshot holds, and which of it to read again."""
        self.compared = 0
        self.passed = len(sample)
        self._held = held
        self._sample = sample
        self._body = body

    def check(self, source: Source) -> Iterator[Finding]:
        """Yield the items that differ though their etags are the held ones, or cannot be read.

        Raises:
            ConnectorError: The source cannot be read.
        """
        for reading in source.read(SampleBaseline(self._held, self._sample)):
            if isinstance(reading, Changed):
                item = reading.item
                if (item.calendar, item.href) in self._sample:
                    yield from self._compare(source.account, item)
            elif isinstance(reading, Failed):
                name = f"{source.account}/{reading.calendar}/{reading.href or ''}"
                what = f"the source does not give it: {reading.reason}"
                yield Finding(Level.SOURCE, Severity.WARNING, name, what)

    def _compare(self, account: str, item: Item) -> Iterator[Finding]:
        held = self._held[item.calendar, item.href]
        if item.etag != held.etag:
            return
        same = item.sha256 == held.sha256
        if not same and item.provenance is not held.provenance:
            body = self._body(held)
            if body is None:
                return
            same = equal(body, item.body, Fidelity.L1)
        self.compared += 1
        self.passed -= 1
        if not same:
            what = f"the source gives other bytes than are held under the same etag, {held.etag}"
            name = f"{account}/{item.calendar}/{item.href}"
            yield Finding(Level.SOURCE, Severity.DAMAGE, name, what, _MEND)
