import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caldav_run.errors import AccessError, ConnectorError
from caldav_run.repository.local import LocalStore
from caldav_run.repository.store import MissingObjectError


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "new" / "store")


def test_objects_are_listed_by_name_and_size(store: LocalStore) -> None:
    for name in ("b", "a/2/x", "a/1", "a-b", "a/2/w"):
        store.put(name, name.encode())
    assert [each.name for each in store.list()] == ["a-b", "a/1", "a/2/w", "a/2/x", "b"]
    assert [(each.name, each.size) for each in store.list("a/2/")] == [("a/2/w", 5), ("a/2/x", 5)]
    assert [each.name for each in store.list(after="a/2/w")] == ["a/2/x", "b"]
    assert [each.name for each in store.list("a/", "a/2")] == ["a/2/w", "a/2/x"]
    assert list(store.list("none/")) == []


def test_a_place_that_is_not_there_lists_nothing(tmp_path: Path) -> None:
    assert list(LocalStore(tmp_path / "none").list()) == []


def test_a_link_to_nothing_hides_no_other_object(store: LocalStore, tmp_path: Path) -> None:
    store.put("a/1", b"1")
    store.put("a/3", b"3")
    (tmp_path / "new" / "store" / "a" / "2").symlink_to("nowhere")
    assert [each.name for each in store.list()] == ["a/1", "a/3"]


def test_an_object_tells_when_it_was_stored(store: LocalStore, tmp_path: Path) -> None:
    store.put("a", b"1")
    os.utime(tmp_path / "new" / "store" / "a", (86_400, 86_400))
    assert [each.modified for each in store.list()] == [datetime(1970, 1, 2, tzinfo=UTC)]


def test_what_is_deleted_is_gone_and_deleting_again_is_no_error(store: LocalStore) -> None:
    store.put("a/1", b"1")
    for _ in range(2):
        store.delete("a/1")
        store.delete("none/1")
        assert list(store.list()) == []


def test_a_deletion_that_the_disk_refuses_is_said(store: LocalStore) -> None:
    store.put("a/1", b"1")
    with pytest.raises(ConnectorError, match="cannot delete"):
        store.delete("a")


def test_a_missing_object_is_named(store: LocalStore) -> None:
    with pytest.raises(MissingObjectError, match="a/b is missing"):
        store.get("a/b")


def test_storing_again_changes_nothing(store: LocalStore) -> None:
    store.put("a", b"1")
    store.put("a", b"1")
    with pytest.raises(ConnectorError, match="another content"):
        store.put("a", b"2")
    assert store.get("a") == b"1"


def test_an_unfinished_file_is_never_listed(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        assert [each.name[:5] for each in (tmp_path / "new/store").iterdir()] == [".tmp-"]
        assert list(store.list()) == []
        raise OSError(errno.ENOSPC, "No space left on device")

    store.put("a", b"1")
    (tmp_path / "new/store/a").unlink()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConnectorError, match="No space left on device"):
        store.put("a", b"1")
    assert list((tmp_path / "new/store").iterdir()) == []


def test_a_file_system_without_links_gets_renamed_files(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path, __: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    store.put("a", b"1")
    store.put("a", b"1")
    with pytest.raises(ConnectorError, match="another content"):
        store.put("a", b"2")
    assert [each.name for each in store.list()] == ["a"]


def test_every_folder_and_file_is_flushed(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda fd: flushed.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
    )
    store.put("a/b", b"1")
    root = tmp_path / "new" / "store"
    assert [path for path in flushed if ".tmp-" not in path] == [
        str(each) for each in (tmp_path, tmp_path / "new", root, root / "a")
    ]
    assert len([path for path in flushed if ".tmp-" in path]) == 1
    # Whoever made the folders may have crashed before flushing them; once in a run is enough.
    flushed.clear()
    again = LocalStore(root)
    for name in ("a/c", "a/d"):
        again.put(name, b"1")
    assert [path for path in flushed if ".tmp-" not in path] == [
        str(each) for each in (root, root / "a", root / "a")
    ]


def test_what_is_made_is_for_its_owner_alone(store: LocalStore, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store.put("a/b", b"1")
    finally:
        os.umask(before)
    root = tmp_path / "new" / "store"
    modes = {path: path.stat().st_mode & 0o777 for path in (root.parent, root, root / "a")}
    assert set(modes.values()) == {0o700}
    assert (root / "a" / "b").stat().st_mode & 0o777 == 0o600


def leave(folder: Path, name: str, days: float) -> Path:
    path = folder / name
    path.write_bytes(b"unfinished")
    then = path.stat().st_mtime - days * 86_400
    os.utime(path, (then, then))
    return path


def test_what_a_crash_left_is_removed_after_a_day(store: LocalStore, tmp_path: Path) -> None:
    root = tmp_path / "new" / "store"
    store.put("a/1", b"1")
    old = leave(root / "a", ".tmp-old", 1.1)
    young = leave(root / "a", ".tmp-young", 0.9)
    elsewhere = leave(root, ".tmp-elsewhere", 2)
    assert [(each.name, each.size) for each in store.leftovers()] == [
        (".tmp-elsewhere", 10),
        ("a/.tmp-old", 10),
        ("a/.tmp-young", 10),
    ]
    assert [each.name for each in store.list()] == ["a/1"]
    # Not by the same run: a folder is looked through once.
    store.put("a/2", b"1")
    assert old.exists()
    LocalStore(root).put("a/3", b"1")
    assert [old.exists(), young.exists(), elsewhere.exists()] == [False, True, True]
    LocalStore(root).put("b", b"1")
    assert not elsewhere.exists()


def test_an_unfinished_file_that_is_finished_meanwhile_is_no_leftover(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("a", b"1")
    root = tmp_path / "new" / "store"
    monkeypatch.setattr(os, "walk", lambda _: [(str(root), [], [".tmp-gone"])])
    assert list(store.leftovers()) == []


def test_a_leftover_that_is_removed_meanwhile_is_no_trouble(
    store: LocalStore, tmp_path: Path
) -> None:
    root = tmp_path / "new" / "store"
    store.put("a/1", b"1")
    # What a link leads to cannot be looked at, as what is gone.
    (root / "a" / ".tmp-gone").symlink_to("nowhere")
    LocalStore(root).put("a/2", b"1")
    assert [each.name for each in store.list("a/")] == ["a/1", "a/2"]


def test_what_the_disk_refuses_is_said(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path, __: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    store.put("a", b"1")
    with pytest.raises(ConnectorError, match="cannot read"):
        store.get("")
    with pytest.raises(ConnectorError, match="cannot write"):
        store.put("a/b", b"1")
    with pytest.raises(ConnectorError, match="cannot read"):
        list(store.list("a/"))
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(AccessError, match="Permission denied"):
        store.put("c", b"1")
