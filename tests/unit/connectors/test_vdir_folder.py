import errno
import os
from pathlib import Path

import pytest

from caldav_run.connectors.vdir_folder import Entry, Folder, Kind, reason


def test_hidden_entries_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "b.ics").touch()
    (tmp_path / "a").mkdir()
    (tmp_path / "l").symlink_to("b.ics")
    os.mkfifo(tmp_path / "p")
    with Folder.open(tmp_path) as folder:
        assert folder.entries() == [
            Entry("a", Kind.FOLDER),
            Entry("b.ics", Kind.FILE),
            Entry("l", Kind.LINK),
            Entry("p", Kind.OTHER),
        ]


def test_a_link_inside_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"secret")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "link").symlink_to(tmp_path / "file")
    (tmp_path / "inside" / "up").symlink_to(tmp_path)
    with Folder.open(tmp_path / "inside") as folder:
        with pytest.raises(OSError, match="symbolic") as caught:
            folder.read("link", 100)
        with pytest.raises(NotADirectoryError):
            folder.enter("up")
        assert reason(caught.value) == "it is a symbolic link, and links are not followed"
        assert folder.links_to_folder("up")
        assert not folder.links_to_folder("link")
        assert not folder.links_to_folder("nothing")


def test_a_root_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").write_bytes(b"1")
    (tmp_path / "link").symlink_to("real")
    with Folder.open(tmp_path / "link") as folder:
        assert folder.read("x", 1) == b"1"


def test_a_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with Folder.open(tmp_path) as folder, pytest.raises(OSError, match="not a regular file"):
        folder.read("p", 100)


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * ((1 << 20) + 1))
    with Folder.open(tmp_path) as folder:
        with pytest.raises(OSError, match="larger than 1 MiB") as caught:
            folder.read("big", 1 << 20)
        assert caught.value.errno == errno.EFBIG
        assert len(folder.read("big", (1 << 20) + 1)) == (1 << 20) + 1


def test_writing_replaces_a_link_instead_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "name").symlink_to("target")
    with Folder.open(tmp_path) as folder:
        folder.write("name", [b"new"])
    assert (tmp_path / "target").read_bytes() == b"old"
    assert (tmp_path / "name").read_bytes() == b"new"


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with Folder.open(tmp_path) as folder, pytest.raises(OSError, match="directory"):
        folder.write("taken", [b"data"])
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    with Folder.open(tmp_path) as folder:
        folder.make("a").close()
        folder.make("a").close()
        assert folder.exists("a")
        assert not folder.exists("b")


def test_closing_twice_is_safe(tmp_path: Path) -> None:
    folder = Folder.open(tmp_path)
    folder.close()
    folder.close()


def test_a_reason_names_no_path() -> None:
    assert reason(OSError(errno.ENOSPC, "No space left on device", "/x")) == (
        "no space left on device"
    )
    assert reason(OSError("odd")) == "odd"


def test_what_a_killed_run_left_is_swept_after_a_day(tmp_path: Path) -> None:
    with Folder.open(tmp_path) as folder:
        old, new = folder.stage([b"old"]), folder.stage([b"new"])
        (tmp_path / ".caldav-run-notes.tmp").touch()
        for name in (old, ".caldav-run-notes.tmp"):
            os.utime(tmp_path / name, (0, 0))
        folder.sweep()
    assert {each.name for each in tmp_path.iterdir()} == {new, ".caldav-run-notes.tmp"}


def test_a_failed_staging_leaves_nothing_behind(tmp_path: Path) -> None:
    with Folder.open(tmp_path) as folder, pytest.raises(TypeError):
        folder.stage(["text"])  # type: ignore[list-item]
    assert not list(tmp_path.iterdir())


def test_a_deletion_that_is_refused_is_an_error_and_of_a_file_that_is_gone_is_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "folder.ics").mkdir()
    (tmp_path / "file.ics").touch()
    with Folder.open(tmp_path) as folder:
        folder.delete("file.ics")
        folder.delete("file.ics")
        with pytest.raises(OSError, match=r"directory|not permitted"):
            folder.delete("folder.ics")
    assert [each.name for each in tmp_path.iterdir()] == ["folder.ics"]
