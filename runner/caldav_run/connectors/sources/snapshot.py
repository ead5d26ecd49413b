"""Calendars out of a snapshot repository, as they were at some time."""

import logging
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from caldav_run import shelf
from caldav_run.connectors.protocol import Baseline, Context
from caldav_run.connectors.selection import Selection
from caldav_run.connectors.storage import storage_from
from caldav_run.errors import ConnectorError, DamageError, SetupError, UsageError
from caldav_run.model import (
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    Changed,
    Failed,
    Item,
    Options,
    Reading,
    Unchanged,
)
from caldav_run.repository.keys import Keyring
from caldav_run.repository.opening import Means, open_keyring
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import CalendarInfo, ItemInfo, SnapshotInfo
from caldav_run.repository.storage import Storage
from caldav_run.repository.store import Store
from caldav_run.repository.stores import open_store
from caldav_run.secret import Secret

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which snapshot is read, and with what.

    Attributes:
        repository: Where the repository is.
        storage: How it is reached.
        account: Whose snapshot; None for the only account.
        as_of: See `caldav_run.repository.references.resolve`.
        now: The start of the run, in the zone where days end.
        means: What opens it.
    """

    repository: str
    storage: Storage
    account: str | None
    as_of: str
    now: datetime
    means: Means


class SnapshotSource:
    """Reads one snapshot; see `schemas/sources/snapshot.schema.json` for the options."""

    as_of: datetime | None = None

    def __init__(self, wanted: Wanted, name: str, selection: Selection) -> None:
        """Take the options, without touching anything."""
        self.account = wanted.account or name
        self.selection = selection.text
        self._wanted = wanted
        self._selection = selection

    @classmethod
    def from_options(cls, options: Options, context: Context) -> Self:
        """Make a source from checked options.

        Raises:
            SetupError: Both an identity and a passphrase are given.
        """
        account = options.get("account")
        wanted = Wanted(
            repository=str(options["repository"]),
            storage=storage_from(options),
            account=None if account is None else str(account),
            as_of=str(options.get("as_of", "latest")),
            now=context.now.astimezone(context.timezone),
            means=_means(options, context),
        )
        return cls(wanted, context.name, Selection.from_option(options.get("calendars")))

    def origin(self) -> str:
        """Return the repository's id and the account.

        Raises:
            SetupError: There is no repository, or nothing that opens it.
        """
        return f"snapshot:{self._reader().repository}:{self.account}"

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield the snapshot's calendars and items.

        The etag of an item is its hash. What could never be read, or whose pack is damaged, is a
        `Failed` reading; a calendar that was not read as a whole is not called done.

        Raises:
            ConnectorError: There is no such account or snapshot.
            DamageError: A segment that the snapshot needs is missing or damaged; or, after
                everything was given, something else in the repository is.
            SetupError: There is no repository, or nothing that opens it.
        """
        reader, wanted = self._reader(), self._wanted
        try:
            snapshot = reader.resolve(wanted.as_of, wanted.account, wanted.now)
        except UsageError as error:
            raise ConnectorError(f"{wanted.repository}: {error}") from error
        self.as_of = snapshot.time
        for problem in reader.problems[1:]:
            _log.warning("%s", problem)
        calendars = reader.calendars(snapshot)
        chosen = {each.calendar.id for each in calendars if self._wants(each)}
        for info in calendars:
            if info.calendar.id == shelf.ID:
                # Files go with their items, whatever the choice says of the shelf's own name.
                yield from _given(reader, snapshot, info, baseline, _belonging_to(chosen))
            elif info.calendar.id in chosen:
                yield from _given(reader, snapshot, info, baseline)
            else:
                yield CalendarExcluded(info.calendar)
        # Much memory, which a sink may need now.
        reader.let_go()
        if reader.problems:
            raise DamageError(
                f"the repository {wanted.repository} is not whole: {reader.problems[0]}",
                mend="what could be read of the snapshot was given all the same",
            )

    def _wants(self, info: CalendarInfo) -> bool:
        # What belongs to the account is no calendar that somebody may have left out.
        mine = not shelf.is_calendar(info.calendar.id)
        return not info.excluded and (mine or self._selection.selects(info.calendar))

    def close(self) -> None:
        """Do nothing: a reading holds nothing open."""

    def _reader(self) -> Reader:
        return Reader(self._store, self._keyring)

    @cached_property
    def _store(self) -> Store:
        return open_store(self._wanted.repository, self._wanted.storage)

    @cached_property
    def _keyring(self) -> Keyring:
        # Kept: a passphrase costs seconds of work.
        return open_keyring(self._store, self._wanted.means)


def _means(options: Options, context: Context) -> Means:
    identity, passphrase = options.get("identity"), options.get("passphrase")
    trust = options.get("trust")
    own_trust = map(str, trust) if isinstance(trust, list | tuple) else ()
    means = Means(
        identities=context.identities,
        asked=context.passphrase,
        trust=(*context.trust, *own_trust),
    )
    if isinstance(identity, Mapping) and passphrase is not None:
        raise SetupError(
            f"{context.name}: identity and passphrase both open the repository",
            mend="give one of them",
        )
    if isinstance(identity, Mapping):
        return replace(means, identities=(Path(str(identity["file"])),))
    if isinstance(passphrase, Secret):
        return replace(means, identities=(), passphrase=passphrase)
    return means


def _belonging_to(calendars: Container[str]) -> Callable[[ItemInfo], bool]:
    def belongs(file: ItemInfo) -> bool:
        place = shelf.place(file.href)
        return place is not None and place.calendar in calendars

    return belongs


def _given(
    reader: Reader,
    snapshot: SnapshotInfo,
    info: CalendarInfo,
    baseline: Baseline,
    wanted: Callable[[ItemInfo], bool] | None = None,
) -> Iterator[Reading]:
    yield CalendarStart(info.calendar)
    # Names only: whole, the items of a large calendar would fill the memory.
    needed: dict[str | None, list[str]] = {}
    held = 0
    for item in reader.items(snapshot, info.calendar.id):
        held += 1
        if wanted is not None and not wanted(item):
            continue
        if item.sha256 and baseline.etag(item.calendar, item.href) == _etag(item.sha256):
            yield Unchanged(item.calendar, item.href)
        else:
            needed.setdefault(item.object, []).append(item.href)
    for hrefs in needed.values():
        items = (reader.item(snapshot, info.calendar.id, href) for href in hrefs)
        for found in reader.bodies(filter(None, items)):
            yield found if isinstance(found, Failed) else Changed(_with_etag(found))
    if info.unread:
        reason = f"the backup could not read it: {info.reason}"
        yield Failed(info.calendar.id, None, reason)
    else:
        filtered = reader.filtered(snapshot, info.calendar.id, held)
        yield CalendarDone(info.calendar.id, filtered=filtered)


def _etag(sha256: str) -> str:
    return f'"{sha256}"'


def _with_etag(item: Item) -> Item:
    return Item(
        item.calendar, item.href, _etag(item.sha256), item.body, item.provenance, item.stale_since
    )
