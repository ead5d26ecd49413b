"""Who signed a generation, for whom it is sealed, and what a removal of its signer has to list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from caldav_run.errors import CaldavRunError, SetupError
from caldav_run.repository import names
from caldav_run.repository.generation import Generation
from caldav_run.repository.keys import Keyring
from caldav_run.repository.survey import Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A generation, as far as keys are concerned.

    Attributes:
        generation: Its name.
        writer: The eight hex digits of its signer.
        account: Whose it is; None like the next two where nothing of it can be used.
        signer: Its signer's fingerprint.
        recipients: What its newest segment is sealed to; see `age.digest_of`.
        first: When it was begun.
        last: The time of its newest segment, believed or not.
        snapshots: How many of its snapshots are believed.
        problem: Why nothing of it can be used.
        vouchers: The ids that vouch for all of them: the newest of each branch, the newest
            cumulative one, and the base, so that a lost object costs no more than it must.
    """

    generation: str
    writer: str
    account: str | None
    signer: str | None
    recipients: str | None
    first: datetime
    last: datetime
    snapshots: int
    problem: CaldavRunError | None = None
    vouchers: tuple[str, ...] = ()


def describe(generation: Generation) -> Holding:
    """Return what a generation says of its keys."""
    name, segments = generation.listed.name, generation.listed.segments
    ids = _vouchers(generation)
    newest = generation.segment(ids[0]).header if ids else None
    return Holding(
        generation=name.name,
        writer=name.writer,
        account=generation.account,
        signer=newest.signer if newest else None,
        recipients=newest.recipients if newest else None,
        first=name.begun,
        last=max(each.time for each in segments.values()),
        snapshots=len(generation.snapshots),
        problem=None if ids else next(iter(generation.problems.values())),
        vouchers=ids,
    )


def closed(listed: Listed) -> Holding:
    """Return what shows of a generation without a key."""
    return Holding(
        generation=listed.name.name,
        writer=listed.name.writer,
        account=None,
        signer=None,
        recipients=None,
        first=listed.name.begun,
        last=max(each.time for each in listed.segments.values()),
        snapshots=len(listed.segments),
    )


def heads_of(generations: Iterable[Generation], writer: str) -> dict[str, datetime]:
    """Return the times of a writer's snapshots, by their ids."""
    own = (each for each in generations if each.listed.name.writer == writer)
    return {entry.id: entry.time for each in own for entry in each.snapshots.values()}


def vouchers(held: Iterable[Holding], signer: str, keyring: Keyring) -> list[str]:
    """Return what vouches for all that is believed of a signer, for its removal.

    Raises:
        SetupError: It is not trusted, or something that it may have signed cannot be opened.
    """
    if signer not in keyring.trusted:
        removed = signer in keyring.removed
        raise SetupError(
            f"{signer} is {'removed already' if removed else 'not trusted'}",
            mend="for another repository, add its last segments to the `until` line by hand"
            if removed
            else "`caldav-run key list` shows the signers that are",
        )
    mine = [each for each in held if each.writer == names.writer_of(signer)]
    for each in mine:
        # What is damaged is lost in any case; what another identity opens would be lost by this.
        if isinstance(each.problem, SetupError):
            raise each.problem
    return [voucher for each in mine for voucher in each.vouchers]


def _vouchers(generation: Generation) -> tuple[str, ...]:
    believed: set[str | None] = set()
    found: list[str] = []
    oldest = 0
    segments = generation.listed.segments.values()
    for name in sorted(segments, key=lambda each: each.number, reverse=True):
        # What is older than a cumulative one is in its log, or of a branch that is not read.
        if name.sha256 not in generation.snapshots or name.number < oldest:
            continue
        opened = generation.segment(name.sha256)
        if name.sha256 not in believed or opened.cumulative or name.number == 0:
            found.append(name.sha256)
        believed.add(opened.header.parent)
        if opened.cumulative:
            oldest = name.number
            believed |= {each.id for each in opened.header.log}
            found.append(opened.header.log[0].id)
    return tuple(found)
