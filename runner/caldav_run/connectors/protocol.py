"""What a connector promises; `caldav_run.testing` holds the suites that prove the promises."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from caldav_run.connectors.mirroring import Mirror
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Change, Entry, Mark, Reading
from caldav_run.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a connector may know of the run around it.

    Attributes:
        name: The connector's name in the pipeline.
        pipeline: The pipeline's name.
        timezone: The pipeline's time zone: where dates and floating times lie.
        now: The start of the run, in UTC.
        state_dir: The folder for caches; safe to lose.
        identities: Files that hold age identities, given on the command line or by default.
        passphrase: Opens a repository's bundle where there is no identity file at all.
        trust: Fingerprints of signers to trust, given on the command line.
        adopt_origin: Whether an account's history goes on though it is found elsewhere now.
        file: The pipeline's file, for what a person is told to run.
    """

    name: str
    pipeline: str
    timezone: tzinfo
    now: datetime
    state_dir: Path
    identities: tuple[Path, ...] = ()
    passphrase: Secret | None = None
    trust: tuple[str, ...] = ()
    adopt_origin: bool = False
    file: Path | None = None


class Baseline(Protocol):
    """What every sink of this run holds and may go on trusting.

    To be asked about a calendar after its `CalendarStart` was taken, since other properties may
    shake the trust; before that an answer is a guess.
    """

    def etag(self, calendar: str, href: str) -> str | None:
        """Return the etag whose bytes need not be read again, or None."""

    def knows(self, calendar: str) -> bool:
        """Return whether anything of the calendar is held that need not be read again."""

    def mark(self, calendar: str) -> Mark | None:
        """Return how far every sink has the calendar; None when its members have to be named."""

    def doubtful(self, calendar: str) -> Collection[str]:
        """Return what is held and has to be read again though it did not change, by href.

        Items that could not be read, and those that a filter may judge otherwise by now.
        """

    def hrefs(self, calendar: str) -> Collection[str]:
        """Return the names of all that is held of the calendar."""


class Source(Protocol):
    """Where calendars come from.

    The constructor checks options and touches nothing; `origin` and `read` connect.
    """

    account: str
    selection: str
    """The resolved choice of calendars, as `Selection.text`: a part of the ledger's fingerprint."""

    as_of: datetime | None
    """Of when (in UTC) the last reading was; None for a source that shows the present."""

    def origin(self) -> str:
        """Return what this account is, so that another one is not taken for it.

        A principal's URL and user, a folder's path, a repository's id and account.

        Raises:
            ConnectorError: The account cannot be reached or refuses the credentials.
        """

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield every calendar and its members, streaming.

        What cannot be read is a `Failed` reading, and the rest goes on.

        Raises:
            ConnectorError: The account as a whole cannot be read (on).
        """

    def close(self) -> None:
        """Let go of connections; safe to call twice."""


class Judgement(NamedTuple):
    """A filter's answer.

    Attributes:
        keep: Whether the item stays.
        valid_until: When the answer can change though the item does not; None for never.
        problem: Why the filter could not tell; the item is then kept.
    """

    keep: bool
    valid_until: datetime | None = None
    problem: str | None = None


class Filter(Protocol):
    """Decides which items stay."""

    @property
    def fingerprint(self) -> str:
        """The filter's type, version and resolved options: another text may judge otherwise."""

    def judge(self, view: ItemView, now: datetime) -> Judgement:
        """Judge one item; never raises for what an item holds."""


class Ledger(Protocol):
    """What a sink holds of one account since its last commit."""

    fingerprint: str | None
    """What selection and filters made it; None when nothing is held."""

    def calendars(self) -> Mapping[str, Calendar]:
        """Return the calendars held, by id, with the properties held; no excluded ones."""

    def unread_calendars(self) -> Collection[str]:
        """Return the ids of calendars that could not be read as a whole since."""

    def entries(self, calendar: str) -> Mapping[str, Entry]:
        """Return the items held of one calendar, by href, the excluded ones too."""

    def entry(self, calendar: str, href: str) -> Entry | None:
        """Return one of these items, without a look at the others."""

    def count(self, calendar: str) -> int:
        """Return how many these are."""

    def unsettled(self, calendar: str) -> Mapping[str, Entry]:
        """Return those of them that are unread or have a `valid_until`."""

    def mark(self, calendar: str) -> Mark | None:
        """Return how far a calendar was read; None when that is not known (any more)."""


class Committed(NamedTuple):
    """What a commit left behind.

    Attributes:
        snapshot: The new snapshot's id; None when nothing had changed.
        objects: How many objects were stored.
        size: Their stored size in bytes.
    """

    snapshot: str | None
    objects: int = 0
    size: int = 0


class AccountArchive(Protocol):
    """One account's history, open for appending."""

    ledger: Ledger

    known: bool
    """Whether the account has snapshots, by this machine or another, readable or not. The ledger
    does not tell where a history starts afresh."""

    last_items: int | None
    """How many items, before filters, the last snapshot has; None when not known."""

    def append(self, change: Change) -> None:
        """Take one change; an item's bytes are let go of as soon as a pack is full."""

    def commit(
        self,
        fingerprint: str,
        marks: Mapping[str, Mark | None] = ...,
        *,
        guarded: bool,
        complete: bool = True,
    ) -> Committed:
        """Make everything appended durable and visible as one snapshot, or nothing of it.

        With nothing appended and the fingerprint unchanged no snapshot is made. An account that
        was not read to its end (`complete`) is not recorded as read.

        Args:
            fingerprint: What selection and filters made it.
            marks: How far calendars were read, to be remembered beside the snapshot and never
                without it; None for one that is not known any more. Safe to lose.
            guarded: Whether a guard tripped.
            complete: Whether the account was read to its end.

        Raises:
            ConnectorError: The store refused; the history is as before.
        """

    def abandon(self) -> None:
        """Forget what was appended; safe after `commit`."""


@runtime_checkable
class Archive(Protocol):
    """A sink that only ever appends: a snapshot repository."""

    def open_account(self, account: str, origin: str) -> AccountArchive:
        """Open one account's history.

        Raises:
            SetupError: No repository is there, or the account is known from another origin.
        """

    def close(self, results: Mapping[str, str]) -> None:
        """Record the run as done and let go of the store.

        Args:
            results: How each account went: `ok`, `partial`, `guarded`, `skipped`, or `failed: `
                and why; empty for a run that was only planned, which is not recorded.
        """


Sink = Archive | Mirror
