import io
import sys
from collections.abc import Callable

import pytest

from caldav_run import secret
from caldav_run.cli import console
from caldav_run.cli.live import LiveWatcher, PlainWatcher, watcher
from caldav_run.engine.events import (
    Event,
    Level,
    Noted,
    Planned,
    Progress,
    RunFinished,
    RunStarted,
    State,
    Step,
    StepFinished,
    StepStarted,
)

READ, WRITE = Step("read", "[cloud]"), Step("write", "vault")
EVENTS: tuple[Event, ...] = (
    RunStarted("nightly", dry=False, steps=(READ, WRITE)),
    StepStarted(READ),
    Progress(READ, 1234),
    Noted(READ, Level.INFO, "by the way"),
    Noted(READ, Level.WARNING, "kept [bold]though[/bold] odd"),
    Planned(WRITE, "Work", "+", "Lunch"),
    StepFinished(READ, State.OK, "1,234 items"),
    StepFinished(WRITE, State.FAILED, "nothing was written"),
    RunFinished("nightly", 1),
)


class Terminal(io.StringIO):
    """A terminal that remembers everything that was written to it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Put a terminal in the place of standard error, once the test has begun."""

    def watched() -> Terminal:
        made = Terminal()
        for name, value in {"TERM": "xterm-256color", "COLUMNS": "80"}.items():
            monkeypatch.setenv(name, value)
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(sys, "stderr", made)
        return made

    return watched


def test_plain_lines_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with watcher(quiet=False) as watch:
        assert isinstance(watch, PlainWatcher)
        for each in EVENTS:
            watch.take(each)
    assert capsys.readouterr().err.splitlines() == [
        "nightly: running",
        "by the way",
        "warning: kept [bold]though[/bold] odd",
        "read [cloud] [ok]: 1,234 items",
        "write vault [failed]: nothing was written",
    ]


def test_quiet_passes_trouble_only(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainWatcher(quiet=True) as watch:
        for each in EVENTS:
            watch.take(each)
    assert capsys.readouterr().err == "warning: kept [bold]though[/bold] odd\n"


def test_quiet_is_plain_on_a_terminal_too(watched: Callable[[], Terminal]) -> None:
    terminal = watched()
    assert isinstance(watcher(quiet=True), PlainWatcher)
    assert isinstance(watcher(quiet=False), LiveWatcher)
    assert terminal.getvalue() == ""


@pytest.fixture
def shown(watched: Callable[[], Terminal]) -> Callable[..., str]:
    """Return what is on a terminal after some events."""

    def shown(*events: Event) -> str:
        terminal = watched()
        with LiveWatcher() as watch:
            for each in events:
                watch.take(each)
        return terminal.getvalue()

    return shown


def test_a_table_of_steps_ends_with_how_they_ended(shown: Callable[..., str]) -> None:
    text = shown(*EVENTS)
    assert "nightly: running" in text
    # What is in brackets is text.
    assert "warning: kept [bold]though[/bold] odd" in text
    last = text.rsplit("\x1b[2K", 1)[-1].splitlines()
    assert last[0].split("  ")[0] == "read [cloud]"
    assert "\x1b[32mok    \x1b[0m" in last[0]
    assert "1,234 items" in last[0]
    assert "\x1b[31mfailed\x1b[0m" in last[1]
    assert text.endswith("\x1b[?25h")


def test_a_step_shows_how_far_it_is(shown: Callable[..., str]) -> None:
    text = shown(*EVENTS[:3])
    assert "\x1b[34mrunning\x1b[0m" in text
    assert "1,234 items" in text


def test_a_step_that_was_interrupted_does_not_go_on_running(shown: Callable[..., str]) -> None:
    last = shown(*EVENTS[:3], RunFinished("nightly", 130)).rsplit("\x1b[2K", 1)[-1]
    assert "\x1b[31mstopped\x1b[0m  1,234 items" in last
    assert "running" not in last


def test_neither_secrets_nor_controls_get_into_the_table(shown: Callable[..., str]) -> None:
    secret.hide(["pass-word-9"])
    step = Step("read", "evil\x1b[5mname")
    text = shown(
        RunStarted("nightly", dry=False, steps=(step,)),
        StepFinished(step, State.OK, "pass-word-9 \x07 told"),
    )
    assert "pass-word-9" not in text
    assert "\x1b[5m" not in text
    assert "*** \\x07 told" in text


def test_log_records_go_above_the_table(watched: Callable[[], Terminal]) -> None:
    terminal = watched()
    with LiveWatcher() as watch:
        watch.take(EVENTS[0])
        console.tell("warning: something")
    assert "warning: something\n" in terminal.getvalue().replace("\x1b[0m", "")
    # Standard output is left alone: what goes there is data.
    assert sys.stdout is not terminal
