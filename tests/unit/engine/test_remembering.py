"""What became of a written item is known again."""

from dataclasses import replace
from pathlib import Path

from caldav_run.engine.remembering import Remembered
from caldav_run.ical.version import version
from caldav_run.testing.contracts.bodies import event

WANTED = version(event("a"), "a.ics", None)
FOUND = version(event("a", "Rewritten"), "a@b.ics", '"1"')


def test_what_a_destination_made_of_an_item_is_known_by_the_next_run(tmp_path: Path) -> None:
    with Remembered(tmp_path, "there") as first:
        first.remember("work", WANTED, FOUND)
    with Remembered(tmp_path, "there") as second:
        assert second.says("work", WANTED, FOUND)


def test_it_is_known_under_a_name_that_a_listing_escapes(tmp_path: Path) -> None:
    with Remembered(tmp_path, "there") as memory:
        memory.remember("work", WANTED, FOUND)
        assert memory.says("work", WANTED, replace(FOUND, href="a%40b.ics"))


def test_another_version_or_place_is_not_known(tmp_path: Path) -> None:
    other = version(event("a", "Changed"), FOUND.href, '"2"')
    with Remembered(tmp_path, "there") as memory:
        memory.remember("work", WANTED, FOUND)
        assert not memory.says("work", WANTED, other)
        assert not memory.says("work", other, FOUND)
        assert not memory.says("home", WANTED, FOUND)
        assert not memory.says("work", WANTED, replace(FOUND, href="b.ics"))
    with Remembered(tmp_path, "elsewhere") as elsewhere:
        assert not elsewhere.says("work", WANTED, FOUND)
