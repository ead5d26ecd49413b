"""The writing side of a repository: a run opens accounts, and is recorded at its end."""

import hashlib
import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from caldav_run.errors import SetupError
from caldav_run.repository import age, names, runs
from caldav_run.repository.account import AccountWriter, Place, Writing
from caldav_run.repository.cache import Cache
from caldav_run.repository.keys import Writer
from caldav_run.repository.resume import Rules, Standing, resume
from caldav_run.repository.runs import AccountResult, RunRecord
from caldav_run.repository.store import Store

_log = logging.getLogger(__name__)

FULL_EVERY: Final = timedelta(days=90)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a pipeline wants its repository written.

    Attributes:
        pipeline: The pipeline's name, for the run record.
        state_dir: The folder for caches.
        full_every: The age at which a new generation begins, give or take a tenth.
        adopt_origin: Whether a known account may come from another origin from now on.
        clock: Tells the time in UTC.
    """

    pipeline: str
    state_dir: Path
    full_every: timedelta = FULL_EVERY
    adopt_origin: bool = False
    clock: Callable[[], datetime] = utc_now


class RepositoryWriter:
    """One run's writing into a repository; nothing is touched before an account is opened."""

    def __init__(
        self, store: Store, writer: Writer, recipients: Sequence[str], settings: Settings
    ) -> None:
        """Take where to write, as whom, and for whose eyes (checked recipients)."""
        self._settings = settings
        self._writing = Writing(
            store=store,
            writer=writer,
            recipients=tuple(recipients),
            run=secrets.token_hex(6),
            state_dir=settings.state_dir,
            clock=settings.clock,
        )
        self._accounts: dict[str, AccountWriter] = {}
        self._repository: str | None = None

    def open_account(self, account: str, origin: str) -> AccountWriter:
        """Open one account's history.

        Raises:
            ConnectorError: The store cannot be read.
            SetupError: No repository is there, or the account is known from another origin.
            TemporaryError: Another run is writing it.
        """
        stream = names.stream_name(self._writing.writer.name_key, account)
        cache = Cache(self._cache_path(stream))
        try:
            place = self._place(account, origin, stream, cache)
        except BaseException:
            cache.close()
            raise
        opened = AccountWriter(self._writing, place, cache)
        self._accounts[account] = opened
        self._repository = place.repository
        return opened

    def close(self, results: Mapping[str, str]) -> None:
        """Record the run as done, if a repository was reached and there is something to record.

        Args:
            results: How each account went, in words; empty for a run that was only planned.

        Raises:
            ConnectorError: The store refused the record.
        """
        for opened in self._accounts.values():
            opened.abandon()
        if self._repository is None or not results:
            return
        writing = self._writing
        record = RunRecord(
            repository=self._repository,
            run=writing.run,
            writer=writing.writer.name,
            pipeline=self._settings.pipeline,
            time=writing.clock().replace(microsecond=0),
            accounts=tuple(self._result(name, words) for name, words in results.items()),
        )
        recipients = (*writing.recipients, writing.writer.metadata.recipient)
        stored = runs.build(record, writing.writer.signer, recipients)
        writing.store.put(runs.record_name(record, stored), stored)
        self._repository = None

    def _place(self, account: str, origin: str, stream: str, cache: Cache) -> Place:
        writing = self._writing
        digest = age.digest_of(writing.recipients)
        now = writing.clock().replace(microsecond=0)
        rules = Rules(now=now, full_every=self._settings.full_every, recipients=digest)
        standing = resume(writing.store, stream, writing.writer, cache, rules)
        self._check_origin(account, origin, standing)
        _report(account, standing)
        begun = max(now, standing.not_before)
        return Place(
            repository=standing.repository,
            account=account,
            origin=origin,
            recipients=digest,
            generation=standing.listed.name
            if standing.listed
            else names.new_generation(stream, writing.writer.name, begun),
            head=cache.head,
            past=standing.past,
            begins=standing.listed is None,
        )

    def _check_origin(self, account: str, origin: str, standing: Standing) -> None:
        known = standing.past.origin if standing.past else None
        location = self._writing.store.location
        if known is not None and known != origin and not self._settings.adopt_origin:
            raise SetupError(
                f"the account {account!r} in {location} was made from {known}, and this is "
                f"{origin}",
                mend="set `account:` to another name, or pass --adopt-origin if it has moved",
            )
        if standing.past is not None and known is None:
            _log.warning(
                "account %s: nothing that this machine can read in %s tells where its snapshots "
                "came from; from now on they come from %s",
                account,
                location,
                origin,
            )

    def _cache_path(self, stream: str) -> Path:
        # Another place or another key is another history.
        place = f"{self._writing.store.location}\n{self._writing.writer.name}\n{stream}"
        digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:32]
        return self._settings.state_dir / "repository" / f"{digest}.sqlite"

    def _result(self, account: str, words: str) -> AccountResult:
        opened = self._accounts.get(account)
        head = opened.head if opened else None
        return AccountResult(
            account=account,
            result=words,
            read=opened is not None and opened.read,
            head=head.id if head else None,
        )


def _report(account: str, standing: Standing) -> None:
    if standing.alarming:
        _log.warning("account %s: a new full backup begins: %s", account, standing.reason)
    elif standing.reason:
        _log.info("account %s: a new full backup begins: %s", account, standing.reason)
