"""A generation's rows, read out of its segments."""

from pathlib import Path

import pytest

from caldav_run.model import Op
from caldav_run.repository import keys, segment
from caldav_run.repository.generation import Generation
from caldav_run.repository.names import SegmentName
from caldav_run.repository.rows import Row
from caldav_run.repository.segment import Segment
from caldav_run.repository.state import State
from caldav_run.testing.vault import Vault, added


@pytest.fixture
def generation(tmp_path: Path) -> Generation:
    return written(tmp_path, 3)


def written(folder: Path, snapshots: int) -> Generation:
    vault = Vault(folder)
    vault.fill()
    for version in range(2, snapshots + 1):
        vault.run(added("a", version))
    keyring = keys.load_keyring([vault.keys / keys.IDENTITY])
    repository = vault.reader().repository

    def open_one(name: SegmentName) -> Segment:
        stored = vault.local.get(name.name)
        known = (vault.writer.signer.fingerprint,)
        return segment.open_segment(name, stored, keyring.identities, known, repository)

    (listed,) = vault.generations()
    return Generation(listed, open_one)


def test_a_later_snapshot_changes_nothing_in_an_earlier_one(generation: Generation) -> None:
    first, second, third = generation.listed.segments
    sizes = [generation.state(each).item("family", "a.ics") for each in (third, first, second)]
    assert [row.seq if row else None for row in sizes] == [2, 0, 1]


@pytest.mark.parametrize("every", [2, 3, 32])
def test_a_chain_names_a_snapshot_and_all_before_it_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", every)
    monkeypatch.setattr("caldav_run.repository.account.CUMULATIVE_EVERY", every)
    generation = written(tmp_path, 6)
    known = list(generation.listed.segments)
    assert len(known) == 6
    assert generation.snapshots.keys() == set(known)
    for number, identity in enumerate(known):
        chain = generation.chain(identity)
        assert [each.id for each in chain] == known[: number + 1]
        assert [each.number for each in chain] == list(range(number + 1))


@pytest.mark.parametrize(
    "row",
    [
        Row(1, Op.ADD, "family", "a.ics", '"1"', "ab" * 32, 10, "cd" * 32, "family/000001-a.ics"),
        Row(2, Op.SAME, "family", "a.ics", None, "ab", 10, "cd", "family/000001-b.ics", "", "get"),
        Row(3, Op.UNREAD, "family", "", extra={"reason": "Größe", "before": True}),
        Row(0, Op.EXCLUDED, "family", "%C3%A9.ics", extra={"valid_until": 1.5}),
    ],
)
def test_a_row_comes_out_of_a_state_as_it_went_in(row: Row) -> None:
    state = State()
    state.apply(Row(0, Op.ADD, "family", "other.ics", object="ef" * 32))
    state.apply(row)
    assert state.item("family", row.href or "") == row
    assert dict(state.copy().items("family"))[row.href or ""] == row
