"""A generation's rows, read out of its segments."""

from pathlib import Path

import pytest

from caldav_run.repository import keys, segment
from caldav_run.repository.generation import Generation
from caldav_run.repository.names import SegmentName
from caldav_run.repository.rows import decode, encode
from caldav_run.repository.segment import Segment
from caldav_run.testing.vault import Vault, added


@pytest.fixture
def generation(tmp_path: Path) -> Generation:
    vault = Vault(tmp_path)
    vault.fill()
    for version in (2, 3):
        vault.run(added("a", version))
    keyring = keys.load_keyring([vault.keys / keys.IDENTITY])
    repository = vault.reader().repository

    def open_one(name: SegmentName) -> Segment:
        stored = vault.local.get(name.name)
        known = (vault.writer.signer.fingerprint,)
        return segment.open_segment(name, stored, keyring.identities, known, repository)

    (listed,) = vault.generations()
    return Generation(listed, open_one)


def test_each_row_comes_with_the_line_that_says_it(generation: Generation) -> None:
    newest = generation.listed.newest.sha256
    lines = list(generation.encoded(newest))
    assert [row for _, row in lines] == list(generation.rows(newest))
    assert all(decode(line) == row and encode(row) == line for line, row in lines)
    assert [row.seq for _, row in lines] == [0, 0, 0, 1, 2]


def test_a_later_snapshot_changes_nothing_in_an_earlier_one(generation: Generation) -> None:
    first, second, third = generation.listed.segments
    sizes = [generation.state(each).item("family", "a.ics") for each in (third, first, second)]
    assert [row.seq if row else None for row in sizes] == [2, 0, 1]
