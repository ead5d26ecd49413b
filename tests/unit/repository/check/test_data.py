from collections.abc import Callable
from pathlib import Path

import pytest

from caldav_run.errors import UsageError
from caldav_run.repository.check.data import ALL, Part, check_data, readable
from caldav_run.repository.check.findings import Finding, Level, Severity
from caldav_run.testing.vault import Vault, added


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path)
    vault.fill()
    vault.run(added("c"))
    return vault


def found(vault: Vault, part: Part = ALL) -> list[Finding]:
    return list(check_data(vault.local, readable(vault.local.list(), part)))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def test_a_whole_repository_has_no_findings(vault: Vault) -> None:
    assert found(vault) == []
    # Two packs, two segments, two run records; README.txt and format.json bear no hash.
    assert len(readable(vault.local.list())) == 6


@pytest.mark.parametrize("harm", [flip, cut, empty])
@pytest.mark.parametrize("at", range(6))
def test_every_altered_object_is_named(vault: Vault, harm: Callable[[Path], None], at: int) -> None:
    harmed = readable(vault.local.list())[at].name
    harm(vault.root / harmed)
    (finding,) = found(vault)
    assert (finding.level, finding.severity) == (Level.DATA, Severity.DAMAGE)
    assert finding.name == harmed
    assert "altered or cut off" in finding.what


def test_two_swapped_objects_are_both_named(vault: Vault) -> None:
    one, other = (vault.root / name for name in vault.packs())
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert [each.name for each in found(vault)] == sorted(vault.packs())


def test_an_object_that_goes_after_the_listing_is_named(vault: Vault) -> None:
    objects = readable(vault.local.list())
    (vault.root / objects[0].name).unlink()
    (finding,) = check_data(vault.local, objects)
    assert finding.name == objects[0].name
    assert "is missing" in finding.what


def test_parts_are_disjoint_and_hold_everything(vault: Vault) -> None:
    for _ in range(20):
        vault.run(added("d", version=vault.clock.now.minute))
    listing = list(vault.local.list())
    parts = [readable(listing, Part(number, 7)) for number in range(1, 8)]
    assert sorted(each for part in parts for each in part) == readable(listing)
    assert max(map(len, parts)) < len(readable(listing)) / 2


@pytest.mark.parametrize("text", ["", "1", "0/7", "8/7", "a/b", "1/", "-1/7", "1/2/3", "²/7"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Part.parse(text)


def test_a_part_is_read() -> None:
    assert Part.parse("2/7") == Part(2, 7)
