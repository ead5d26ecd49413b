import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.connectors import vdir
from caldav_run.connectors.vdir_folder import Folder
from caldav_run.errors import CalendarError
from caldav_run.model import Calendar

TEXT = st.none() | st.text()
ROWS = st.dictionaries(st.text(), st.builds(vdir.Row, st.text(), TEXT, st.text()), max_size=4)
CALENDARS = st.builds(
    Calendar,
    id=st.text(),
    order=st.none() | st.integers(-(2**40), 2**40),
    description=TEXT,
    timezone=TEXT,
    components=st.lists(st.text()).map(tuple),
)


@given(CALENDARS, ROWS)
def test_an_index_is_read_as_it_was_written(calendar: Calendar, rows: dict[str, vdir.Row]) -> None:
    index = vdir.Index(calendar, rows)
    assert vdir.Index.from_json(index.to_json()) == index


def test_an_index_has_one_line_for_each_item_so_that_diffs_are_short() -> None:
    rows = {name: vdir.Row(name, None, "0") for name in ("b.ics", "a.ics")}
    lines = vdir.Index(Calendar(id="x"), rows).to_json().decode().splitlines()
    assert [json.loads(line.strip(" ,"))["name"] for line in lines if ".ics" in line] == [
        "a.ics",
        "b.ics",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2}',
        '{"version": 1}',
        '{"version": 1, "id": 5}',
        '{"version": 1, "id": "a", "order": "first"}',
        '{"version": 1, "id": "a", "order": true}',
        '{"version": 1, "id": "a", "items": [{"name": "x"}]}',
        '{"version": 1, "id": "a", "items": [1]}',
        "[" * 100_000,
        "\x00\xff",
    ],
)
def test_a_damaged_index_is_an_error_that_says_what_to_do(text: str, tmp_path: Path) -> None:
    (tmp_path / vdir.INDEX).write_text(text, encoding="latin-1")
    with (
        Folder.open(tmp_path) as folder,
        pytest.raises(CalendarError, match=r"calendar\.json is damaged: .*; restore it, or delete"),
    ):
        vdir.load_index(folder)


def test_a_folder_without_an_index_has_none(tmp_path: Path) -> None:
    with Folder.open(tmp_path) as folder:
        assert vdir.load_index(folder) is None


def test_an_index_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / vdir.INDEX).symlink_to("/etc/passwd")
    with Folder.open(tmp_path) as folder, pytest.raises(CalendarError, match="links are not"):
        vdir.load_index(folder)


def test_name_and_color_come_from_their_files(tmp_path: Path) -> None:
    (tmp_path / "displayname").write_text("Familie 🏡\n")
    (tmp_path / "color").write_text("#FF0000")
    with Folder.open(tmp_path) as folder:
        assert vdir.with_texts(Calendar(id="a"), folder) == Calendar(
            id="a", display_name="Familie 🏡", color="#FF0000"
        )


def test_an_empty_name_is_none(tmp_path: Path) -> None:
    (tmp_path / "displayname").write_text("\n")
    with Folder.open(tmp_path) as folder:
        assert vdir.with_texts(Calendar(id="a"), folder) == Calendar(id="a")


def test_hrefs_come_from_the_index_else_from_the_file_name() -> None:
    index = vdir.Index(Calendar(id="a"), {"x.ics": vdir.Row("%C3%A9.ics", None, "")})
    assert vdir.hrefs(["x.ics", "a b.ics"], index) == {
        "x.ics": "%C3%A9.ics",
        "a b.ics": "a%20b.ics",
    }


def test_an_href_that_two_files_claim_goes_to_the_first() -> None:
    rows = {name: vdir.Row("b.ics", None, "") for name in ("a.ics", "c.ics")}
    found = vdir.hrefs(["a.ics", "b.ics", "c.ics"], vdir.Index(Calendar(id="a"), rows))
    assert found == {"a.ics": "b.ics", "b.ics": "b-copy.ics", "c.ics": "c.ics"}


@given(st.lists(st.text(min_size=1), unique=True, max_size=6), st.lists(st.text(), max_size=6))
def test_every_file_has_an_href_and_no_two_have_the_same(
    names: list[str], listed: list[str]
) -> None:
    rows = {name: vdir.Row(href, None, "") for name, href in zip(names, listed, strict=False)}
    found = vdir.hrefs(names, vdir.Index(Calendar(id="a"), rows))
    assert set(found) == set(names)
    assert len(set(found.values())) == len(names)


def test_a_name_that_is_not_utf8_has_an_href() -> None:
    assert vdir.spelled("\udcff.ics") == "%FF.ics"


def test_items_are_known_by_their_suffix_in_any_case() -> None:
    assert vdir.is_item("A.ICS")
    assert not vdir.is_item("displayname")
