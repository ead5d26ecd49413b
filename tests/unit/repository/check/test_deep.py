"""What level 3 finds that no listing and no hash tells."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.repository.check.conftest import bad, bury, deep

from caldav_run.model import Op
from caldav_run.repository import envelope, pack, segment
from caldav_run.repository.check.findings import Finding, Severity
from caldav_run.repository.header import Counts, Header, PackRef
from caldav_run.repository.keys import IDENTITY, WRITER, create_keys, load_writer
from caldav_run.repository.names import SegmentName
from caldav_run.repository.rows import Row, encode
from caldav_run.repository.sshsig import Signer
from caldav_run.testing.vault import Vault, about, added, calendar_row


def only(findings: list[Finding]) -> Finding:
    (found,) = bad(findings)
    return found


def opened(vault: Vault, at: int = -1) -> segment.Segment:
    name = vault.segments()[at]
    stored = (vault.root / name.name).read_bytes()
    trusted, identities = {vault.writer.signer.fingerprint}, (vault.writer.metadata,)
    return segment.open_segment(name, stored, identities, trusted, vault.reader().repository)


def resign(
    vault: Vault,
    at: int = -1,
    rows: Callable[[list[Row]], list[Row]] = list,
    signer: Signer | None = None,
    **header: object,
) -> SegmentName:
    """Put another segment in the place of one, as who has the writer's key can."""
    before = opened(vault, at)
    changed = replace(before.header, **header)  # type: ignore[arg-type]
    changes = io.BytesIO(b"".join(map(encode, rows(list(before.rows())))))
    sealed_to = (*vault.recipients, vault.writer.metadata.recipient)
    stored = segment.build(changed, changes, signer or vault.writer.signer, sealed_to)
    (vault.root / before.name.name).unlink()
    return put(vault, before.name, stored)


def put(vault: Vault, name: SegmentName, stored: bytes) -> SegmentName:
    identity = envelope.sha256(stored)
    placed = name.generation.segment(name.number, name.time, identity)
    vault.local.put(placed, stored)
    return replace(name, name=placed, sha256=identity)


def forget_runs(vault: Vault) -> None:
    """Records name the segments that were there first; they have tests of their own."""
    for each in (vault.root / "runs").rglob("*.age"):
        each.unlink()


@pytest.fixture(autouse=True)
def no_run_records(vault: Vault) -> None:
    forget_runs(vault)


def test_a_whole_repository_has_no_findings(vault: Vault) -> None:
    vault.run(about(Op.UNREAD, "a", reason="500"), about(Op.EXCLUDED, "b", etag='"1"'))
    vault.run(calendar_row("work"), added("w", calendar="work"))
    vault.run(about(Op.GONE, "c"), about(Op.UNREAD, "z", reason="500"))
    vault.run(about(Op.CALENDAR_GONE, None, "work"))
    vault.run(about(Op.EXCLUDED, None, "family"), added("x", calendar="family"))
    assert deep(vault) == []


@pytest.mark.usefixtures("short_logs")
def test_a_whole_repository_with_cumulative_segments_has_no_findings(vault: Vault) -> None:
    for version in range(8):
        vault.run(added("d", version=version))
    vault.run(fingerprint="other")
    vault.run(added("e"))
    assert deep(vault) == []


