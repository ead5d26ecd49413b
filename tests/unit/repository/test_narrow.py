import random
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from tests.unit.repository.happenings import CALENDARS, happening

from caldav_run.repository.difference import ItemDifference, differences
from caldav_run.testing.vault import Vault, added, calendar_row


@pytest.mark.parametrize("seed", range(4))
def test_what_lies_between_two_snapshots_tells_all_that_differs(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- no secret
    vault = Vault(tmp_path)
    vault.run(*map(calendar_row, CALENDARS), added("a"), added("b"))
    for number in range(24):
        # The second generation begins on a bad day, and looks back into the first one.
        full_every = timedelta(0) if number == 8 else timedelta(days=90)
        vault.configure(full_every=full_every)
        vault.run(*happening(chance))
    reader = vault.reader()
    assert len({each.generation for each in reader.snapshots()}) == 2
    for old, new in product(reader.snapshots(), repeat=2):
        whole = differences(reader._read(old), reader._read(new))
        assert list(reader.diff(old, new)) == list(whole)


def test_a_forked_generation_is_compared_as_a_whole(tmp_path: Path) -> None:
    # Two clones of a machine write number 1 each; neither one's rows belong to the other.
    vault = Vault(tmp_path)
    vault.fill()
    state = {path: path.read_bytes() for path in vault.state.rglob("*") if path.is_file()}
    vault.run(added("mine"))
    kept = {path: path.read_bytes() for path in (vault.root / "a").rglob("seg-00000001-*")}
    for path in kept:
        path.unlink()
    vault.forget()
    for path, content in state.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    vault.run(added("theirs"))
    for path, content in kept.items():
        path.write_bytes(content)
    reader = vault.reader()
    assert len(reader.snapshots()) == 3
    _, mine, theirs = reader.snapshots()
    found = [each for each in reader.diff(mine, theirs) if isinstance(each, ItemDifference)]
    sides = [(each.old and each.old.href, each.new and each.new.href) for each in found]
    assert sides == [("mine.ics", None), (None, "theirs.ics")]
