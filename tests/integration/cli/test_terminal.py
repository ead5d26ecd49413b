"""Terminals, pipes, signals: a run ends cleanly however it is watched or stopped."""

import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Desk

PATIENCE_S = 30.0


class Gate(ThreadingHTTPServer):
    """Passes requests on to a server; the first that holds `word` waits until the gate opens.

    Attributes:
        word: Closes the gate when a request holds it.
        reached: Set when that happened.
        opened: To be set when the rest may pass.
    """

    daemon_threads = False

    def __init__(self, target: str, word: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        self.target = target
        self.word = word
        self.reached = threading.Event()
        self.opened = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: that a client is stopped is what the tests are about."""


class Passage(BaseHTTPRequestHandler):
    server: Gate

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.word in self.requestline.encode() + body:
            self.server.reached.set()
            self.server.opened.wait(PATIENCE_S)
        with closing(HTTPConnection(self.server.target)) as onwards:
            del self.headers["Accept-Encoding"]
            onwards.request(self.command, self.path, body, dict(self.headers))
            answer = onwards.getresponse()
            said = answer.read()
        self.send_response(answer.status)
        for name in ("Content-Type", "ETag", "Location", "WWW-Authenticate", "DAV"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def gate(desk: "Desk") -> Iterator[Gate]:
    """A way to the desk's server that stops at the first request for items' bytes."""
    desk.measure_nothing()
    with Gate(urlsplit(desk.server.url).netloc, b"calendar-multiget") as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.opened.set()
        made.shutdown()
        thread.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_backup_commits_nothing_and_the_next_one_works(
    desk: "Desk", gate: Gate, number: signal.Signals
) -> None:
    desk.create()
    process = desk.start("quickstart.yaml", CALDAV_URL=gate.url)
    assert gate.reached.wait(PATIENCE_S)
    process.send_signal(number)
    done = desk.ended(process)
    gate.opened.set()
    assert done.status == 130
    assert done.out == "quickstart: interrupted: 0 items read, nothing written, exit status 130\n"
    assert desk.snapshots() == []
    assert not list(desk.folder.rglob(".tmp-*"))
    assert desk.run("run", "quickstart.yaml").status == 0
    assert len(desk.snapshots()) == 1


def test_a_stopped_restore_is_completed_by_the_next_one(desk: "Desk", gate: Gate) -> None:
    desk.create()
    desk.back_up()
    for name in ("work", "tasks"):
        desk.delete(f"{name}/")
    gate.word = b"PUT /"
    process = desk.start("run", "restore.yaml", CALDAV_URL=gate.url)
    assert gate.reached.wait(PATIENCE_S)
    process.send_signal(signal.SIGINT)
    assert desk.ended(process).status == 130
    gate.opened.set()
    assert desk.run("restore.yaml").status in {0, 3}
    done = desk.run("plan", "restore.yaml", "-q")
    assert "+" not in done.out


def test_the_pipelines_after_a_stopped_one_are_not_begun(desk: "Desk", gate: Gate) -> None:
    desk.create()
    process = desk.start("quickstart.yaml", "restore.yaml", CALDAV_URL=gate.url)
    assert gate.reached.wait(PATIENCE_S)
    process.send_signal(signal.SIGINT)
    done = desk.ended(process)
    assert done.status == 130
    assert "restore" not in done.text


def test_a_reader_that_goes_away_is_no_error(desk: "Desk") -> None:
    desk.create()
    desk.back_up()
    for arguments in (
        ["schema"],
        ["show", "quickstart.yaml", "--items"],
        ["run", "quickstart.yaml"],
    ):
        process = desk.start(*arguments)
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        done = desk.ended(process)
        assert done.status == 0, done
        assert "error" not in done.err


def test_an_output_that_is_full_is_told_and_the_backup_is_done(desk: "Desk") -> None:
    desk.create()
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [*desk.program, "quickstart.yaml"],
            cwd=desk.folder,
            env=desk.environment,
            stdout=full,
            stderr=subprocess.PIPE,
        )
        done = desk.ended(process)
    assert done.status == 1
    assert done.err.endswith("not all of the output could be written: No space left on device\n")
    assert len(desk.snapshots()) == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_closed_stream_stops_nothing(desk: "Desk", closed: str) -> None:
    desk.create()
    desk.wrapper = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh"]
    assert desk.run("quickstart.yaml").status == 0


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C"},
    ],
)
def test_every_locale_will_do(desk: "Desk", environment: dict[str, str]) -> None:
    desk.create()
    desk.back_up()
    done = desk.run("show", "quickstart.yaml", "--items", **environment)
    assert done.status == 0
    assert "Familie" in done.out
    assert ("🏡" in done.out) == (environment == {"LC_ALL": "C"})


def on_a_terminal(desk: "Desk", *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command on a terminal of its own, and return its status and what was on it."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(desk.folder)
        program = [*desk.program, *arguments]
        settings = desk.environment | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment
        os.execve(program[0], program, settings)  # noqa: S606 -- on the terminal that was forked
    text = b""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and select.select([terminal], [], [], PATIENCE_S)[0]:
        try:
            text += os.read(terminal, 65536)
        except OSError:
            break  # the other side is closed
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text.decode()


@pytest.fixture
def repository(desk: "Desk") -> "Desk":
    desk.create()
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        desk.environment.pop(name, None)
    return desk


def test_a_terminal_shows_a_table_and_is_left_as_it_was(repository: "Desk") -> None:
    status, text = on_a_terminal(repository, "run", "-v", "quickstart.yaml")
    assert status == 0
    assert "\x1b[33mchanged\x1b[0m" in text
    assert "+ Familie 🏡: calendar (new)" in text
    assert text.endswith("quickstart: done: 12 items read, 16 changes written\r\n")
    # Each hiding of the cursor is undone.
    assert re.findall(r"\x1b\[\?25[lh]", text)[-1] == "\x1b[?25h"


@pytest.mark.parametrize(
    ("environment", "redrawn", "colored"),
    [({"NO_COLOR": "1"}, True, False), ({"TERM": "dumb"}, False, False), ({}, True, True)],
)
def test_colours_and_redrawing_can_be_refused(
    repository: "Desk", environment: dict[str, str], *, redrawn: bool, colored: bool
) -> None:
    _, text = on_a_terminal(repository, "quickstart.yaml", **environment)
    assert ("\x1b[2K" in text) == redrawn
    assert bool(re.search(r"\x1b\[3\dm", text)) == colored
    assert "done: 12 items read" in text


def test_data_goes_to_its_file_while_a_terminal_watches(repository: "Desk") -> None:
    repository.wrapper = ["/bin/sh", "-c", 'exec "$@" >changes', "sh"]
    status, text = on_a_terminal(repository, "plan", "quickstart.yaml", "--detailed-exitcode")
    assert status == 10
    changes = (repository.folder / "changes").read_text().splitlines()
    assert len([each for each in changes if each.startswith("+ ")]) == 16
    assert "+ " not in text
    assert "would-change" in text
