import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from caldav_run.connectors.mirroring import Order, Outcome
from caldav_run.engine.journal import FOLDER, Journal, Saved, find, journals
from caldav_run.engine.trail import Sure, Trail, trails
from caldav_run.errors import ItemError, TemporaryError, UnsureError, UsageError
from caldav_run.model import Calendar, Stamp, Version

NOW: Final = datetime(2026, 5, 1, 8, tzinfo=UTC)
HEAD: Final = {"pipeline": "nightly", "file": "/nightly.yaml", "sets": {}}


def version(name: str, digest: bytes) -> Version:
    return Version(
        uid=name,
        href=f"{name}.ics",
        etag='"0"',
        digest=digest,
        stamp=Stamp(),
        scheduled=False,
        label=name.title(),
    )


def outcome(error: ItemError | None = None, *, moved: bool = False) -> Outcome:
    order = Order(None, None, bytes)
    return Outcome(order, None if error else "a.ics", '"1"', error, moved)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path, NOW, HEAD)
    made.place("cloud", "https://cloud/alice", {"to": "cloud"})
    return made


def trail(journal: Journal, state: Path) -> Trail:
    journal.close()
    (only,) = trails(find(state, journal.run))
    return only


def test_nothing_is_made_before_the_first_line(tmp_path: Path) -> None:
    made = Journal(tmp_path, NOW, HEAD)
    made.close()
    assert not made.begun
    assert not list(tmp_path.iterdir())


def test_only_the_user_can_read_it(journal: Journal, tmp_path: Path) -> None:
    (file,) = (tmp_path / FOLDER).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    journal.close()


def test_a_write_is_told_with_what_became_of_it(journal: Journal, tmp_path: Path) -> None:
    number = journal.intend("cloud", "family", version("a", b"\1"), version("a", b"\0"))
    journal.ended(number, outcome())
    found = trail(journal, tmp_path)
    (item,) = found.items
    assert (found.origin, found.where["to"]) == ("https://cloud/alice", "cloud")
    assert (item.calendar, item.href, item.was) == ("family", "a.ics", "a.ics")
    assert (item.before, item.after, item.etag, item.sure) == (b"\0", {b"\1"}, '"1"', Sure.DONE)


def test_a_write_whose_end_is_not_told_may_have_taken_place(
    journal: Journal, tmp_path: Path
) -> None:
    journal.intend("cloud", "family", version("a", b"\1"), None)
    (item,) = trail(journal, tmp_path).items
    assert (item.href, item.before, item.sure) == (None, None, Sure.UNKNOWN)


def test_what_a_server_makes_of_it_is_the_runs_as_well(journal: Journal, tmp_path: Path) -> None:
    number = journal.intend("cloud", "family", version("a", b"\1"), None)
    journal.ended(number, outcome())
    journal.found("cloud", "family", version("a", b"\2"))
    journal.found("cloud", "family", version("b", b"\3"))
    (item,) = trail(journal, tmp_path).items
    assert item.after == {b"\1", b"\2"}


def test_an_item_that_was_written_twice_was_what_it_was_at_first(
    journal: Journal, tmp_path: Path
) -> None:
    for old, new in ((b"\0", b"\1"), (b"\1", b"\2")):
        number = journal.intend("cloud", "family", version("a", new), version("a", old))
        journal.ended(number, outcome())
    (item,) = trail(journal, tmp_path).items
    assert (item.before, item.after) == (b"\0", {b"\2"})


def test_an_item_that_went_and_came_back_under_another_spelling_is_one(
    journal: Journal, tmp_path: Path
) -> None:
    number = journal.intend("cloud", "family", None, version("a%40b", b"\0"))
    journal.ended(number, Outcome(Order(None, None, bytes)))
    number = journal.intend("cloud", "family", version("a@b", b"\0"), None)
    journal.ended(number, Outcome(Order(None, None, bytes), "a@b.ics", '"2"'))
    journal.found("cloud", "family", version("a%40b", b"\1"))
    (item,) = trail(journal, tmp_path).items
    assert (item.href, item.was, item.before) == ("a@b.ics", "a%40b.ics", b"\0")
    assert item.after == {b"\0", b"\1"}


def test_two_files_whose_names_are_alike_but_for_escapes_are_two(
    journal: Journal, tmp_path: Path
) -> None:
    for name in ("a%40b", "a@b"):
        number = journal.intend("cloud", "family", version(name, b"\1"), version(name, b"\0"))
        journal.ended(number, Outcome(Order(None, None, bytes), f"{name}.ics", '"2"'))
    assert [each.href for each in trail(journal, tmp_path).items] == ["a%40b.ics", "a@b.ics"]


def test_what_the_destination_put_off_was_not_done(journal: Journal, tmp_path: Path) -> None:
    number = journal.intend("cloud", "family", version("a", b"\1"), version("a", b"\0"))
    journal.ended(number, outcome(ItemError("412"), moved=True))
    number = journal.intend("cloud", "family", version("b", b"\1"), None)
    journal.ended(number, outcome(ItemError("507")))
    (item,) = trail(journal, tmp_path).items
    assert (item.uid, item.sure) == ("b", Sure.FAILED)


