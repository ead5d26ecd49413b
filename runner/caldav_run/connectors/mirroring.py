"""What a sink with a present state (a server, a folder) promises, and what it is told to do."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from caldav_run.errors import ItemError
from caldav_run.model import Calendar, Version


class Target(NamedTuple):
    """The destination calendar that a source calendar goes to.

    Attributes:
        calendar: The destination calendar: as it is, or as it would be created.
        exists: Whether it is there already.
        mapped: Whether the pipeline's `rename` chose it, so that calendars may meet in it.
        otherwise: The names of properties that it has with other values than at the source.
    """

    calendar: Calendar
    exists: bool
    mapped: bool = False
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """How much may be deleted in one run; more than that, and nothing is.

    Attributes:
        max: The most items.
        max_ratio: The largest share (0 to 1) of the items that are there.
        calendars: Whether whole calendars may go that the source does not have.
    """

    max: int = 25
    max_ratio: float = 0.1
    calendars: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorOptions:
    """How a destination is to be written.

    Attributes:
        mode: merge, or exact, which deletes what the source does not have.
        on_conflict: newest, keep_source, keep_destination or fail; identical for an export.
        delete: How much `exact` may delete.
        verify: full, sample or none: how much is read back after writing.
        safety_snapshot: Where the destination is saved before the first destructive write: a
            snapshot sink's name, local or off; None for the pipeline's own choice.
        rejected: The folder for what the destination refused.
    """

    mode: str = "merge"
    on_conflict: str = "newest"
    delete: Deletions = field(default_factory=Deletions)
    verify: str = "full"
    safety_snapshot: str | None = None
    rejected: Path | None = None


def _unknown(_managed_id: str) -> None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """One thing that a mirror shall do with one item.

    Attributes:
        wanted: What to have there; None deletes what `replaces` names.
        replaces: What the plan saw there; None for a new item.
        body: Gives the bytes; not called for a deletion.
        file: Gives what a managed attachment of it holds, by its MANAGED-ID; None where that is not
            known.
        gives_back: Whether `wanted` was there before, and is to be as it was wherever that can be.
    """

    wanted: Version | None
    replaces: Version | None
    body: Callable[[], bytes]
    file: Callable[[str], bytes | None] = _unknown
    gives_back: bool = False

    @property
    def label(self) -> str:
        """What to call the item in front of a person."""
        named = self.wanted or self.replaces
        return named.label if named else ""


class Outcome(NamedTuple):
    """What became of an order.

    Attributes:
        order: The order.
        href: Where the item lies now; of one that moved, which name was tried, where the order does
            not say so. None when it was not written, or deleted.
        etag: The etag it has there; None when not known.
        error: Why it was not done, in the destination's own words.
        moved: Whether the destination is no more as the plan saw it: to be decided anew.
        notes: Deviations and steps that a person should know of.
    """

    order: Order
    href: str | None = None
    etag: str | None = None
    error: ItemError | None = None
    moved: bool = False
    notes: tuple[str, ...] = ()

    @property
    def sought(self) -> str:
        """The name under which to look for what is in the order's way."""
        named = self.order.replaces or self.order.wanted
        return self.href or (named.href if named else "")


class Clash(str):
    """An objection that holds only as long as another item with the UID is there."""

    __slots__ = ()


class Held(NamedTuple):
    """What a second look found.

    Attributes:
        href: The item's name in its calendar.
        version: What is there; None when nothing is (any more), or it cannot be read.
        body: Its bytes.
        error: Why it cannot be read.
    """

    href: str
    version: Version | None
    body: bytes | None
    error: ItemError | None = None


class Mirror(Protocol):
    """A sink with a present state: a server, a folder."""

    options: MirrorOptions

    def origin(self) -> str:
        """Return what this destination is; connects."""

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        """Return where a calendar of the named source goes; changes nothing.

        Args:
            source: The source's name.
            calendar: One of its calendars.
            siblings: All of its calendars that come here: what belongs to one of them by its id
                is no other's because of its name.

        Raises:
            CalendarError: The destination cannot take this calendar.
        """

    def create(self, target: Target) -> Sequence[str]:
        """Create the calendar with its properties, read them back, and return what was not kept.

        Raises:
            CalendarError: The destination refused, with its words.
        """

    def present(self, target: Target) -> Sequence[Version]:
        """Return what the existing calendar holds.

        Raises:
            CalendarError: It could not be read without any failure.
        """

    def objection(
        self, target: Target, wanted: Version | None, replaces: Version | None, size: int
    ) -> str | None:
        """Return why an item will not be written or deleted, in words; touches nothing.

        What only another item with its UID stands against is a `Clash`.

        Args:
            target: Its calendar; `present` was asked before where it exists.
            wanted: What to have there; None for a deletion.
            replaces: What is there; None for a new item.
            size: How many bytes are wanted.
        """

    def mailed(self, wanted: Version | None, replaces: Version | None) -> Collection[str]:
        """Return the addresses of people whom the destination may mail, once for each.

        Args:
            wanted: What to have there; None for a deletion.
            replaces: What is there; None for a new item.
        """

    def meant(self, order: Order) -> bytes:
        """Return the bytes that an order has to bring: its own, unless the options change them.

        Args:
            order: An order with a wanted item.
        """

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Do the orders, in any order and over as many connections as help.

        Yields:
            What became of each order, exactly once; what is told as written is durable there.

        Raises:
            CalendarError: Nothing more can be done in this calendar.
            ConnectorError: Nothing more can be done at all.
        """

    def reread(self, target: Target, hrefs: Collection[str]) -> Iterator[Held]:
        """Yield what lies under these names now, each name once.

        Raises:
            ConnectorError: The destination cannot be read any more.
        """

    def calendars(self) -> Sequence[Calendar]:
        """Return all calendars that are there; connects."""

    def owns(self, calendar: Calendar) -> bool:
        """Return whether a calendar that is there is the user's own, as far as is told."""

    def remove(self, calendar: Calendar) -> None:
        """Delete a whole calendar; nobody is mailed.

        Raises:
            CalendarError: The destination refused, with its words; the calendar is still there.
        """

    def available(self) -> str | None:
        """Return when the user is available (RFC 7953), empty for nothing said; connects.

        Returns:
            None where the destination keeps no such thing.

        Raises:
            CalendarError: The destination does not tell, with its words.
        """

    def say_available(self, text: str, over: str) -> str:
        """Say when the user is available, and return what the destination says then.

        Args:
            text: What to say; empty to say nothing any more.
            over: What `available` gave; another one is not overwritten.

        Raises:
            CalendarError: The destination refuses, with its words.
            ItemError: What it has could not be saved.
        """

    def finish(self, target: Target) -> None:
        """Complete one calendar after its last item, for what a folder keeps beside the items."""

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
