"""Level 3: everything is opened, verified and compared with everything else; needs an identity."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from caldav_run.errors import CaldavRunError, DamageError, SetupError
from caldav_run.repository import envelope, names, runs, segment
from caldav_run.repository.check.bodies import check_pack
from caldav_run.repository.check.expected import check_expected, check_unnamed, objects_of
from caldav_run.repository.check.findings import Finding, Level, Severity, damage_of
from caldav_run.repository.check.inventory import Listed
from caldav_run.repository.check.records import Era, Heads, check_records
from caldav_run.repository.check.replay import Replay
from caldav_run.repository.create import repository_id
from caldav_run.repository.generation import Generation
from caldav_run.repository.keys import Keyring
from caldav_run.repository.names import GenerationName, RunName, SegmentName
from caldav_run.repository.reader import Reader
from caldav_run.repository.runs import RunRecord
from caldav_run.repository.segment import Segment
from caldav_run.repository.store import Store
from caldav_run.repository.survey import Listed as Survey
from caldav_run.repository.survey import survey
from caldav_run.repository.tombstone import Grave, grave_of


def check_deep(store: Store, keyring: Keyring, objects: Sequence[Listed]) -> Iterator[Finding]:
    """Open every object of every generation, and every run record.

    A generation's rows are gone through one by one, and its packs one at a time: what is kept of
    it is the name and hash of each body.

    Args:
        store: Where the objects lie.
        keyring: What opens them, and who is believed.
        objects: All of them.

    Raises:
        ConnectorError: The store cannot be read.
        SetupError: There is no repository.
    """
    opened = Opener(store, keyring, repository_id(store))
    present: set[str] = set()
    before: list[str] = []
    past = _Past()
    for listed in survey(each.stored for each in objects):
        if listed.segments:
            grave, problems = opened.grave(listed)
            for problem in problems:
                yield damage_of(Level.DEEP, listed.name.folder, problem)
            gone = Severity.NOTE if grave else Severity.DAMAGE
            replay = Replay(partial(opened.again, listed))
            yield from _generation(opened, listed, replay, gone)
            past.take(listed.name, replay.account, going=grave is not None)
            present |= replay.known() | listed.segments.keys()
            if replay.before and replay.last:
                before.append(replay.last)
    heads = Heads(present)
    records = [each.run for each in objects if each.run]
    yield from check_records(records, opened.run, heads)
    # Whoever has a removed signer's key could raise false alarms.
    heads.forget({each.writer for each in records if keyring.until(each.writer) is not None})
    yield from heads.missing(Level.DEEP)
    yield from heads.missing_before(Level.DEEP, past.eras())
    if before:
        yield from _never_read(Reader(store, keyring), before)


@dataclass(frozen=True, slots=True)
class _Past:
    """Which generations are there, and whose they are."""

    generations: list[tuple[GenerationName, bool]] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)

    def take(self, name: GenerationName, account: str | None, *, going: bool) -> None:
        """Take one; the oldest comes first, and of one that cannot be read others tell whose."""
        self.generations.append((name, going))
        if account is not None:
            self.accounts[name.stream] = account

    def eras(self) -> Mapping[tuple[str, str], Sequence[Era]]:
        """Return them by writer and account."""
        found: dict[tuple[str, str], list[Era]] = {}
        for name, going in self.generations:
            account = self.accounts.get(name.stream, "")
            found.setdefault((name.writer, account), []).append(Era(name.begun, going))
        return found


@dataclass(frozen=True, slots=True)
class Opener:
    """Fetches and opens objects."""

    store: Store
    keyring: Keyring
    repository: str

    def segment(self, name: SegmentName) -> Segment:
        """Return a segment; see `segment.open_segment`."""
        stored, keyring = self.store.get(name.name), self.keyring
        return segment.open_segment(
            name, stored, keyring.identities, keyring.known, self.repository
        )

    def grave(self, listed: Survey) -> tuple[Grave | None, list[CaldavRunError]]:
        """Return a generation's tombstone; see `tombstone.grave_of`."""
        return grave_of(self.store, listed, self.keyring.trusted, self.repository)

    def again(self, listed: Survey, identity: str) -> Segment:
        """Return a listed segment by its id.

        Raises:
            DamageError: It is not there.
        """
        if identity not in listed.segments:
            raise DamageError(f"{listed.name.folder}seg-*-{identity} is missing")
        return self.segment(listed.segments[identity])

    def run(self, name: RunName) -> RunRecord:
        """Return a run record; see `runs.open_run`."""
        stored, keyring = self.store.get(name.name), self.keyring
        return runs.open_run(name, stored, keyring.identities, keyring.known, self.repository)


