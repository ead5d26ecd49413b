import os
from collections.abc import Callable
from pathlib import Path

import pytest

from caldav_run.pipeline.check import check_file
from caldav_run.pipeline.load import parse
from caldav_run.pipeline.places import Span
from caldav_run.pipeline.render import render_text

GOOD = (
    b"version: 1\nname: \xc3\xbcber\nsources: {a: {type: ics, path: a}}\n"
    b"sinks: {b: {type: ics, path: b}}\n"
)


def report(path: Path) -> str:
    found = check_file(path, sets={}, environ={}, strict_env=True)
    return render_text(found.problems).replace(f"{path.parent}/", "")


@pytest.fixture
def told(tmp_path: Path) -> Callable[[bytes], str]:
    def run(data: bytes) -> str:
        path = tmp_path / "p.yaml"
        path.write_bytes(data)
        return report(path)

    return run


def test_a_missing_file_is_told_with_a_similar_name(tmp_path: Path) -> None:
    (tmp_path / "nightly.yaml").write_bytes(GOOD)
    assert report(tmp_path / "nigthly.yaml") == (
        "error[file-missing]: there is no such file\n"
        "  --> nigthly.yaml\n"
        '   = did you mean "nightly.yaml"?\n'
        "1 error in 1 file; nothing was run."
    )


def test_a_file_in_a_missing_folder_is_missing(tmp_path: Path) -> None:
    assert "error[file-missing]" in report(tmp_path / "no" / "p.yaml")


def test_a_folder_is_told_as_one(tmp_path: Path) -> None:
    assert "error[file-is-folder]: this is a folder" in report(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.touch(mode=0)
    assert "error[file-unreadable]: the file may not be read" in report(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    os.mkfifo(path)
    assert "error[file-unreadable]: this is a device or a pipe" in report(path)


def test_a_name_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    assert "the file cannot be opened" in report(tmp_path / ("x" * 300))


def test_a_name_with_a_zero_byte_is_told() -> None:
    assert "its name is not valid" in report(Path("a\0b"))


def test_an_empty_file_is_told(told: Callable[[bytes], str]) -> None:
    assert told(b"") == (
        "error[file-empty]: the file is empty\n"
        "  --> p.yaml\n"
        "   = begin with: version: 1\n"
        "1 error in 1 file; nothing was run."
    )


@pytest.mark.parametrize("data", [b"# nothing\n", b"---\n...\n", b"~\n"])
def test_a_file_without_a_value_is_empty(told: Callable[[bytes], str], data: bytes) -> None:
    assert "error[file-empty]" in told(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("version: 1\n".encode("utf-16"), "the file is UTF-16"),
        ("version: 1\n".encode("utf-16-le"), "the file is UTF-16"),
        ("version: 1\n".encode("utf-16-be"), "the file is UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"x" * 80, "the file is binary"),
        (b"a: 1\nb: \xe9\n", "byte 0xe9 in line 2 is not UTF-8"),
    ],
)
def test_what_is_no_utf_8_text_is_told(
    told: Callable[[bytes], str], data: bytes, words: str
) -> None:
    assert f"error[not-utf8]: {words}" in told(data)


def test_the_mark_of_windows_editors_moves_no_column(told: Callable[[bytes], str]) -> None:
    assert told(b"\xef\xbb\xbf" + GOOD) == "0 errors in 1 file."
    assert "p.yaml:1:1" in told(b"\xef\xbb\xbfx: 1\n")


def test_a_file_of_more_than_a_mebibyte_is_refused(told: Callable[[bytes], str]) -> None:
    assert "error[file-too-large]" in told(b"#" * ((1 << 20) + 1))


def test_a_control_character_is_told_at_its_place(told: Callable[[bytes], str]) -> None:
    assert "U+0007 is not allowed\n  --> p.yaml:2:4" in told(b"a: 1\nb: \x07\n")


def test_a_control_character_as_an_escape_is_refused(told: Callable[[bytes], str]) -> None:
    assert "error[control-character]" in told(b'name: "a\\0b"\n')


def test_a_tab_is_told_as_such(told: Callable[[bytes], str]) -> None:
    assert told(b"a:\n\tb: 1\n") == (
        "error[yaml-tab]: a tab indents this line; YAML is indented with spaces\n"
        "  --> p.yaml:2:1\n"
        "2 |  b: 1\n"
        "  | ^ replace the tab with spaces\n"
        "1 error in 1 file; nothing was run."
    )


@pytest.mark.parametrize(
    ("data", "place", "hint"),
    [
        (b"a: b: c\n", "p.yaml:1:5", 'quote a value that holds ": "'),
        (b'a: 1\nb: "x\n', "p.yaml:2:4", "close the quote, bracket or brace"),
        (b"a: [1\n", "p.yaml:1:4", "close the list with ]"),
        (b"a: @x\n", "p.yaml:1:4", "quote a value that begins like this"),
        (b"a: 1\n  b: 2\n", "p.yaml:2:4", "quote a value that holds"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(
    told: Callable[[bytes], str], data: bytes, place: str, hint: str
) -> None:
    text = told(data)
    assert "error[yaml-syntax]" in text
    assert place in text
    assert hint in text


def test_a_syntax_error_that_began_earlier_names_that_line(told: Callable[[bytes], str]) -> None:
    assert "that begins in line " in told(b"a:\n  b: 1\n c: 2\n")


def test_a_calendar_file_is_recognised(told: Callable[[bytes], str]) -> None:
    assert "this is a calendar file, not a pipeline" in told(b"BEGIN:VCALENDAR\nEND:VCALENDAR\n")


@pytest.mark.parametrize(("data", "kind"), [(b"hello\n", "text"), (b"- a\n", "a list")])
def test_what_is_no_map_is_no_pipeline(
    told: Callable[[bytes], str], data: bytes, kind: str
) -> None:
    assert f"error[not-a-pipeline]: a pipeline is a map of keys and values, but this is {kind}" in (
        told(data)
    )


def test_every_value_keeps_its_place() -> None:
    document, problems = parse("a: {b: [1, 'x y']}\nc: |\n  text\n")
    assert problems == []
    assert document.value == {"a": {"b": [1, "x y"]}, "c": "text\n"}
    assert document.places["a", "b"].key == Span(1, 5, 1)
    assert document.places["a", "b", 1].value == Span(1, 12, 5)
    assert document.places["c",].style == "|"
