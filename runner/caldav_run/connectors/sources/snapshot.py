"""Calendars out of a snapshot repository, as they were at some time."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from caldav_run.connectors.protocol import Baseline, Context
from caldav_run.connectors.selection import Selection
from caldav_run.connectors.storage import storage_from
from caldav_run.errors import ConnectorError, DamageError, UsageError
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
from caldav_run.repository import keys
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import CalendarInfo, ItemInfo, SnapshotInfo
from caldav_run.repository.storage import Storage
from caldav_run.repository.stores import open_store

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
        identities: Files that open it.
        trust: Signers to believe besides those that the identity files name.
    """

    repository: str
    storage: Storage
    account: str | None
    as_of: str
    now: datetime
    identities: Sequence[Path]
    trust: Sequence[str]


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
        """Make a source from checked options."""
        identity, trust = options.get("identity"), options.get("trust")
        account = options.get("account")
        identities = context.identities or (keys.default_folder() / keys.IDENTITY,)
        if isinstance(identity, Mapping):
            identities = (Path(str(identity["file"])),)
        own_trust = map(str, trust) if isinstance(trust, list | tuple) else ()
        wanted = Wanted(
            repository=str(options["repository"]),
            storage=storage_from(options),
            account=None if account is None else str(account),
            as_of=str(options.get("as_of", "latest")),
            now=context.now.astimezone(context.timezone),
            identities=identities,
            trust=(*context.trust, *own_trust),
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
        for info in reader.calendars(snapshot):
            if info.excluded or not self._selection.selects(info.calendar):
                yield CalendarExcluded(info.calendar)
            else:
                yield CalendarStart(info.calendar)
                yield from _members(reader, snapshot, info, baseline)
        if reader.problems:
            raise DamageError(
                f"the repository {wanted.repository} is not whole: {reader.problems[0]}",
                mend="what could be read of the snapshot was given all the same",
            )

    def close(self) -> None:
        """Do nothing: a reading holds nothing open."""

    def _reader(self) -> Reader:
        keyring = keys.load_keyring(self._wanted.identities, self._wanted.trust)
        return Reader(open_store(self._wanted.repository, self._wanted.storage), keyring)


def _members(
    reader: Reader, snapshot: SnapshotInfo, info: CalendarInfo, baseline: Baseline
) -> Iterator[Reading]:
    needed: list[ItemInfo] = []
    for item in reader.items(snapshot, info.calendar.id):
        if item.sha256 and baseline.etag(item.calendar, item.href) == _etag(item.sha256):
            yield Unchanged(item.calendar, item.href)
        else:
            needed.append(item)
    for found in reader.bodies(needed):
        yield found if isinstance(found, Failed) else Changed(_with_etag(found))
    if info.unread:
        reason = f"the backup could not read it: {info.reason}"
        yield Failed(info.calendar.id, None, reason)
    else:
        yield CalendarDone(info.calendar.id)


def _etag(sha256: str) -> str:
    return f'"{sha256}"'


def _with_etag(item: Item) -> Item:
    return Item(
        item.calendar, item.href, _etag(item.sha256), item.body, item.provenance, item.stale_since
    )
