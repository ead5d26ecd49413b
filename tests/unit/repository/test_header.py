"""What a segment says of itself comes back as it was written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from caldav_run.repository import header, names
from caldav_run.repository.header import Counts, Header, LogEntry, PackRef
from caldav_run.repository.sshsig import Signer

TIME = datetime(2026, 5, 1, 8, tzinfo=UTC)
SIGNER = Signer.from_seed(bytes(range(32))).fingerprint
GENERATION = names.new_generation("0" * 20, names.writer_of(SIGNER), TIME)
FIRST = LogEntry(
    number=0,
    time=TIME,
    id="1" * 64,
    size=2000,
    guarded=True,
    counts=Counts(calendars=2, items=7, stale=1, missing=3, excluded=4),
    packs=(PackRef("2" * 64, 3000, 7), PackRef("3" * 64, 400, 1)),
)
SECOND = FIRST._replace(number=1, time=TIME + timedelta(hours=1), packs=(), replaces="4" * 64)
HEADER = Header(
    repository="repository",
    account="cloud",
    origin="origin",
    generation=GENERATION,
    number=2,
    time=TIME + timedelta(hours=2),
    parent="5" * 64,
    run="run",
    recipients="recipients",
    fingerprint="fingerprint",
    guarded=True,
    counts=FIRST.counts,
    packs=FIRST.packs,
    signer=SIGNER,
)
FORMS = [
    HEADER,
    replace(HEADER, log=(FIRST, SECOND), replaces="6" * 64),
    replace(HEADER, number=0, parent=None, guarded=False, packs=()),
]


def document_of(told: Header) -> dict[str, object]:
    return {**header.document_of(told, "7" * 64), "signer": told.signer}


@pytest.mark.parametrize("told", FORMS)
def test_a_header_is_read_back(told: Header) -> None:
    name = names.parse_segment(GENERATION.segment(told.number, told.time, "8" * 64))
    assert name is not None
    document = document_of(told)
    assert document["changes"] == "7" * 64
    assert header.header_of(name, document) == told


@pytest.mark.parametrize("entry", [FIRST, SECOND])
def test_a_line_of_the_log_is_read_back(entry: LogEntry) -> None:
    assert header.decode_entry(header.encode_entry(entry)) == entry
    assert header.decode_entry((*header.encode_entry(entry)[:7], entry.replaces, "later")) == entry


def test_what_was_not_rewritten_says_nothing_of_it() -> None:
    assert "replaces" not in document_of(HEADER)
    assert "log" not in document_of(HEADER)
    assert len(header.encode_entry(FIRST)) == 7


def test_a_log_says_what_the_segment_says_of_itself() -> None:
    entry = header.entry_of(replace(HEADER, replaces="6" * 64), "8" * 64, 900)
    assert entry == LogEntry(
        number=2,
        time=TIME + timedelta(hours=2),
        id="8" * 64,
        size=900,
        guarded=True,
        counts=HEADER.counts,
        packs=HEADER.packs,
        replaces="6" * 64,
    )
    assert entry.stands_for == "6" * 64
    assert entry._replace(replaces=None).stands_for == "8" * 64


def test_an_account_had_what_is_held_missing_and_left_out() -> None:
    assert FIRST.counts.before_filters == 7 + 3 + 4
