"""Every object of a repository, harmed in every way: told by the level that promises it.

Whatever is harmed, what is restored has the right bytes, and what hangs on other objects comes out.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from caldav_run.errors import CaldavRunError, SetupError
from caldav_run.model import Item, Op
from caldav_run.repository import age, bundles, envelope, keys, names, runs, segment, tombstone
from caldav_run.repository.check.data import check_data, readable
from caldav_run.repository.check.deep import check_deep
from caldav_run.repository.check.findings import Finding
from caldav_run.repository.check.inventory import inventory
from caldav_run.repository.check.kinds import Kind, classify
from caldav_run.repository.check.known import check_known
from caldav_run.repository.check.structure import check_marker, check_structure
from caldav_run.repository.reader import Reader
from caldav_run.repository.sshsig import Signer
from caldav_run.repository.store import MissingObjectError, Stored
from caldav_run.repository.survey import survey
from caldav_run.repository.tombstone import Reason, Tombstone
from caldav_run.testing.vault import Vault, about, added, calendar_row

STORED = datetime(2026, 5, 1, 9, tzinfo=UTC)
FLIPPED = (0.0, 0.25, 0.5, 0.75, 1.0)
Bodies = dict[tuple[str, str, str], str]
"""Snapshot, calendar and href of an item, and the hash of its bytes."""


class Objects(dict[str, bytes]):
    """A store in memory, to be harmed."""

    location = "memory"

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        for name in sorted(self):
            if name.startswith(prefix) and name > after:
                yield Stored(name, len(self[name]), STORED)

    def get(self, name: str) -> bytes:  # type: ignore[override]
        if name not in self:
            raise MissingObjectError(f"{name} is missing")
        return self[name]

    def put(self, name: str, data: bytes) -> None:
        self[name] = data

    def delete(self, name: str) -> None:
        self.pop(name, None)


class Whole(NamedTuple):
    """A repository in which nothing is wrong."""

    vault: Vault
    objects: Objects
    bodies: Bodies


Harm = Callable[[Whole, Objects, str], None]


@pytest.fixture(autouse=True)
def short_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every third segment a cumulative one."""
    for module in ("segment", "account", "check.generations"):
        monkeypatch.setattr(f"caldav_run.repository.{module}.CUMULATIVE_EVERY", 3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    with pytest.MonkeyPatch.context() as monkeypatch:
        shorten(monkeypatch)
        return made(Vault(tmp_path_factory.mktemp("vault")))


def made(vault: Vault) -> Whole:
    """Make two accounts, three generations, a cumulative segment, a tombstone and a bundle."""
    vault.fill()
    vault.run(added("old"))
    first = vault.generations()[0].name
    said = Tombstone(
        repository=vault.reader().repository,
        generation=first,
        time=vault.clock.now,
        reason=Reason.EXPIRED,
    )
    vault.local.put(*tombstone.build(said, vault.writer.signer))
    vault.run(calendar_row("family"), added("a", 2), added("b", 2))
    for uid in "cdef":
        vault.run(added(uid), about(Op.UNREAD, "b", reason="500"))
    vault.run(calendar_row("plans"), added("p", calendar="plans"), account="work")
    vault.run(added("q", calendar="plans"), account="work")
    text = (vault.keys / keys.IDENTITY).read_text()
    bundles.add(vault.local, text, "six words at random, say")
    objects = Objects({each.name: vault.local.get(each.name) for each in vault.local.list()})
    kept = Whole(vault, objects, {})
    bodies, problems = restored(kept, objects)
    assert not problems
    assert len(bodies) == 2 + 3 + 2 + 3 + 4 + 5 + 6 + 1 + 2
    return kept._replace(bodies=bodies)


def restored(whole: Whole, objects: Objects) -> tuple[Bodies, list[str]]:
    """Return all that comes out of all snapshots, and what is said of the rest."""
    reader = Reader(objects, keyring(whole))
    found: Bodies = {}
    said: list[str] = []
    try:
        snapshots = reader.snapshots()
    except CaldavRunError as error:
        return {}, [str(error)]
    for snapshot in snapshots:
        try:
            infos = list(reader.items(snapshot))
        except CaldavRunError as error:
            said.append(str(error))
            continue
        for each in reader.bodies(infos):
            if isinstance(each, Item):
                digest = hashlib.sha256(each.body).hexdigest()
                found[snapshot.id, each.calendar, each.href] = digest
            else:
                said.append(each.reason)
    return found, [*said, *map(str, reader.problems)]


def keyring(whole: Whole) -> keys.Keyring:
    return keys.load_keyring([whole.vault.keys / keys.IDENTITY])


def checked(whole: Whole, objects: Objects) -> dict[str, list[str]]:
    """Return what each level of check says."""
    listing = list(objects.list())
    every = inventory(listing)
    now = whole.vault.clock.now + timedelta(minutes=1)
    marker = check_marker(objects)
    levels: dict[str, Callable[[], Iterator[Finding]]] = {
        "0": lambda: check_known(objects, every, whole.vault.writer),
        "1": lambda: iter([*check_structure(listing, now), *([marker] if marker else [])]),
        "2": lambda: check_data(objects, readable(listing)),
        "3": lambda: check_deep(objects, keyring(whole), every),
    }
    return {level: list(said(find)) for level, find in levels.items()}


def said(find: Callable[[], Iterator[Finding]]) -> Iterator[str]:
    try:
        for each in find():
            yield f"{each.name}: {each.what}"
    except SetupError as error:
        yield str(error)


# Harms


def drop(_: Whole, objects: Objects, name: str) -> None:
    del objects[name]


def flip(at: float) -> Harm:
    def harm(_: Whole, objects: Objects, name: str) -> None:
        data = bytearray(objects[name])
        data[min(int(len(data) * at), len(data) - 1)] ^= 1
        objects[name] = bytes(data)

    return harm


def cut(share: float) -> Harm:
    def harm(_: Whole, objects: Objects, name: str) -> None:
        objects[name] = objects[name][
            : min(int(len(objects[name]) * share), len(objects[name]) - 1)
        ]

    return harm


def siblings(objects: Objects, name: str) -> list[str]:
    kind = classify(name).kind
    return [each for each in objects if classify(each).kind is kind and each != name]


def replay(_: Whole, objects: Objects, name: str) -> None:
    """Put an older object of the kind in the place of this one."""
    older = [each for each in siblings(objects, name) if each < name] or siblings(objects, name)
    if older:
        objects[name] = objects[older[-1]]


def swap(_: Whole, objects: Objects, name: str) -> None:
    for other in siblings(objects, name)[:1]:
        objects[name], objects[other] = objects[other], objects[name]


def forge(make: Callable[[Whole, bytes, str], bytes]) -> Harm:
    """Replace an object by another one, under a name that fits its bytes."""

    def harm(whole: Whole, objects: Objects, name: str) -> None:
        stored = make(whole, objects.pop(name), name)
        old = classify(name).sha256 or ""
        objects[name.replace(old, envelope.sha256(stored))] = stored

    return harm


STRANGER = Signer.from_seed(bytes(32))
DOCUMENTS = {
    Kind.SEGMENT: (segment.DOCUMENT, segment.SIGNATURE, segment.NAMESPACE),
    Kind.RUN: (runs.DOCUMENT, runs.SIGNATURE, runs.NAMESPACE),
}


def reforged(
    whole: Whole, stored: bytes, name: str, change: Callable[[bytes], bytes], signer: Signer | None
) -> bytes:
    """Return an object with a changed document, signed by whom one likes or by nobody."""
    kind = classify(name).kind
    identities = keyring(whole).identities
    archive = age.unseal(stored, identities)
    files = dict(envelope.unpack(name, archive, lambda *_: True))
    if kind in DOCUMENTS:
        document, signature, namespace = DOCUMENTS[kind]
        files[document] = change(files[document])
        files[signature] = b"" if signer is None else signer.sign(namespace, files[document])
    else:
        files = {each: change(content) for each, content in files.items()}
    made = envelope.Envelope(0)
    for each, content in files.items():
        made.add(each, content)
    return made.seal((*whole.vault.recipients, whole.vault.writer.metadata.recipient))


def unsigned(whole: Whole, stored: bytes, name: str) -> bytes:
    return reforged(whole, stored, name, lambda text: text, None)


def by_a_stranger(whole: Whole, stored: bytes, name: str) -> bytes:
    return reforged(whole, stored, name, lambda text: text, STRANGER)


def for_another_place(whole: Whole, stored: bytes, name: str) -> bytes:
    old = whole.vault.reader().repository.encode()
    signer = whole.vault.writer.signer
    return reforged(whole, stored, name, lambda text: text.replace(old, b"0" * 20), signer)


def with_other_bytes(whole: Whole, stored: bytes, name: str) -> bytes:
    return reforged(whole, stored, name, lambda text: text.replace(b"SEQUENCE", b"SEQUENCF"), None)


HARMS: dict[str, Harm] = {
    "dropped": drop,
    **{f"flipped at {at:.0%}": flip(at) for at in FLIPPED},
    "cut by a byte": cut(1.0),
    "cut to a half": cut(0.5),
    "emptied": cut(0.0),
    "replayed": replay,
    "swapped": swap,
}
FORGERIES: dict[str, Harm] = {
    "unsigned": forge(unsigned),
    "signed by a stranger": forge(by_a_stranger),
    "signed for another place": forge(for_another_place),
    "with other bytes": forge(with_other_bytes),
}
SIGNED = (Kind.SEGMENT, Kind.RUN)
# What no level promises, because nothing else knows of it: see docs/security.md.
UNKNOWN_TO_ALL = {
    (Kind.RUN, "dropped"),
    (Kind.TOMBSTONE, "dropped"),
    (Kind.BUNDLE, "dropped"),
}


def promised(kind: Kind, harm: str) -> list[str]:
    """Return the levels of which one of each group has to tell of a harm."""
    if kind in {Kind.MARKER, Kind.README}:
        return ["1"] if harm == "dropped" else []
    if (kind, harm) in UNKNOWN_TO_ALL:
        return []
    if harm == "dropped":
        # `check` is levels 0 and 1, and `check --deep` levels 1 and 3: a gap shows to level 1.
        return ["01", "13"] if kind is Kind.SEGMENT else ["0", "3"]
    levels = ["2"] if kind is Kind.BUNDLE else ["2", "3"]
    if harm == "emptied":
        levels.append("1")
    if kind in {Kind.PACK, Kind.SEGMENT} and harm.startswith(("cut", "emptied")):
        levels.append("0")
    return levels


def is_the_end_of_an_older_generation(whole: Whole, harm: str, name: str) -> bool:
    """Return whether only an older run record knows of an object: level 3 reads them all."""
    told = names.parse_segment(name)
    if harm != "dropped" or told is None:
        return False
    every = survey(whole.objects.list())
    mine = [each for each in every if each.name.stream == told.generation.stream]
    listed = next(each for each in mine if each.name == told.generation)
    return listed is not mine[-1] and listed.newest == told


def names_it(line: str, name: str) -> bool:
    """Return whether a line is about an object, by its name, hash, or for a tombstone folder."""
    named = classify(name)
    marks = [name, (named.sha256 or name)[:12]]
    if named.kind is Kind.TOMBSTONE and named.generation:
        marks.append(named.generation.folder)
    if named.segment and f"seg-{named.segment.number:08}" in line:
        # A gap is named by folder and number.
        marks.append(named.segment.generation.folder)
    return any(mark in line for mark in marks)


def may_be_lost(whole: Whole, name: str) -> set[str]:
    """Return the ids of the snapshots that hang on an object."""
    generation = classify(name).generation
    if classify(name).kind not in {Kind.PACK, Kind.SEGMENT} or generation is None:
        every = {snapshot for snapshot, *_ in whole.bodies}
        return every if name == names.MARKER else set()
    listed = next(each for each in survey(whole.objects.list()) if each.name == generation)
    return set(listed.segments)


def complaints(whole: Whole, harm: str, name: str, harmed: Objects) -> Iterator[str]:
    """Yield what is not as it has to be."""
    same = whole.objects.items() & harmed.items()
    touched = whole.objects.keys() - dict(same)
    found, told = restored(whole, harmed)
    wrong = {key for key, digest in found.items() if whole.bodies.get(key) != digest}
    lost = {key[0] for key in whole.bodies.keys() - found.keys()}
    if wrong:
        yield f"{harm} {name}: wrong bytes of {wrong}"
    if lost - {each for touch in touched for each in may_be_lost(whole, touch)}:
        yield f"{harm} {name}: more is lost than hangs on it"
    deep_only = is_the_end_of_an_older_generation(whole, harm, name)
    if lost and not told and not deep_only:
        yield f"{harm} {name}: something is lost and nothing is said"
    levels = checked(whole, harmed)
    for group in ["3"] if deep_only else promised(classify(name).kind, harm):
        told = [line for level in group for line in levels[level]]
        for each in touched:
            if not any(names_it(line, each) for line in told):
                yield f"{harm} {name}: level {group} does not tell of {each}: {told}"


@pytest.mark.parametrize("harm", HARMS)
def test_each_object_harmed_is_told_and_costs_only_what_hangs_on_it(
    whole: Whole, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad: list[str] = []
    count = 0
    for name in whole.objects:
        harmed = Objects(whole.objects)
        HARMS[harm](whole, harmed, name)
        if harmed != whole.objects:
            count += 1
            bad += complaints(whole, harm, name, harmed)
    with capsys.disabled():
        print(f"\n{harm}: {count} objects harmed, {len(bad)} complaints", end="")  # noqa: T201
    assert not bad, "\n".join(bad)
    assert count >= len(whole.objects) - 4


@pytest.mark.parametrize("harm", FORGERIES)
def test_each_forged_object_is_told_and_never_used(
    whole: Whole, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = (Kind.PACK,) if harm == "with other bytes" else SIGNED
    bad: list[str] = []
    mine = [name for name in whole.objects if classify(name).kind in kinds]
    for name in mine:
        harmed = Objects(whole.objects)
        FORGERIES[harm](whole, harmed, name)
        (forged,) = harmed.keys() - whole.objects.keys()
        found, _ = restored(whole, harmed)
        bad += [f"{name}: wrong {key}" for key in found.items() - whole.bodies.items()]
        level = checked(whole, harmed)["3"]
        if not any(names_it(line, forged) for line in level):
            bad.append(f"{harm} {name}: level 3 does not name {forged}: {level}")
    with capsys.disabled():
        print(f"\n{harm}: {len(mine)} objects forged, {len(bad)} complaints", end="")  # noqa: T201
    assert not bad, "\n".join(bad)
    assert len(mine) > 8


def test_nothing_is_said_of_a_whole_repository(whole: Whole) -> None:
    found, told = restored(whole, whole.objects)
    assert (found, told) == (whole.bodies, [])
    assert checked(whole, whole.objects)["2"] == []
    assert not [line for line in checked(whole, whole.objects)["0"] if "not compared" not in line]


def test_an_old_object_that_comes_back_after_its_generation_was_deleted_harms_nothing(
    whole: Whole,
) -> None:
    first = survey(whole.objects.list())[0]
    for name, expected in [(each, whole.objects[each]) for each in first.sizes]:
        left = {each: data for each, data in whole.objects.items() if first.name.name not in each}
        harmed = Objects({**left, name: expected})
        found, _ = restored(whole, harmed)
        assert found.items() <= whole.bodies.items()
        assert {key[0] for key in found} >= {key[0] for key in whole.bodies} - set(first.segments)


def test_a_bit_of_the_marker_costs_nothing_or_is_told(whole: Whole) -> None:
    size = len(whole.objects[names.MARKER])
    for at in range(size):
        harmed = Objects(whole.objects)
        flip(at / size)(whole, harmed, names.MARKER)
        found, told = restored(whole, harmed)
        assert found == whole.bodies or (not found and told)
