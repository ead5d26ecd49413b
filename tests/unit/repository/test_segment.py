"""One segment, from its rows to its stored bytes and back."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from caldav_run.errors import DamageError
from caldav_run.model import Op
from caldav_run.repository import age, envelope, names, rows, segment, signed
from caldav_run.repository.header import Counts, Header, document_of
from caldav_run.repository.rows import Row
from caldav_run.repository.segment import Segment
from caldav_run.repository.sshsig import Signer

TIME = datetime(2026, 5, 1, 8, tzinfo=UTC)
SIGNER = Signer.from_seed(bytes(range(32)))
IDENTITY, _ = age.new_identity()
RECIPIENT = IDENTITY.recipient
GENERATION = names.new_generation("0" * 20, names.writer_of(SIGNER.fingerprint), TIME)
HEADER = Header(
    repository="repository",
    account="cloud",
    origin="origin",
    generation=GENERATION,
    number=1,
    time=TIME,
    parent="5" * 64,
    run="run",
    recipients="recipients",
    fingerprint="fingerprint",
    guarded=False,
    counts=Counts(items=1),
    packs=(),
    signer=SIGNER.fingerprint,
)
ROW = Row(1, Op.ADD, "family", "a.ics", sha256="a" * 64, size=1, object="b" * 64, member="c")


def opened(stored: bytes, repository: str = "repository") -> Segment:
    name = names.parse_segment(GENERATION.segment(1, TIME, envelope.sha256(stored)))
    assert name is not None
    return segment.open_segment(name, stored, [IDENTITY], {SIGNER.fingerprint}, repository)


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_rows_of_any_number_come_back_in_their_order(count: int) -> None:
    written = [ROW._replace(href=f"{number}.ics") for number in range(count)]
    changes = io.BytesIO(b"".join(map(rows.encode, written)))
    stored = segment.build(HEADER, changes, SIGNER, [RECIPIENT])
    found = opened(stored)
    assert (found.header, found.size) == (HEADER, len(stored))
    assert list(found.rows()) == written


def test_rows_are_found_where_the_last_line_has_no_end() -> None:
    changes = io.BytesIO(rows.encode(ROW).rstrip(b"\n"))
    assert list(opened(segment.build(HEADER, changes, SIGNER, [RECIPIENT])).rows()) == [ROW]


@pytest.mark.parametrize("told", [HEADER, replace(HEADER, repository="another")])
def test_a_segment_counts_in_its_own_repository_only(told: Header) -> None:
    stored = segment.build(told, io.BytesIO(), SIGNER, [RECIPIENT])
    other = "repository" if told.repository == "another" else "another"
    with pytest.raises(DamageError, match="another place"):
        opened(stored, other)


@pytest.mark.parametrize("content", [b"", b"1", b"a later version's"])
def test_a_further_member_of_a_later_version_is_passed_over(content: bytes) -> None:
    changes = rows.encode(ROW)
    text = signed.encode(document_of(HEADER, envelope.sha256(changes)))
    parts = envelope.Envelope(0)
    parts.add("later.bin", content)
    parts.add(segment.DOCUMENT, text)
    parts.add(segment.SIGNATURE, SIGNER.sign(segment.NAMESPACE, text))
    parts.add(segment.CHANGES, changes)
    assert list(opened(parts.seal([RECIPIENT])).rows()) == [ROW]
