"""Whatever is done to the store is noticed and named, and nothing else is lost by it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from caldav_run.errors import CaldavRunError, DamageError, SetupError
from caldav_run.model import Failed, Item, Op
from caldav_run.repository import age, envelope, keys, runs, segment, signed, tar, zstd
from caldav_run.repository.header import Header
from caldav_run.repository.names import SegmentName
from caldav_run.repository.rows import encode
from caldav_run.repository.runs import RunRecord
from caldav_run.testing.vault import START, Vault, about, added, body_of, calendar_row

Harm = Callable[[Path], None]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


HARMS = pytest.mark.parametrize("harm", [flip, cut, empty, Path.unlink])


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


@HARMS
def test_a_harmed_pack_costs_its_own_items_only(vault: Vault, harm: Harm) -> None:
    vault.fill()
    (first,) = vault.packs()
    vault.run(added("c"))
    harm(vault.root / first)
    found = vault.bodies()
    assert [each.href for each in found if isinstance(each, Item)] == ["c.ics"]
    failed = [each for each in found if isinstance(each, Failed)]
    assert sorted(each.href or "" for each in failed) == ["a.ics", "b.ics"]
    assert all(first in each.reason for each in failed)


@HARMS
def test_a_harmed_newest_segment_is_named_and_older_snapshots_stay(
    vault: Vault, harm: Harm
) -> None:
    vault.fill()
    vault.run(added("c"))
    last = vault.segments()[-1]
    harm(vault.root / last.name)
    reader = vault.reader()
    if harm is Path.unlink:
        # Only who remembers the head can tell; the run record does.
        assert next(reader.runs()).accounts[0].head == last.sha256
        assert [each.incomplete for each in reader.snapshots()] == [False]
        return
    assert reader.resolve("latest").incomplete
    assert reader.resolve("latest").counts is None
    with pytest.raises(DamageError, match=last.name):
        list(reader.items(reader.resolve("latest")))
    assert last.name in str(reader.problems[0])
    assert set(vault.held("latest~1")) == {("family", "a.ics"), ("family", "b.ics")}


@HARMS
def test_a_harmed_segment_between_makes_a_hole_that_is_reported(vault: Vault, harm: Harm) -> None:
    vault.fill()
    vault.run(added("c"))
    middle = vault.segments()[-1]
    vault.run(added("d"))
    harm(vault.root / middle.name)
    reader = vault.reader()
    latest = reader.resolve("latest")
    assert latest.incomplete
    assert any(middle.sha256 in str(each) for each in reader.problems)
    with pytest.raises(DamageError, match=middle.sha256):
        list(reader.items(latest))
    assert len(vault.held(vault.segments()[0].sha256)) == 2


@HARMS
def test_a_harmed_base_makes_the_generation_unreadable_and_no_other(
    vault: Vault, harm: Harm
) -> None:
    vault.fill()
    base = vault.segments()[0]
    vault.run(added("c"))
    harm(vault.root / base.name)
    reader = vault.reader()
    assert all(each.incomplete for each in reader.snapshots())
    assert [base.sha256 in str(each) for each in reader.problems] == [True]
    # A run compares sizes; a flipped bit shows to who reads the object.
    vault.forget()
    vault.fill()
    assert len(vault.held()) == 2


@HARMS
def test_a_harmed_segment_lives_on_in_the_next_cumulative_one(
    vault: Vault, harm: Harm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr("caldav_run.repository.account.CUMULATIVE_EVERY", 3)
    vault.fill()
    for uid in "cdefg":
        vault.run(added(uid))
    harmed = vault.segments()[1]
    harm(vault.root / harmed.name)
    assert not any(each.incomplete for each in vault.reader().snapshots())
    assert set(vault.held(harmed.sha256)) == {("family", f"{uid}.ics") for uid in "abc"}
    assert len(vault.held()) == 7


def test_a_missing_base_shows_behind_a_cumulative_segment_as_well(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr("caldav_run.repository.account.CUMULATIVE_EVERY", 3)
    vault.fill()
    for uid in "cde":
        vault.run(added(uid))
    base = vault.segments()[0]
    (vault.root / base.name).unlink()
    assert all(base.sha256 in str(each.problem) for each in vault.reader().snapshots())


def test_a_harmed_segment_that_a_fork_needs_is_told_once(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr("caldav_run.repository.account.CUMULATIVE_EVERY", 3)
    vault.fill()
    for uid in "cde":
        vault.run(added(uid))
    reader = vault.reader()
    flip(vault.root / vault.segments()[0].name)
    for each in reader.snapshots():
        with pytest.raises(DamageError):
            list(reader.items(each))
    assert len(reader.snapshots()) == 4


def cut_off() -> bytes:
    compressor = zstd.Compressor()
    compressor.feed(tar.header(segment.DOCUMENT, 600, 0) + b"{")
    return compressor.finish()


@pytest.mark.parametrize("content", [b"no frame", b"", cut_off()])
def test_a_broken_archive_is_said_to_be_one(vault: Vault, content: bytes) -> None:
    vault.fill()
    name = vault.segments()[0]
    (vault.root / name.name).unlink()
    forged(vault, name, age.seal(content, vault.recipients))
    with pytest.raises(DamageError, match="is damaged"):
        vault.reader().snapshots()


def test_a_harmed_cumulative_segment_is_replaced_by_those_before_it(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr("caldav_run.repository.account.CUMULATIVE_EVERY", 3)
    vault.fill()
    for uid in "cde":
        vault.run(added(uid))
    flip(vault.root / vault.segments()[3].name)
    reader = vault.reader()
    assert [each.incomplete for each in reader.snapshots()] == [False, False, False, True]
    assert len(vault.held("latest~1")) == 4


@HARMS
def test_a_harmed_run_record_is_passed_over_and_named(vault: Vault, harm: Harm) -> None:
    vault.fill()
    vault.run(added("c"))
    *_, newest = sorted((vault.root / "runs").rglob("*.age"))
    harm(newest)
    reader = vault.reader()
    assert len(list(reader.runs())) == 1
    assert [newest.name in str(each) for each in reader.problems] == [True] * (
        harm is not Path.unlink
    )


def test_nothing_that_can_be_opened_ends_with_the_first_problem(vault: Vault) -> None:
    vault.fill()
    flip(vault.root / vault.segments()[0].name)
    with pytest.raises(DamageError, match=vault.segments()[0].name):
        vault.reader().snapshots()


def test_a_wrong_identity_is_said_to_be_one(vault: Vault) -> None:
    vault.fill()
    trusted = vault.writer.signer.fingerprint
    vault.keys = keys.create_keys(vault.folder / "other").folder
    with pytest.raises(SetupError, match="none of the given identities"):
        vault.reader(trusted).snapshots()


def test_an_unknown_signer_is_not_believed_until_it_is_trusted(vault: Vault) -> None:
    vault.fill()
    fingerprint = vault.writer.signer.fingerprint
    path = vault.keys / keys.IDENTITY
    path.write_text(path.read_text().replace("trusted-signer", "signer"))
    with pytest.raises(SetupError, match=f"--trust {fingerprint}".replace("+", r"\+")):
        vault.reader().snapshots()
    assert len(vault.reader(fingerprint).snapshots()) == 1


def forged(vault: Vault, name: SegmentName, stored: bytes) -> None:
    generation = name.generation
    made = generation.segment(name.number, name.time, envelope.sha256(stored))
    (vault.root / made).parent.mkdir(parents=True, exist_ok=True)
    (vault.root / made).write_bytes(stored)


def opened(vault: Vault) -> tuple[SegmentName, Header, bytes]:
    (name,) = vault.segments()
    stored = vault.local.get(name.name)
    trusted = {vault.writer.signer.fingerprint}
    (identity,) = keys.load_keyring([vault.keys / keys.IDENTITY]).identities
    found = segment.open_segment(name, stored, (identity,), trusted, vault.reader().repository)
    return name, found.header, b"".join(map(encode, found.rows()))


def sealed(vault: Vault, files: dict[str, bytes]) -> bytes:
    parts = envelope.Envelope(0)
    for name, content in files.items():
        parts.add(name, content)
    return parts.seal(vault.recipients)


def parts_of(vault: Vault) -> dict[str, bytes]:
    (name,) = vault.segments()
    identities = keys.load_keyring([vault.keys / keys.IDENTITY]).identities
    archive = envelope.unseal(name.name, vault.local.get(name.name), identities)
    return dict(envelope.unpack(name.name, archive, lambda *_: True))


def without_signature(parts: dict[str, bytes]) -> dict[str, bytes]:
    return {name: text for name, text in parts.items() if name != segment.SIGNATURE}


def with_other_document(parts: dict[str, bytes]) -> dict[str, bytes]:
    text = parts[segment.DOCUMENT].replace(b'"guarded":false', b'"guarded":true ')
    return {**parts, segment.DOCUMENT: text}


def with_other_rows(parts: dict[str, bytes]) -> dict[str, bytes]:
    return {**parts, segment.CHANGES: b""}


def with_huge_rows(parts: dict[str, bytes]) -> dict[str, bytes]:
    return {**parts, segment.SIGNATURE: bytes(5000)}


def test_a_row_of_a_later_version_is_an_error_and_no_crash(vault: Vault) -> None:
    vault.fill()
    name, header, changes = opened(vault)
    with (vault.folder / "rows").open("w+b") as rows:
        rows.write(changes + b'[0,"future","family","a.ics"]\n')
        stored = segment.build(header, rows, vault.writer.signer, vault.recipients)
    (vault.root / name.name).unlink()
    forged(vault, name, stored)
    reader = vault.reader()
    with pytest.raises(DamageError, match="install the version"):
        reader.calendars(reader.resolve("latest"))


def test_a_last_row_needs_no_line_end(vault: Vault) -> None:
    vault.fill()
    name, header, changes = opened(vault)
    with (vault.folder / "rows").open("w+b") as rows:
        rows.write(changes.removesuffix(b"\n"))
        stored = segment.build(header, rows, vault.writer.signer, vault.recipients)
    (vault.root / name.name).unlink()
    forged(vault, name, stored)
    assert len(vault.held()) == 2


@pytest.mark.parametrize(
    "forge", [without_signature, with_other_document, with_other_rows, with_huge_rows]
)
def test_a_segment_that_is_not_as_it_was_signed_is_never_used(
    vault: Vault, forge: Callable[[dict[str, bytes]], dict[str, bytes]]
) -> None:
    vault.fill()
    name = vault.segments()[0]
    stored = sealed(vault, forge(parts_of(vault)))
    (vault.root / name.name).unlink()
    forged(vault, name, stored)
    with pytest.raises(DamageError, match=envelope.sha256(stored)):
        vault.reader().snapshots()


def test_the_rows_of_an_unknown_signer_are_not_unpacked(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.fill()
    name = vault.segments()[0]
    stored = sealed(vault, with_other_document(parts_of(vault)))
    (vault.root / name.name).unlink()
    forged(vault, name, stored)
    sizes: list[str] = []
    real = segment._wanted

    def wanted(member: str, size: int) -> bool:
        sizes.append(member)
        return real(member, size)

    monkeypatch.setattr(segment, "_wanted", wanted)
    with pytest.raises(DamageError):
        vault.reader().snapshots()
    assert segment.CHANGES not in sizes


@pytest.mark.parametrize("field", ["number", "time", "generation", "repository"])
def test_a_replayed_segment_is_never_used(vault: Vault, field: str) -> None:
    vault.fill()
    name = vault.segments()[0]
    stored = (vault.root / name.name).read_bytes()
    (vault.root / name.name).unlink()
    if field == "number":
        name = replace(name, number=1)
    elif field == "time":
        name = replace(name, time=START)
    elif field == "generation":
        name = replace(name, generation=replace(name.generation, stream="0" * 20))
    else:
        marker = vault.root / "format.json"
        marker.write_text(marker.read_text().replace('"id": "', '"id": "0'))
    forged(vault, name, stored)
    with pytest.raises(DamageError, match="another place"):
        vault.reader().snapshots()


def resigned(vault: Vault, change: Callable[[bytes], bytes]) -> None:
    parts = parts_of(vault)
    name = vault.segments()[0]
    text = change(parts[segment.DOCUMENT])
    parts[segment.DOCUMENT] = text
    parts[segment.SIGNATURE] = vault.writer.signer.sign(segment.NAMESPACE, text)
    (vault.root / name.name).unlink()
    forged(vault, name, sealed(vault, parts))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"caldav-run segment 1", b"caldav-run segment 2"),
        lambda text: text.replace(b'"parent"', b'"no"'),
        lambda text: text.replace(b'"time":"', b'"time":"x'),
        lambda _: b"[]",
        lambda _: b"{",
        lambda _: b"[" * 100_000,
    ],
)
def test_a_signed_segment_of_another_form_is_an_error_and_no_crash(
    vault: Vault, change: Callable[[bytes], bytes]
) -> None:
    vault.fill()
    resigned(vault, change)
    with pytest.raises(DamageError):
        vault.reader().snapshots()


@pytest.mark.parametrize("change", [("caldav-run run 1", "run 2"), ('"pipeline"', '"no"')])
def test_a_signed_run_record_of_another_form_is_passed_over(
    vault: Vault, change: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = signed.encode
    old, new = (part.encode() for part in change)
    monkeypatch.setattr(signed, "encode", lambda each: encode(each).replace(old, new))
    record = RunRecord(
        repository=vault.reader().repository,
        run="1",
        writer=vault.writer.name,
        pipeline="nightly",
        time=START,
        accounts=(),
    )
    stored = runs.build(record, vault.writer.signer, vault.recipients)
    vault.local.put(runs.record_name(record, stored), stored)
    reader = vault.reader()
    assert list(reader.runs()) == []
    assert len(reader.problems) == 1


def test_segments_whose_numbers_break_the_chain_are_not_used(vault: Vault) -> None:
    vault.fill()
    name, header, _ = opened(vault)
    later = replace(header, number=5, parent=name.sha256, packs=())
    with (vault.folder / "rows").open("w+b") as rows:
        stored = segment.build(later, rows, vault.writer.signer, vault.recipients)
    forged(vault, replace(name, number=5), stored)
    reader = vault.reader()
    assert [each.incomplete for each in reader.snapshots()] == [False, True]
    assert "breaks the chain" in str(reader.resolve("latest").problem)


def test_a_pack_with_other_bytes_than_the_signed_row_says_is_not_believed(vault: Vault) -> None:
    vault.fill()
    info = next(vault.reader().items(vault.reader().resolve("latest")))
    (found,) = vault.reader().bodies([replace(info, sha256="0" * 64)])
    assert isinstance(found, Failed)
    assert "other bytes" in found.reason


def test_a_pack_without_a_member_says_so(vault: Vault) -> None:
    vault.fill()
    info = next(vault.reader().items(vault.reader().resolve("latest")))
    (found,) = vault.reader().bodies([replace(info, member="other")])
    assert isinstance(found, Failed)
    assert "does not hold it" in found.reason


def test_an_item_that_was_never_read_is_a_failure_with_its_reason(vault: Vault) -> None:
    vault.run(calendar_row("family"), about(Op.UNREAD, "a", reason="500 at the server"))
    (found,) = vault.bodies()
    assert isinstance(found, Failed)
    assert found.reason == "500 at the server"


class CrashError(Exception):
    """The machine stops."""


class Crashing:
    """Stops before or after the n-th call of `put`."""

    def __init__(self, vault: Vault, at: int, *, after: bool) -> None:
        self._store = vault.local
        self.location = vault.local.location
        self.list = vault.local.list
        self.get = vault.local.get
        self.delete = vault.local.delete
        self._left = at
        self._after = after

    def put(self, name: str, data: bytes) -> None:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise CrashError
        self._store.put(name, data)
        if self._left == 0:
            raise CrashError


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("first", [False, True])
def test_a_crash_loses_nothing_that_was_acknowledged(
    vault: Vault, at: int, *, after: bool, first: bool
) -> None:
    before = {}
    if not first:
        vault.fill()
        before = vault.held()
    store = Crashing(vault, at, after=after)
    vault.wrap = lambda _: store
    with pytest.raises(CrashError):
        vault.run(calendar_row("family"), added("a"), added("b"), added("c"))
    vault.wrap = lambda local: local
    committed = at == 3 or (at == 2 and after)
    whole = {("family", f"{uid}.ics"): body_of(uid) for uid in "abc"}
    if committed or not first:
        assert vault.held() == (whole if committed else before)
    vault.run(calendar_row("family"), added("a"), added("b"), added("c"))
    assert vault.held() == whole
    assert not any(each.incomplete for each in vault.reader().snapshots())


def test_every_problem_is_one_that_a_person_can_be_shown(vault: Vault) -> None:
    vault.fill()
    vault.run(added("c"))
    flip(vault.root / vault.segments()[-1].name)
    reader = vault.reader()
    reader.snapshots()
    assert all(isinstance(each, CaldavRunError) for each in reader.problems)
