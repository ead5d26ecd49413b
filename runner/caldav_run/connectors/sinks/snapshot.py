"""Snapshots into an encrypted repository."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from caldav_run.connectors.protocol import Committed, Context, Ledger
from caldav_run.connectors.storage import storage_from
from caldav_run.model import Change, Mark, Options
from caldav_run.repository import age, bundles, keys
from caldav_run.repository.account import AccountWriter
from caldav_run.repository.archive import FULL_EVERY, RepositoryWriter, Settings
from caldav_run.repository.create import Created, create, repository_id
from caldav_run.repository.expire import Expiry, look_for_expired
from caldav_run.repository.retention import Keep
from caldav_run.repository.sheet import Sheet
from caldav_run.repository.store import Store
from caldav_run.repository.stores import open_store
from caldav_run.repository.upkeep import after_run

if TYPE_CHECKING:
    from caldav_run.repository.keys import Keyring
    from caldav_run.repository.rewrite import Rewrite

_EVERYTHING: Final = Keep()
_NO_MARKS: Final[Mapping[str, Mark | None]] = {}
_GOOD: Final = frozenset({"ok", "partial"})
_UNITS: Final = {"d": 1, "w": 7, "m": 30, "y": 365}


class SnapshotSink:
    """Appends to a repository; see `schemas/sinks/snapshot.schema.json` for the options."""

    def __init__(
        self,
        store: Store,
        recipients: Sequence[str | Path],
        signer: Path,
        settings: Settings,
        keep: Keep = _EVERYTHING,
        endpoint: str | None = None,
    ) -> None:
        """Take the options, without touching anything.

        Args:
            store: Where the repository is.
            recipients: age recipients, or files of them; empty for the default file.
            signer: The file of the writer key.
            settings: How to write.
            keep: How long history is kept.
            endpoint: The URL of the service, for the recovery sheet.
        """
        self._store = store
        self._endpoint = endpoint
        self._recipients = recipients
        self._signer = signer
        self._settings = settings
        self._keep = keep
        self._writer: RepositoryWriter | None = None
        self._opened: dict[str, AccountWriter] = {}

    @classmethod
    def from_options(cls, options: Options, context: Context) -> Self:
        """Make a sink from checked options."""
        given = options.get("recipients")
        full_every = options.get("full_every")
        settings = Settings(
            pipeline=context.pipeline,
            state_dir=context.state_dir,
            full_every=_duration(str(full_every)) if full_every else FULL_EVERY,
            adopt_origin=context.adopt_origin,
        )
        storage = storage_from(options)
        return cls(
            open_store(str(options["repository"]), storage),
            [_recipient(each) for each in given] if isinstance(given, list | tuple) else [],
            _file(options.get("signer")) or keys.default_folder() / keys.WRITER,
            settings,
            _keep(options.get("keep")),
            storage.endpoint,
        )

    def missing_keys(self) -> Path | None:
        """Return the default folder where it has to get keys before `create`, else None."""
        folder = keys.default_folder()
        needed = [self._signer, *(() if self._recipients else (folder / keys.RECIPIENTS,))]
        missing = [each for each in needed if each.parent == folder and not each.exists()]
        return folder if missing else None

    def create(self, now: datetime) -> Created:
        """Make the repository in an empty place.

        Raises:
            SetupError: A key is missing, or the place is not empty.
        """
        writer = keys.load_writer(self._signer)
        created = create(self._store, self.readers(), writer, now)
        return replace(created, sheet=replace(created.sheet, endpoint=self._endpoint))

    def sheet(self, now: datetime) -> Sheet:
        """Return what the recovery sheet of the repository says, as it is today.

        Raises:
            SetupError: A key or the repository is missing.
        """
        return Sheet(
            location=self._store.location,
            endpoint=self._endpoint,
            id=repository_id(self._store),
            signers=(keys.load_writer(self._signer).signer.fingerprint,),
            recipients=self.readers(),
            bundles=bool(bundles.listed(self._store)),
            day=now.date(),
        )

    def readers(self) -> list[str]:
        """Return the recipients that can open what is written.

        Raises:
            SetupError: One of them is none, or their file is missing.
        """
        found: list[str] = []
        for each in self._recipients:
            if isinstance(each, Path):
                found += keys.load_recipients(each)
            else:
                found.append(age.check_recipient(each, "recipients"))
        return found or list(keys.load_recipients(keys.default_folder() / keys.RECIPIENTS))

    def open_account(self, account: str, origin: str) -> "SnapshotAccount":
        """Open one account's history; see `Archive.open_account`.

        Raises:
            SetupError: A key or the repository is missing, or the account has another origin.
        """
        if self._writer is None:
            writer = keys.load_writer(self._signer)
            self._writer = RepositoryWriter(self._store, writer, self.readers(), self._settings)
        opened = self._writer.open_account(account, origin)
        self._opened[account] = opened
        return SnapshotAccount(opened)

    def head(self, account: str) -> str | None:
        """Return the id of the newest snapshot of an account that was opened."""
        opened = self._opened.get(account)
        return opened.head.id if opened is not None and opened.head is not None else None

    def close(self, results: Mapping[str, str]) -> None:
        """Record the run as done, and after a good one tend what has expired."""
        if self._writer is None:
            return
        self._writer.close(results)
        if results and all(self._went_well(account, words) for account, words in results.items()):
            writer = keys.load_writer(self._signer)
            after_run(self._store, writer, self._keep, self._settings.clock)

    def look_for_expired(self, clock: Callable[[], datetime]) -> Expiry:
        """Decide what has expired; nothing is written.

        Args:
            clock: Tells the time in UTC.

        Raises:
            ConnectorError: The store cannot be read.
            SetupError: The writer key or the repository is missing.
        """
        writer = keys.load_writer(self._signer)
        return look_for_expired(self._store, writer, self._keep, clock)

    def rewrite(self, keyring: "Keyring", clock: Callable[[], datetime]) -> "Rewrite":
        """Return what rewrites the history, for the present recipients.

        Args:
            keyring: Opens what is there.
            clock: Tells the time in UTC.

        Raises:
            SetupError: The writer key or the recipients are missing.
        """
        # Much to import for what no run does.
        from caldav_run.repository.rewrite import Rewrite

        return Rewrite(
            store=self._store,
            keyring=keyring,
            writer=keys.load_writer(self._signer),
            recipients=tuple(self.readers()),
            clock=clock,
        )

    def _went_well(self, account: str, words: str) -> bool:
        opened = self._opened.get(account)
        return words in _GOOD and opened is not None and opened.committed


class SnapshotAccount:
    """One account's history in a repository; see `AccountArchive`."""

    ledger: Ledger
    known: bool
    last_items: int | None

    def __init__(self, account: AccountWriter) -> None:
        """Take the open account."""
        self.ledger = account.ledger
        self.known = account.known
        self.last_items = account.last_items
        self._account = account

    def append(self, change: Change) -> None:
        """Take one change."""
        self._account.append(change)

    def commit(
        self,
        fingerprint: str,
        marks: Mapping[str, Mark | None] = _NO_MARKS,
        *,
        guarded: bool,
        complete: bool = True,
    ) -> Committed:
        """Make everything appended one snapshot, or nothing of it."""
        outcome = self._account.commit(fingerprint, marks, guarded=guarded, complete=complete)
        return Committed(outcome.snapshot, outcome.objects, outcome.size)

    def abandon(self) -> None:
        """Forget what was appended."""
        self._account.abandon()


def _recipient(value: object) -> str | Path:
    return _file(value) or str(value)


def _file(value: object) -> Path | None:
    return Path(str(value["file"])) if isinstance(value, Mapping) else None


def _duration(text: str) -> timedelta:
    return timedelta(days=int(text[:-1]) * _UNITS[text[-1]])


def _keep(value: object) -> Keep:
    if not isinstance(value, Mapping):
        return Keep()
    given = {key: value[key] for key in ("min_generations", "auto") if key in value}
    return Keep(within=_duration(str(value["within"])), **given)
