"""What became of written items: remembered, and safe to lose."""

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

from caldav_run.engine.remembering import Remembered
from caldav_run.ical.version import version
from caldav_run.testing.contracts.bodies import event

WANTED = version(event("a"), "a.ics", None)
FOUND = version(event("a", "Rewritten"), "there.ics", None)


def test_what_was_found_is_known_again_in_the_next_run(tmp_path: Path) -> None:
    with Remembered(tmp_path, "here") as memory:
        assert not memory.says("work", WANTED, FOUND)
        memory.remember("work", WANTED, FOUND)
    with Remembered(tmp_path, "here") as memory:
        assert memory.says("work", WANTED, FOUND)
        assert not memory.says("home", WANTED, FOUND)
        assert not memory.says("work", FOUND, FOUND)


def test_another_destination_has_a_memory_of_its_own(tmp_path: Path) -> None:
    with Remembered(tmp_path, "here") as memory:
        memory.remember("work", WANTED, FOUND)
    with Remembered(tmp_path, "elsewhere") as memory:
        assert not memory.says("work", WANTED, FOUND)


def test_the_last_word_counts(tmp_path: Path) -> None:
    with Remembered(tmp_path, "here") as memory:
        memory.remember("work", WANTED, FOUND)
        memory.remember("work", FOUND, FOUND)
        assert not memory.says("work", WANTED, FOUND)
        assert memory.says("work", FOUND, FOUND)


def test_an_item_keeps_the_uid_that_it_was_written_with(tmp_path: Path) -> None:
    there = replace(FOUND, uid="spelled otherwise")
    with Remembered(tmp_path, "here") as memory:
        memory.remember("work", WANTED, there)
        changed = replace(there, digest=b"changed by hand")
        assert memory.as_written("work", [there, changed, WANTED]) == [
            replace(there, uid=WANTED.uid),
            changed,
            WANTED,
        ]
        assert memory.as_written("home", [there]) == [there]


def test_an_item_is_known_again_whose_name_a_listing_escapes(tmp_path: Path) -> None:
    there, listed = (replace(FOUND, href=href, uid="b") for href in ("a@b.ics", "a%40b.ics"))
    with Remembered(tmp_path, "here") as memory:
        memory.remember("work", WANTED, there)
        assert memory.says("work", WANTED, listed)
        assert memory.as_written("work", [listed]) == [replace(listed, uid=WANTED.uid)]


def test_two_runs_at_once_share_it(tmp_path: Path) -> None:
    with Remembered(tmp_path, "here") as one, Remembered(tmp_path, "here") as other:
        one.remember("work", WANTED, FOUND)
        assert other.says("work", WANTED, FOUND)


def test_nothing_is_kept_without_a_folder() -> None:
    with Remembered(None, "here") as memory:
        memory.remember("work", WANTED, FOUND)
        assert memory.says("work", WANTED, FOUND)


def test_a_damaged_memory_is_begun_anew(tmp_path: Path) -> None:
    with Remembered(tmp_path, "here") as memory:
        memory.remember("work", WANTED, FOUND)
    for file in (tmp_path / "mirrors").iterdir():
        file.write_bytes(b"no database" * 100)
    with Remembered(tmp_path, "here") as memory:
        assert not memory.says("work", WANTED, FOUND)
        memory.remember("work", WANTED, FOUND)
    with Remembered(tmp_path, "here") as memory:
        assert memory.says("work", WANTED, FOUND)


def test_a_folder_that_cannot_be_made_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "mirrors").write_text("a file")
    with Remembered(tmp_path, "here") as memory:
        assert not memory.says("work", WANTED, FOUND)


def test_a_memory_that_is_damaged_meanwhile_is_none(tmp_path: Path) -> None:
    with Remembered(tmp_path, "here") as memory:
        (file,) = (tmp_path / "mirrors").glob("*.sqlite")
        with contextlib.closing(sqlite3.connect(file)) as base:
            base.execute("DROP TABLE became")
        memory.remember("work", WANTED, FOUND)
        assert not memory.says("work", WANTED, FOUND)
