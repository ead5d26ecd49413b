import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.errors import AccessError
from caldav_run.testing.vault import Vault, added, calendar_row

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call


def aged(vault: Vault, prefix: str, **ago: float) -> None:
    """Have the objects of one generation be as old as that."""
    then = (datetime.now(UTC) - timedelta(**ago)).timestamp()
    for each in vault.local.list(prefix):
        os.utime(vault.root / each.name, (then, then))


@pytest.fixture
def old(vault: Vault, here: Path) -> Vault:
    """Three generations, two of which are older than the two years that are kept."""
    pipeline = here / "nightly.yaml"
    pipeline.write_text(pipeline.read_text() + "    keep: {within: 2y, min_generations: 2}\n")
    for _ in range(2):
        vault.clock.forward(days=365)
        vault.run(calendar_row("family"), added("a"))
    for listed, days in zip(vault.generations(), (1095, 800, 1), strict=True):
        aged(vault, listed.name.folder, days=days)
    return vault


def test_check_shows_what_would_go_and_writes_nothing(call: "Call", old: Vault) -> None:
    before = list(old.local.list())
    done = call("expire", "nightly.yaml", "--check")
    assert done.status == 0
    assert [line.split()[1:4] for line in done.out.splitlines()[1:]] == [
        ["cloud", "to", "mark"],
        ["cloud", "kept", "no"],
        ["cloud", "kept", "no"],
    ]
    assert list(old.local.list()) == before


def test_expired_history_is_marked_then_deleted(call: "Call", old: Vault, here: Path) -> None:
    # No identity is needed for it.
    (here / "keys" / "identity.txt").rename(here / "identity.txt")
    first = old.generations()[0].name
    assert "cloud    marked" in call("expire", "nightly.yaml").out
    assert "goes once something is stored after" in call("expire", "nightly.yaml").out
    (stone,) = old.generations()[0].tombstones
    aged(old, stone.name.rpartition("/")[0] + "/", days=1095)
    then = (datetime.now(UTC) - timedelta(days=4)).timestamp()
    os.utime(old.root / stone.name, (then, then))
    found = json.loads(call("expire", "nightly.yaml", "--output", "json").out)
    assert [(each["stage"], each["done"]) for each in found] == [
        ("delete", True),
        ("kept", False),
        ("kept", False),
    ]
    assert found[0]["generation"] == first.name
    assert list(old.local.list(first.folder)) == []


def test_a_snapshot_that_has_expired_says_so(call: "Call", old: Vault) -> None:
    call("expire", "nightly.yaml")
    listed = call("snapshots", "--repository", str(old.root))
    assert "expired: caldav-run expire deletes it" in listed.out.splitlines()[1]
    document = json.loads(call("snapshots", "nightly.yaml", "--output", "json").out)
    assert [each["expired"] is not None for each in document] == [True, True, False, False]


def test_a_damaged_successor_keeps_what_has_expired(call: "Call", old: Vault) -> None:
    pack = next(name for name in old.generations()[1].sizes if "/pack-" in name)
    path = old.root / pack
    path.write_bytes(bytes(path.stat().st_size))
    aged(old, old.generations()[1].name.folder, days=800)
    done = call("expire", "nightly.yaml")
    assert done.status == 1
    assert "blocked  its successor is damaged" in done.out


def test_a_tombstone_that_cannot_be_believed_is_told(call: "Call", old: Vault) -> None:
    old.local.put(old.generations()[2].name.tombstone(old.clock(), "0" * 64), b"")
    done = call("expire", "nightly.yaml", "--check")
    assert done.status == 1
    assert "does not match its name" in done.err


def test_a_repository_without_history_of_this_writer_says_so(
    call: "Call", old: Vault, here: Path
) -> None:
    assert call("key", "new", "other").status == 0
    pipeline = here / "nightly.yaml"
    pipeline.write_text(pipeline.read_text().replace("keys/writer.key", "other/writer.key"))
    done = call("expire", "nightly.yaml")
    assert done.status == 0
    assert "no history there yet" in done.err
    assert "of other writers, for them to expire: 3 full backups" in done.err
    assert len(old.generations()) == 3


def test_a_denied_mark_is_told(call: "Call", old: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AccessError("the storage takes nothing")

    # A user who may do everything, as in a container, is refused nothing by a folder's mode.
    monkeypatch.setattr("caldav_run.repository.local.LocalStore.put", refuse)
    done = call("expire", "nightly.yaml")
    assert done.status == 77
    assert "cannot mark" in done.out
    assert "the storage takes nothing" in done.err
    assert not old.generations()[0].tombstones
