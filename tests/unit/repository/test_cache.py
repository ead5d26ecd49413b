import logging
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from caldav_run.errors import SetupError, TemporaryError
from caldav_run.repository import cachefile
from caldav_run.repository.cache import Cache, Head
from caldav_run.testing.vault import START, Vault, added

HEAD = Head(
    repository="r",
    stream="s",
    generation="20260501T080000Z-0a0a0a0a-0b0b0b",
    id="1",
    number=0,
    time=START,
    origin="o",
    recipients="x",
    fingerprint="f",
    read_at=START,
)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cachefile, "_PATIENCE_S", 0.05)
    return tmp_path / "state" / "x.sqlite"


def settled(path: Path) -> None:
    opened = Cache(path)
    with opened.change(None):
        opened.settle(HEAD, [])
    opened.close()


def test_a_head_is_remembered(path: Path) -> None:
    settled(path)
    opened = Cache(path)
    assert opened.head == HEAD
    opened.close()


@pytest.mark.parametrize("harm", ["noise", "version", "page"])
def test_a_cache_that_cannot_be_used_is_begun_anew(path: Path, harm: str) -> None:
    settled(path)
    if harm == "noise":
        path.write_bytes(b"noise" * 1000)
    elif harm == "version":
        base = sqlite3.connect(path)
        base.execute("PRAGMA user_version = 99")
        base.close()
    else:
        data = bytearray(path.read_bytes())
        data[4096:8192] = b"\xff" * 4096
        path.write_bytes(data)
    opened = Cache(path)
    assert opened.head is None
    opened.close()


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE item SET row = CAST(row AS TEXT)",
        "UPDATE item SET kind = 'missing'",
        "UPDATE log SET position = position + 1",
        "DROP TABLE log",
    ],
)
def test_a_cache_with_other_values_than_were_stored_is_begun_anew(
    tmp_path: Path, harm: str
) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    vault.run(added("c"))
    (path,) = (vault.state / "repository").iterdir()
    base = sqlite3.connect(path)
    with base:
        base.execute(harm)
    base.close()
    opened = Cache(path)
    assert opened.head is None
    opened.close()
    assert vault.run().snapshot is None


def test_a_damaged_cache_that_cannot_be_renewed_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(path)
    path.write_bytes(b"noise" * 1000)

    def read_only(_: Path) -> None:
        raise PermissionError(1, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(SetupError, match=r"cannot write the cache .* may be deleted"):
        Cache(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot write the cache"):
        Cache(tmp_path / "file" / "x.sqlite")


def test_a_cache_that_another_run_holds_is_waited_for_and_then_given_up(path: Path) -> None:
    settled(path)
    holder = sqlite3.connect(path, isolation_level=None)
    opened = Cache(path)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TemporaryError), opened.change(HEAD):
        pass
    with pytest.raises(TemporaryError):
        Cache(path)
    holder.close()
    opened.close()


def test_a_cache_that_another_run_holds_cannot_be_read_either(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(path)
    monkeypatch.setattr(cachefile, "_PATIENCE_S", 0.05)
    opened = Cache(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TemporaryError, match="another run"):
        list(opened.items("family"))
    with pytest.raises(TemporaryError, match="another run"):
        opened.counts()
    holder.close()
    opened.close()


def test_a_change_that_breaks_off_changes_nothing(path: Path) -> None:
    settled(path)
    opened = Cache(path)

    def broken_off() -> None:
        with opened.change(HEAD):
            opened.clear()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert opened.head == HEAD
    opened.close()


def test_a_commit_that_the_cache_cannot_keep_is_read_from_the_store_next_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cachefile, "_PATIENCE_S", 0.05)
    vault = Vault(tmp_path)
    vault.fill()
    (path,) = (vault.state / "repository").iterdir()
    reader = sqlite3.connect(path, isolation_level=None)
    with vault.opened() as account, caplog.at_level(logging.WARNING):
        account.append(added("c"))
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM head").fetchall()
        outcome = account.commit("f", guarded=False)
    reader.close()
    assert outcome.snapshot is not None
    assert "was not updated" in caplog.text
    assert set(vault.entries()) == {"a.ics", "b.ics", "c.ics"}
    assert vault.run().snapshot is None


def test_a_head_that_moved_is_noticed(path: Path) -> None:
    settled(path)
    opened = Cache(path)
    with pytest.raises(TemporaryError), opened.change(replace(HEAD, number=1)):
        pass
    opened.close()


def test_a_full_disk_is_not_taken_for_another_run(path: Path) -> None:
    settled(path)
    opened = Cache(path)
    opened._base.execute("PRAGMA max_page_count = 1")
    with pytest.raises(SetupError, match=r"cannot write the cache .* full"), opened.change(HEAD):
        opened.settle(replace(HEAD, origin="x" * 100_000), ())
    assert opened.head == HEAD
    opened.close()