def test_the_signature_of_another_key_is_named(vault: Vault, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    other = load_writer(tmp_path / "other" / WRITER)
    name = resign(vault, signer=other.signer)
    found = only(deep(vault))
    assert found.name == name.name
    assert other.signer.fingerprint in found.what
    # To trust it is not enough: the place is another writer's.
    assert "another place" in only(deep(vault, other.signer.fingerprint)).what


def test_a_segment_in_another_place_is_named(vault: Vault) -> None:
    last = vault.segments()[-1]
    moved = put(vault, replace(last, number=2), (vault.root / last.name).read_bytes())
    found = only(deep(vault))
    assert found.name == moved.name
    assert "another place" in found.what


@pytest.mark.parametrize("pack", [False, True])
def test_altered_bytes_are_named(vault: Vault, *, pack: bool) -> None:
    name = vault.packs()[0] if pack else vault.segments()[-1].name
    path = vault.root / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert only(deep(vault)).name == name


def test_what_no_identity_opens_is_named(vault: Vault, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    (vault.keys / IDENTITY).write_bytes((tmp_path / "other" / IDENTITY).read_bytes())
    found = bad(deep(vault, vault.writer.signer.fingerprint))
    assert {each.name for each in found} == {each.name for each in vault.segments()}


def test_a_broken_chain_is_named(vault: Vault) -> None:
    name = resign(vault, parent="0" * 64)
    found = only(deep(vault))
    assert (found.name, found.what) == (name.name, "it does not continue the segment before it")


def test_a_base_with_a_parent_is_named(vault: Vault) -> None:
    (vault.root / vault.segments()[-1].name).unlink()
    resign(vault, parent="0" * 64)
    assert "it is a base" in only(deep(vault)).what


def test_another_account_in_a_generation_is_named(vault: Vault) -> None:
    resign(vault, account="other")
    assert "of the account 'other'" in only(deep(vault)).what


def test_counts_that_rows_do_not_make_are_named(vault: Vault) -> None:
    resign(vault, counts=Counts(1, 7))
    assert only(deep(vault)).what == "it counts 1/7/0/0/0, and its rows make 1/3/0/0/0"


def test_rows_of_another_segment_are_named(vault: Vault) -> None:
    resign(vault, rows=lambda rows: [each._replace(seq=0) for each in rows])
    assert "rows of segment 0, which do not belong there" in only(deep(vault)).what


def test_a_row_of_a_later_version_is_named(vault: Vault) -> None:
    def later(rows: list[Row]) -> list[Row]:
        return [*rows, rows[-1]._replace(op="?")]  # type: ignore[arg-type]

    vault.run(added("d"), added("e"))
    forget_runs(vault)
    resign(vault, rows=later)
    # The rows before it name bodies of its pack, and those behind it may name others.
    assert "cannot read" in only(deep(vault)).what


def test_a_row_with_another_hash_than_its_body_is_named(vault: Vault) -> None:
    resign(vault, rows=lambda rows: [each._replace(sha256="0" * 64) for each in rows])
    found = only(deep(vault))
    assert found.name == vault.segments()[-1].generation.pack(opened(vault).header.packs[0].sha256)
    assert found.what.startswith("it holds other bytes than signed rows say: family/000001-c")


def test_a_row_whose_member_is_not_there_is_named(vault: Vault) -> None:
    resign(vault, rows=lambda rows: [each._replace(member="family/9.ics") for each in rows])
    first, second = bad(deep(vault))
    assert first.what == "it lacks what rows name: family/9.ics"
    assert (second.severity, second.what) == (
        Severity.WARNING,
        "it holds what no row names: family/000001-c.ics",
    )


def test_many_members_are_named_by_a_few(vault: Vault) -> None:
    vault.run(*(added(f"i{number}") for number in range(9)))
    forget_runs(vault)
    resign(vault, rows=lambda rows: [each._replace(size=1) for each in rows])
    assert only(deep(vault)).what.endswith(
        "i0.ics, family/000002-i1.ics, family/000003-i2.ics and 6 more"
    )


def test_a_row_that_tells_otherwise_of_a_body_is_named(vault: Vault) -> None:
    def double(rows: list[Row]) -> list[Row]:
        return [*rows, rows[-1]._replace(sha256="0" * 64)]

    resign(vault, rows=double)
    assert only(deep(vault)).what == (
        "its row of family/c.ics tells otherwise of family/000001-c.ics"
    )


def test_a_pack_that_rows_name_and_no_segment_is_named(vault: Vault) -> None:
    brought = opened(vault).header.packs[0].sha256
    resign(vault, packs=())
    found = only(deep(vault))
    assert found.name.endswith(f"pack-{brought}.tar.zst.age")
    assert "no segment says that it brought it" in found.what


def test_a_pack_with_another_count_of_bodies_is_named(vault: Vault) -> None:
    (before,) = opened(vault).header.packs
    resign(vault, packs=(PackRef(before.sha256, before.size, 2),))
    assert only(deep(vault)).what == "it holds 1 bodies; a signed segment says 2"


def test_a_missing_pack_is_named(vault: Vault) -> None:
    lost = vault.packs()[0]
    (vault.root / lost).unlink()
    found = only(deep(vault))
    assert (found.name, found.what) == (lost, "it is missing; a signed segment names it")


def test_a_pack_that_nothing_names_is_worth_knowing(vault: Vault) -> None:
    builder = pack.PackBuilder(0)
    builder.add("family", "z.ics", b"z")
    stored = builder.seal(vault.recipients)
    name = vault.segments()[0].generation.pack(envelope.sha256(stored))
    vault.local.put(name, stored)
    (found,) = deep(vault)
    assert (found.severity, found.name) == (Severity.NOTE, name)
    # Where a segment is lost, it may be the one that named it.
    (vault.root / vault.segments()[0].name).unlink()
    assert not [each for each in deep(vault) if each.name == name]


def cumulative(vault: Vault) -> None:
    """Let the newest segment be number 3, which repeats those before it."""
    vault.run(added("d"))
    vault.run(added("e"))
    forget_runs(vault)


@pytest.mark.usefixtures("short_logs")
def test_a_cumulative_segment_that_repeats_rows_otherwise_is_named(vault: Vault) -> None:
    cumulative(vault)
    name = resign(vault, rows=lambda rows: [rows[0]._replace(etag='"9"'), *rows[1:]])
    found = only(deep(vault))
    assert found.name == name.name
    assert found.what == "it repeats the rows of segment 1 otherwise than that has them"


@pytest.mark.usefixtures("short_logs")
def test_a_cumulative_segment_that_leaves_rows_out_is_named(vault: Vault) -> None:
    cumulative(vault)
    resign(vault, rows=lambda rows: [each for each in rows if each.seq != 2])
    assert only(deep(vault)).what == "it does not repeat the rows of segment 2"


@pytest.mark.usefixtures("short_logs")
def test_a_log_that_tells_otherwise_is_named(vault: Vault) -> None:
    cumulative(vault)
    log = opened(vault).header.log
    resign(vault, log=(*log[:2], log[2]._replace(guarded=True)))
    assert only(deep(vault)).what == "its log tells otherwise of segment 2 than that itself"


@pytest.mark.usefixtures("short_logs")
def test_a_log_that_leaves_a_segment_out_is_named(vault: Vault) -> None:
    cumulative(vault)
    log = opened(vault).header.log
    made = resign(vault, log=log[:2])
    found = {each.name: each.what for each in bad(deep(vault))}
    assert "its log does not name each segment before it" in found[made.name]


@pytest.mark.usefixtures("short_logs")
def test_counts_are_compared_again_behind_a_hole(vault: Vault) -> None:
    cumulative(vault)
    lost = vault.segments()[1].name
    (vault.root / lost).unlink()
    assert only(deep(vault)).name == lost
    resign(vault, counts=Counts(1, 9))
    assert {each.what for each in bad(deep(vault))} == {
        "it is missing; a signed segment names it",
        "it counts 1/9/0/0/0, and its rows make 1/5/0/0/0",
    }


@pytest.mark.usefixtures("short_logs")
def test_without_a_base_nothing_is_counted(vault: Vault) -> None:
    cumulative(vault)
    base = vault.segments()[0].name
    (vault.root / base).unlink()
    assert only(deep(vault)).name == base


@pytest.mark.usefixtures("short_logs")
def test_a_cumulative_segment_without_a_log_is_named(vault: Vault) -> None:
    cumulative(vault)
    (vault.root / vault.segments()[1].name).unlink()
    made = resign(vault, log=())
    found = {each.name: each.what for each in bad(deep(vault))}
    assert "its log does not name each segment before it" in found[made.name]


@pytest.mark.usefixtures("short_logs")
def test_a_cumulative_segment_without_a_log_stops_nobody(vault: Vault) -> None:
    cumulative(vault)
    before = vault.held("latest~1")
    resign(vault, log=())
    assert [each.incomplete for each in vault.reader().snapshots()] == [False] * 3 + [True]
    assert vault.held("latest~1") == before
    vault.forget()
    vault.fill()
    assert len(vault.held()) == 2


def test_both_sides_of_a_fork_are_opened(vault: Vault) -> None:
    last = opened(vault)
    header: Header = replace(last.header, run="other", packs=(), counts=Counts(1, 2))
    stored = segment.build(header, io.BytesIO(), vault.writer.signer, vault.recipients)
    put(vault, last.name, stored)
    # The fork is told by level 1; nothing else is wrong.
    assert deep(vault) == []


def test_items_that_were_never_read_are_worth_knowing(vault: Vault) -> None:
    vault.run(
        calendar_row("work"),
        about(Op.UNREAD, "w", "work", reason="500"),
        account="other",
        origin="away",
    )
    forget_runs(vault)
    (found,) = deep(vault)
    assert found.severity is Severity.NOTE
    assert found.what == (
        "no version is held of 1 of its items, which could never be read: work/w.ics, for one"
    )


def test_items_whose_version_is_in_the_generation_before_are_fine(vault: Vault) -> None:
    vault.configure(full_every=timedelta(0))
    vault.run(calendar_row("family"), about(Op.UNREAD, "a", reason="500"))
    vault.configure(full_every=timedelta(days=90))
    vault.run(added("n"))
    forget_runs(vault)
    assert deep(vault) == []


def test_what_waits_for_a_reading_is_not_told_where_it_cannot_be_known(vault: Vault) -> None:
    unread = about(Op.UNREAD, None, "work", reason="500")
    vault.run(unread, account="other", origin="away")
    vault.run(about(Op.UNREAD, "w", "work", reason="500"), account="other", origin="away")
    forget_runs(vault)
    (base,) = [each.name for each in vault.segments() if each.number == 0][1:]
    (vault.root / base).unlink()
    assert deep(vault) == []


def test_packs_without_a_segment_are_left_to_the_other_levels(vault: Vault) -> None:
    for each in vault.segments():
        (vault.root / each.name).unlink()
    assert deep(vault) == []


def test_run_records_are_opened_and_their_heads_looked_for(vault: Vault) -> None:
    vault.run(added("d"))
    vault.run(added("e"))
    assert deep(vault) == []
    newest = vault.segments()[-1]
    (vault.root / newest.name).unlink()
    (found,) = bad(deep(vault))
    assert f"the snapshot {newest.sha256[:12]}, which is missing" in found.what
    record = vault.root / found.name
    record.write_bytes(b"other")
    assert [each.name for each in bad(deep(vault))] == [found.name]


def test_a_run_without_a_head_is_fine(vault: Vault) -> None:
    archive = vault.archive()
    archive.open_account("cloud", "home").abandon()
    archive.close({"cloud": "ok", "absent": "failed"})
    assert deep(vault) == []


def test_of_a_removed_signer_only_what_counts_is_opened(vault: Vault) -> None:
    first, _ = vault.segments()
    identity, fingerprint = vault.keys / IDENTITY, vault.writer.signer.fingerprint
    resign(vault, counts=Counts(9, 9))
    text = identity.read_text()
    identity.write_text(text.replace(fingerprint, f"{fingerprint} until {first.sha256}"))
    found = only(deep(vault))
    assert (found.severity, found.name) == (Severity.WARNING, vault.segments()[-1].name)
    assert found.what == "it does not count: its signer was removed"


def test_a_removed_signer_cannot_cry_wolf_about_missing_snapshots(vault: Vault) -> None:
    vault.run(added("d"))
    first, *_, last = vault.segments()
    (vault.root / last.name).unlink()
    assert any("it left cloud at" in each.what for each in deep(vault))
    identity, fingerprint = vault.keys / IDENTITY, vault.writer.signer.fingerprint
    text = identity.read_text()
    identity.write_text(text.replace(fingerprint, f"{fingerprint} until {first.sha256}"))
    assert not [each for each in deep(vault) if "it left cloud at" in each.what]


def test_an_expired_generation_may_lack_objects(vault: Vault) -> None:
    bury(vault, vault.writer.signer)
    (vault.root / vault.packs()[0]).unlink()
    assert [each.severity for each in deep(vault)] == [Severity.NOTE]


def test_a_forged_tombstone_is_named_and_hides_nothing(vault: Vault, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    other = load_writer(tmp_path / "other" / WRITER).signer
    name = bury(vault, other)
    (vault.root / vault.packs()[0]).unlink()
    forged, missing = bad(deep(vault))
    assert name in forged.what
    assert other.fingerprint in forged.what
    assert missing.severity is Severity.DAMAGE


def again(vault: Vault) -> None:
    """Go on in a new generation."""
    vault.configure(full_every=timedelta(0))
    vault.run(calendar_row("family"), added("c"))
    vault.configure(full_every=timedelta(90))


def test_lost_last_snapshots_of_an_older_generation_are_named_once_each(vault: Vault) -> None:
    vault.run(added("d"))
    vault.run(added("e"))
    vault.run()
    lost = vault.segments()[-2:]
    again(vault)
    vault.run()
    assert bad(deep(vault)) == []
    for each in lost:
        (vault.root / each.name).unlink()
    found = bad(deep(vault))
    assert {each.severity for each in found} == {Severity.DAMAGE}
    said = sorted(each.what.partition(" at ")[2] for each in found)
    ids = sorted(each.sha256[:12] for each in lost)
    assert said == [f"the snapshot {each}, which is missing" for each in ids]


def test_snapshots_that_expired_are_not_missed(vault: Vault) -> None:
    vault.run(added("d"))
    old = vault.segments()[-1]
    again(vault)
    for each in (vault.root / old.generation.folder).iterdir():
        each.unlink()
    assert bad(deep(vault)) == []


def test_what_is_being_deleted_may_lack_its_last_snapshots(vault: Vault) -> None:
    vault.run(added("d"))
    old = vault.segments()[-1]
    bury(vault, vault.writer.signer)
    again(vault)
    (vault.root / old.name).unlink()
    found = [each for each in deep(vault) if each.name.startswith("runs/")]
    assert [each.severity for each in found] == [Severity.NOTE]


def test_of_whom_an_unreadable_generation_is_another_one_tells(vault: Vault) -> None:
    vault.run(added("d"))
    old = vault.segments()
    again(vault)
    again(vault)
    for each in old[1:]:
        (vault.root / each.name).unlink()
    (vault.root / old[0].name).write_bytes(b"")
    found = bad(deep(vault))
    assert any(f"at the snapshot {old[-1].sha256[:12]}, which is missing" in e.what for e in found)