def test_a_failure_of_which_it_is_not_known_what_it_did_may_have_taken_place(
    journal: Journal, tmp_path: Path
) -> None:
    number = journal.intend("cloud", "family", None, version("a", b"\0"))
    journal.ended(number, outcome(UnsureError("no answer")))
    (item,) = trail(journal, tmp_path).items
    assert (item.before, item.after, item.sure) == (b"\0", set(), Sure.UNKNOWN)


def test_a_deletion_has_no_version_after_it(journal: Journal, tmp_path: Path) -> None:
    number = journal.intend("cloud", "family", None, version("a", b"\0"))
    journal.ended(number, Outcome(Order(None, None, bytes)))
    (item,) = trail(journal, tmp_path).items
    assert (item.href, item.before, item.after, item.sure) == ("a.ics", b"\0", set(), Sure.DONE)


def test_calendars_and_the_snapshot_are_told(journal: Journal, tmp_path: Path) -> None:
    family, work = (
        Calendar(id="family", display_name="Family", components=("VEVENT",)),
        Calendar(id="w"),
    )
    saved = Saved(sink=None, account="before-cloud", snapshot="ab12")
    journal.saved("cloud", saved)
    journal.calendar("cloud", "family", "vault", family)
    journal.whole("create", "cloud", family)
    journal.whole("remove", "cloud", work)
    found = trail(journal, tmp_path)
    assert found.saved == saved
    assert found.sources == {"family": ("vault", family)}
    assert (found.created, found.removed) == ({"family": family}, {"w": work})


def test_each_destination_has_its_own_trail(journal: Journal, tmp_path: Path) -> None:
    journal.place("plain", "/srv/plain", {"to": "plain"})
    for sink in ("cloud", "plain"):
        journal.ended(journal.intend(sink, sink, version(sink, b"\1"), None), outcome())
    journal.close()
    one, other = trails(find(tmp_path, journal.run))
    assert [each.uid for each in one.items] == ["cloud"]
    assert [each.uid for each in other.items] == ["plain"]


def test_a_line_that_a_kill_cut_off_is_passed_over(journal: Journal, tmp_path: Path) -> None:
    journal.intend("cloud", "family", version("a", b"\1"), None)
    journal.close()
    (file,) = (tmp_path / FOLDER).iterdir()
    file.write_bytes(file.read_bytes() + b'{"op": "wri')
    assert len(trail(journal, tmp_path).items) == 1


def test_a_killed_run_that_was_undone_says_so(journal: Journal, tmp_path: Path) -> None:
    journal.close()
    (file,) = (tmp_path / FOLDER).iterdir()
    with file.open("ab") as end:
        end.write(b'{"op":"wri')
    find(tmp_path, journal.run).mark_undone("20260502T080000Z-abcd")
    assert find(tmp_path, journal.run).undone == "20260502T080000Z-abcd"


def test_a_line_that_a_full_disk_cut_off_takes_no_other_with_it(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = os.write, [10]

    def full(file: int, data: memoryview) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(file, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(TemporaryError):
        journal.intend("cloud", "family", version("a", b"\1"), None)
    monkeypatch.undo()
    journal.intend("cloud", "family", version("b", b"\1"), None)
    (item,) = trail(journal, tmp_path).items
    assert item.uid == "b"


def test_an_undoing_that_cannot_be_written_down_is_told(journal: Journal, tmp_path: Path) -> None:
    journal.close()
    found = find(tmp_path, journal.run)
    found.path.unlink()
    found.path.mkdir()
    with pytest.raises(TemporaryError, match="cannot be written down"):
        found.mark_undone("x")


def test_a_run_that_is_not_over_is_not_undone(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="is not over"):
        find(tmp_path, journal.run)
    journal.close()
    assert find(tmp_path, journal.run).run == journal.run


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    made = [Journal(tmp_path, NOW + timedelta(minutes=each), HEAD) for each in (0, 1)]
    for each in made:
        each.place("cloud", "o", {})
        each.close()
    assert find(tmp_path, "20260501T0800").time == NOW
    assert find(tmp_path, "latest").run == made[1].run
    with pytest.raises(UsageError, match='several runs begin with "2026"'):
        find(tmp_path, "2026")
    with pytest.raises(UsageError, match='no run that can be undone is called "1999"'):
        find(tmp_path, "1999")


def test_a_run_that_was_undone_says_so(journal: Journal, tmp_path: Path) -> None:
    journal.close()
    find(tmp_path, "latest").mark_undone("20260502")
    assert find(tmp_path, "latest").undone == "20260502"


@pytest.mark.parametrize("text", [b"", b"{}\n", b"no json\n", b'{"format":"other"}\n', b"[]\n"])
def test_another_file_is_no_journal(tmp_path: Path, text: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "x.jsonl").write_bytes(text)
    assert journals(tmp_path) == []


def test_old_runs_are_forgotten(journal: Journal, tmp_path: Path) -> None:
    journal.close()
    later = Journal(tmp_path, datetime.now(UTC) + timedelta(days=100), HEAD)
    later.place("cloud", "o", {})
    later.close()
    assert [each.run for each in journals(tmp_path)] == [later.run]


def test_what_cannot_be_written_down_is_not_done(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    with pytest.raises(TemporaryError, match="cannot write down"):
        Journal(tmp_path, NOW, HEAD).place("cloud", "o", {})