def _generation(
    opened: Opener, listed: Survey, replay: Replay, gone: Severity
) -> Iterator[Finding]:
    believed = _believed(opened, listed)
    for each in set(listed.segments.values()) - believed:
        what = "it does not count: its signer was removed"
        yield Finding(Level.DEEP, Severity.WARNING, each.name, what)
    for each in sorted(believed, key=lambda each: (each.number, each.sha256)):
        try:
            yield from replay.take(opened.segment(each))
        except (DamageError, SetupError) as error:
            yield damage_of(Level.DEEP, each.name, error)
    expected = objects_of(listed.name, replay.entries.values())
    yield from check_expected(Level.DEEP, expected, listed.sizes, gone)
    packs = sorted(name for name in listed.sizes if names.parse_pack(name))
    named = {listed.name.pack(sha256) for sha256 in replay.bodies}
    # Of what a lost segment named nobody knows that it did.
    if len(replay.entries) > listed.newest.number:
        yield from check_unnamed(Level.DEEP, packs, expected.keys() | named)
    what = "rows name it, and no segment says that it brought it"
    for pack in sorted(named - expected.keys()):
        yield Finding(Level.DEEP, Severity.DAMAGE, pack, what)
    said = replay.packs()
    for pack in packs:
        if pack in expected or pack in named:
            sha256 = names.sha256_of(pack)
            # Of a segment whose rows broke off not all are known.
            known = sha256 in said or pack not in expected
            wanted = replay.bodies.get(sha256) if known else None
            yield from _pack(opened, pack, wanted, said.get(sha256))


def _believed(opened: Opener, listed: Survey) -> set[SegmentName]:
    """Return the segments that count: all of them, unless their signer was removed."""
    every = set(listed.segments.values())
    until = opened.keyring.until(listed.name.writer)
    if until is None:
        return every
    counting = Generation(listed, opened.segment, until).snapshots
    return {each for each in every if each.sha256 in counting}


def _pack(
    opened: Opener, name: str, wanted: Mapping[str, bytes] | None, said: int | None
) -> Iterator[Finding]:
    """Open one pack; of one whose rows are lost no more can be said."""
    try:
        archive = envelope.unseal(name, opened.store.get(name), opened.keyring.identities)
        if wanted is not None or said is not None:
            yield from check_pack(name, archive, wanted or {}, said)
    except (DamageError, SetupError) as error:
        yield damage_of(Level.DEEP, name, error)


def _never_read(reader: Reader, snapshots: Sequence[str]) -> Iterator[Finding]:
    """Tell the items that wait for a first reading since before their generation began."""
    for identity in snapshots:
        try:
            snapshot = reader.resolve(identity)
            items = [each for each in reader.items(snapshot) if each.sha256 is None]
        except CaldavRunError:
            # Told already, by what is damaged.
            continue
        if items:
            what = (
                f"no version is held of {len(items)} of its items, which could never be read: "
                f"{items[0].calendar}/{items[0].href}, for one"
            )
            yield Finding(Level.DEEP, Severity.NOTE, f"snapshot {identity[:12]}", what)
