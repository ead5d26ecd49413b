import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caldav_run import secret
from caldav_run.cli import console
from caldav_run.errors import SetupError

Printed = pytest.CaptureFixture[str]


def test_data_and_messages_go_separate_ways(capsys: Printed) -> None:
    console.out("data")
    console.tell("message")
    assert tuple(capsys.readouterr()) == ("data\n", "message\n")


def test_an_error_is_followed_by_its_mend(capsys: Printed) -> None:
    console.error(SetupError("it is broken", mend="mend it"))
    console.error(SetupError("it is lost"))
    assert capsys.readouterr().err == "error: it is broken\n  = mend it\nerror: it is lost\n"


def test_a_revealed_secret_is_masked_everywhere(capsys: Printed) -> None:
    hidden = 'quo"ted\\secret'
    secret.hide([hidden])
    console.out(f"a {hidden} b")
    console.tell(f"a {hidden} b")
    console.table([(hidden, "x")])
    console.document(
        {"words": [hidden, (hidden, 1, None, True)], "time": datetime(2026, 1, 1, tzinfo=UTC)}
    )
    out, err = capsys.readouterr()
    assert hidden not in out + err
    lines = out.splitlines()
    assert lines[:2] == ["a *** b", "***  x"]
    assert json.loads("\n".join(lines[2:])) == {
        "words": ["***", ["***", 1, None, True]],
        "time": "2026-01-01 00:00:00+00:00",
    }
    assert err == "a *** b\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tab\tand\nline", "tab\tand\nline"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("invoice\u202egnp.exe", "invoice\\u202egnp.exe"),
        ("🏡 עברית", "🏡 עברית"),
    ],
)
def test_a_servers_text_does_not_steer_the_terminal(text: str, expected: str) -> None:
    assert console.shown(text) == expected


def test_a_table_is_aligned_by_what_is_seen(capsys: Printed) -> None:
    console.table([("NAME", "ITEMS"), ("家庭🏡", "1"), ("two\nlines", "2")])
    assert capsys.readouterr().out == "NAME       ITEMS\n家庭🏡     1\ntwo lines  2\n"


def test_bytes_are_written_as_they_are(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    console.out("before")
    console.raw(b"\xff\r\n\x1b")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"before\n\xff\r\n\x1b"


def test_a_character_that_the_terminal_lacks_is_spelt_out(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii"))
    console.out("Zoë 🏡")
    console.flush()
    assert buffer.getvalue() == b"Zo\\xeb \\U0001f3e1\n"


def test_closed_streams_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    console.out("x")
    console.tell("x")
    console.raw(b"x")
    assert console.lost() is None


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[OSError]:
    found: list[OSError] = []
    monkeypatch.setattr(console, "_failures", found)
    return found


def full() -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(io.FileIO("/dev/full", "w"), 16), "utf-8", line_buffering=True
    )


def test_what_could_not_be_printed_is_told_at_the_end(
    monkeypatch: pytest.MonkeyPatch, failures: list[OSError]
) -> None:
    with full() as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        console.out("x" * 100)
        console.out("more")
        problem = console.lost()
    assert len(failures) == 1
    assert str(problem) == "not all of the output could be written: No space left on device"


def test_bytes_that_could_not_be_printed_are_told_too(
    monkeypatch: pytest.MonkeyPatch, failures: list[OSError]
) -> None:
    with full() as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        console.raw(b"x" * 100)
    assert failures


def test_what_is_lost_in_the_last_moment_is_told(
    monkeypatch: pytest.MonkeyPatch, failures: list[OSError]
) -> None:
    with io.TextIOWrapper(io.BufferedWriter(io.FileIO("/dev/full", "w")), "utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        console.out("x")
        assert not failures
        assert console.lost() is not None


def test_messages_that_nobody_can_read_stop_nothing(
    monkeypatch: pytest.MonkeyPatch, failures: list[OSError]
) -> None:
    with full() as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        console.tell("x" * 100)
        console.tell("more")
    assert not failures


def test_a_reader_that_went_away_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, failures: list[OSError], tmp_path: Path
) -> None:
    with (tmp_path / "out").open("w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        console.lose_data(BrokenPipeError(32, "Broken pipe"))
        console.out("x")
        assert console.lost() is None
    assert not failures
    assert (tmp_path / "out").read_text() == ""


@pytest.mark.parametrize(
    ("terminal", "term", "expected"),
    [(True, "xterm", True), (True, "dumb", False), (True, None, False), (False, "xterm", False)],
)
def test_a_person_watches_a_terminal_that_can_redraw(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, term: str | None, expected: bool
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    if term is None:
        monkeypatch.delenv("TERM", raising=False)
    else:
        monkeypatch.setenv("TERM", term)
    assert console.watched(stream) is expected


def test_nobody_watches_a_closed_stream() -> None:
    assert not console.watched(None)


def test_a_document_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "a\x1b[2J\x9b2J\x7f\u202etxt\u2066"
    console.document({"title": evil, evil: 1})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == {"title": evil, evil: 1}
