"""Expiry: tombstones first, and deletions at a later call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from caldav_run.errors import CaldavRunError, ConnectorError
from caldav_run.repository import tombstone
from caldav_run.repository.check.data import check_data
from caldav_run.repository.check.findings import Finding
from caldav_run.repository.keys import Writer
from caldav_run.repository.names import GenerationName
from caldav_run.repository.retention import Keep, Stage, Verdict, decide, ripe
from caldav_run.repository.stock import Stock, at_a_glance, examine, take_stock
from caldav_run.repository.store import Store, Stored
from caldav_run.repository.survey import Listed
from caldav_run.repository.tombstone import Reason, Tombstone


class Deed(NamedTuple):
    """What was done to a generation, or why it could not be done."""

    verdict: Verdict
    problem: CaldavRunError | None


@dataclass(frozen=True, slots=True)
class Expiry:
    """What has expired of a writer's generations, at one look at the repository.

    Attributes:
        stock: What the listing showed.
        verdicts: What becomes of each generation.
        problems: Tombstones that are ignored.
    """

    store: Store
    writer: Writer
    clock: Callable[[], datetime]
    stock: Stock
    verdicts: list[Verdict]
    problems: list[CaldavRunError]

    def confirmed(self) -> "Expiry":
        """Read everything that has to be whole before a generation goes; keep it where it is not.

        Raises:
            ConnectorError: The store cannot be read.
        """
        found: dict[GenerationName, Finding | None] = {}
        verdicts = [self._confirmed(each, found) for each in self.verdicts]
        return replace(self, verdicts=verdicts)

    def carry_out(self) -> Iterator[Deed]:
        """Mark and delete what was decided, which has to be confirmed; may be stopped anywhere.

        Yields:
            What was done, generation by generation; a store that refuses costs that one only.
        """
        for each in self.verdicts:
            act = {Stage.MARK: self._mark, Stage.DELETE: self._delete}.get(each.stage)
            if act is None:
                continue
            try:
                act(each)
            except ConnectorError as error:
                yield Deed(each, error)
            else:
                yield Deed(each, None)

    def _confirmed(self, verdict: Verdict, found: dict[GenerationName, Finding | None]) -> Verdict:
        if verdict.stage not in {Stage.MARK, Stage.DELETE}:
            return verdict
        for name in verdict.successors:
            if name not in found:
                found[name] = next(check_data(self.store, _objects(self.stock.listed(name))), None)
            if finding := found[name]:
                why = f"its successor is damaged: {finding.name}: {finding.what}"
                return replace(verdict, stage=Stage.BLOCKED, why=why)
        return verdict

    def _mark(self, verdict: Verdict) -> None:
        stone = Tombstone(
            repository=self.stock.repository,
            generation=verdict.generation.name,
            time=self.clock().replace(microsecond=0),
            reason=Reason.EXPIRED,
            successor=next((each.name for each in verdict.successors), None),
        )
        self.store.put(*tombstone.build(stone, self.writer.signer))

    def _delete(self, verdict: Verdict) -> None:
        for name in deletion_order(self.stock.listed(verdict.generation.name)):
            self.store.delete(name)


def look_for_expired(
    store: Store, writer: Writer, keep: Keep, clock: Callable[[], datetime]
) -> Expiry:
    """Decide what becomes of a writer's generations; nothing is written.

    Raises:
        ConnectorError: The store cannot be read.
        SetupError: There is no repository of this version.
    """
    stock = take_stock(store, writer, clock())
    verdicts: list[Verdict] = []
    problems: list[CaldavRunError] = []
    for stream in stock.streams:
        generations, wrong = examine(store, writer, stream, stock.repository)
        verdicts += decide(generations, keep, stock.now)
        problems += wrong
    return Expiry(store, writer, clock, stock, verdicts, problems)


def anything_ripe(store: Store, writer: Writer, keep: Keep, clock: Callable[[], datetime]) -> bool:
    """Return whether anything may have expired, by one listing.

    Raises:
        ConnectorError: The store cannot be read.
        SetupError: There is no repository of this version.
    """
    stock = take_stock(store, writer, clock())
    return any(
        # A tombstone, whoever's, is worth a closer look.
        any(each.tombstones for each in stream)
        or ripe([at_a_glance(each) for each in stream], keep, stock.now)
        for stream in stock.streams
    )


def deletion_order(listed: Listed) -> list[str]:
    """Return a generation's objects so that whatever is left of it at any time is understood.

    Snapshots go from the newest to the base, so that none misses what it needs; then packs, and
    the tombstones last, since they say why the rest is missing.
    """
    newest_first = sorted(listed.segments.values(), key=lambda each: each.number, reverse=True)
    segments = [each.name for each in newest_first]
    packs = sorted(listed.sizes.keys() - set(segments))
    return [*segments, *packs, *(each.name for each in listed.tombstones)]


def _objects(listed: Listed) -> list[Stored]:
    return [Stored(name, size, listed.modified[name]) for name, size in listed.sizes.items()]
