"""A signer that was removed counts up to the listed segments, whatever its key does afterwards."""

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from caldav_run.errors import SetupError
from caldav_run.repository import envelope, keys, segment
from caldav_run.repository.generation import Generation
from caldav_run.repository.header import Header
from caldav_run.repository.names import GenerationName, SegmentName
from caldav_run.repository.reader import Reader
from caldav_run.repository.rows import encode
from caldav_run.repository.segment import Segment
from caldav_run.repository.signed import RemovedSignerError
from caldav_run.testing.vault import Vault, added, body_of, calendar_row


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Three snapshots; the signer is removed at the last one."""
    vault = Vault(tmp_path)
    vault.fill()
    vault.run(added("c"))
    vault.run(added("d"))
    return vault


def remove(vault: Vault, *until: SegmentName) -> None:
    path = vault.keys / keys.IDENTITY
    fingerprint = vault.writer.signer.fingerprint
    ids = ",".join(each.sha256 for each in until)
    line = f"# trusted-signer: {fingerprint}"
    path.write_text(path.read_text().replace(line, f"{line} until {ids}"))


def ids(reader: Reader) -> list[str]:
    return [each.id for each in reader.snapshots()]


def opened(vault: Vault, name: SegmentName) -> Segment:
    stored, signer = vault.local.get(name.name), vault.writer.signer.fingerprint
    repository = vault.reader().repository
    return segment.open_segment(name, stored, (vault.writer.metadata,), {signer}, repository)


def forge(vault: Vault, header: Header, changes: bytes = b"") -> SegmentName:
    """Store what the thief of a writer key can: a segment that is rightly signed."""
    sealed_to = (*vault.recipients, vault.writer.metadata.recipient)
    stored = segment.build(header, io.BytesIO(changes), vault.writer.signer, sealed_to)
    place, sha256 = header.generation, envelope.sha256(stored)
    name = place.segment(header.number, header.time, sha256)
    vault.local.put(name, stored)
    return SegmentName(name, place, header.number, header.time, sha256)


def reasons(reader: Reader) -> list[type[Exception]]:
    return [type(each) for each in reader.problems]


def lines_of(found: Segment) -> bytes:
    return b"".join(map(encode, found.rows()))


def test_what_was_listed_and_all_before_it_stays_readable(vault: Vault) -> None:
    names = vault.segments()
    remove(vault, names[-1])
    reader = vault.reader()
    assert ids(reader) == [each.sha256 for each in names]
    assert reader.problems == []
    assert len(vault.held("latest~2")) == 2
    assert len(vault.held()) == 4


def test_what_lies_behind_the_listed_segment_does_not_count(vault: Vault) -> None:
    names = vault.segments()
    remove(vault, names[1])
    reader = vault.reader()
    assert ids(reader) == [each.sha256 for each in names[:2]]
    assert reasons(reader) == [RemovedSignerError]
    assert names[2].name in reader.problems[0].message


def test_nothing_counts_where_nothing_is_listed(vault: Vault) -> None:
    remove(vault)
    with pytest.raises(RemovedSignerError, match="does not count"):
        vault.reader().snapshots()


def test_a_stolen_key_that_appends_hides_nothing(vault: Vault) -> None:
    names = vault.segments()
    remove(vault, names[-1])
    vault.run(added("forged"))
    assert ids(vault.reader()) == [each.sha256 for each in names]
    assert ("family", "forged.ics") not in vault.held()


def test_a_stolen_key_that_forks_the_past_hides_nothing(vault: Vault) -> None:
    names = vault.segments()
    remove(vault, names[-1])
    honest = opened(vault, names[1])
    forge(vault, replace(honest.header, run="forged"), lines_of(honest))
    reader = vault.reader()
    assert ids(reader) == [each.sha256 for each in names]
    assert reasons(reader) == [RemovedSignerError]


def test_a_stolen_key_that_backdates_a_generation_adds_nothing(vault: Vault) -> None:
    names = vault.segments()
    remove(vault, names[-1])
    base = opened(vault, names[0])
    begun = names[0].generation.begun - timedelta(days=400)
    old = names[0].generation
    early = GenerationName(f"20250101T000000Z-{old.writer}-abcdef", old.stream, old.writer, begun)
    early = replace(early, begun=begun.replace(year=2025, month=1, day=1, hour=0))
    forge(vault, replace(base.header, generation=early, time=early.begun), lines_of(base))
    reader = vault.reader()
    assert ids(reader) == [each.sha256 for each in names]
    assert reasons(reader) == [RemovedSignerError]


def long_history(vault: Vault) -> list[SegmentName]:
    """Write up to the segment before a cumulative one."""
    for number in range(segment.CUMULATIVE_EVERY - 3):
        vault.run(added("c", number + 2))
    return vault.segments()


def test_a_forged_cumulative_segment_changes_nothing(vault: Vault) -> None:
    names = long_history(vault)
    remove(vault, names[-1])
    base, last = opened(vault, names[0]), opened(vault, names[-1])
    row = next(each for each in base.rows() if each.href)
    header = replace(
        last.header,
        number=segment.CUMULATIVE_EVERY,
        time=last.header.time + timedelta(seconds=1),
        parent=names[-1].sha256,
        log=tuple(opened(vault, each).entry() for each in names),
    )
    forge(vault, header, encode(row._replace(seq=1, href="forged.ics")))
    reader = vault.reader()
    assert ids(reader) == [each.sha256 for each in names]
    assert ("family", "forged.ics") not in vault.held()
    assert vault.held()["family", "a.ics"] == body_of("a")


def test_a_listed_cumulative_segment_vouches_for_all_in_its_log(vault: Vault) -> None:
    long_history(vault)
    vault.run(added("e"))
    vault.run(added("f"))
    names = vault.segments()
    assert names[-2].number == segment.CUMULATIVE_EVERY
    remove(vault, names[-1])
    # A hole in the chain before the cumulative one, whose log goes past it.
    (vault.root / names[20].name).unlink()
    reader = vault.reader()
    assert set(ids(reader)) == {each.sha256 for each in names}
    whole = Generation(vault.generations()[0], lambda name: opened(vault, name), {names[-1].sha256})
    assert whole.segment(names[5].sha256).header.number == 5


def test_two_lists_for_one_signer_add_up(vault: Vault) -> None:
    first = vault.segments()[-1]
    vault.forget()
    vault.clock.forward(days=120)
    vault.fill()
    second = vault.segments()[-1]
    assert first.generation != second.generation
    remove(vault, first)
    path = vault.keys / keys.IDENTITY
    fingerprint = vault.writer.signer.fingerprint
    line = f"# trusted-signer: {fingerprint} until {second.sha256}\n"
    path.write_text(line + path.read_text())
    assert len(ids(vault.reader())) == 4


def test_a_removed_signer_stays_removed_though_another_file_trusts_it(vault: Vault) -> None:
    old = vault.folder / "old.txt"
    old.write_text((vault.keys / keys.IDENTITY).read_text())
    remove(vault, vault.segments()[0])
    fingerprint = vault.writer.signer.fingerprint
    keyring = keys.load_keyring([old, vault.keys / keys.IDENTITY], [fingerprint])
    assert fingerprint not in keyring.trusted
    assert len(ids(Reader(vault.local, keyring))) == 1


def test_run_records_after_the_last_listed_segment_are_not_believed(vault: Vault) -> None:
    remove(vault, vault.segments()[-1])
    listed = vault.clock.now
    vault.run()
    reader = vault.reader()
    assert reader.last_read("cloud") == listed
    assert reader.problems == []


def test_a_backdated_run_record_needs_a_snapshot_that_counts(vault: Vault) -> None:
    names = vault.segments()
    vault.clock.forward(minutes=-2)
    vault.run(calendar_row("family"), added("z"))
    remove(vault, *names[1:])
    forged = [each for each in vault.segments() if each not in names]
    heads = {each.head for run in vault.reader().runs() for each in run.accounts}
    assert forged
    assert heads == {each.sha256 for each in names}


def test_no_run_record_of_a_signer_of_whom_nothing_counts_is_believed(vault: Vault) -> None:
    remove(vault)
    assert list(vault.reader().runs()) == []


@pytest.mark.parametrize(
    "line",
    [
        "SHA256:short",
        "{fingerprint} until abc",
        "{fingerprint} till {id}",
        "{fingerprint} until {id} and more",
    ],
)
def test_a_signers_line_that_cannot_be_read_is_refused(vault: Vault, line: str) -> None:
    path = vault.keys / keys.IDENTITY
    given = line.format(fingerprint=vault.writer.signer.fingerprint, id="0" * 64)
    path.write_text(f"# trusted-signer: {given}\n{path.read_text()}")
    with pytest.raises(SetupError, match="is no trusted signer"):
        vault.reader()
