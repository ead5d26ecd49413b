"""Embedded servers answer while they are needed, and leave nothing running."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from caldav_run.errors import ItemError, SetupError, TemporaryError
from caldav_run.testing import processes, servers


@pytest.mark.parametrize("kind", ["radicale", "xandikos"])
def test_a_server_runs_as_long_as_it_is_needed(tmp_path: Path, kind: str) -> None:
    starter = {"radicale": servers.embedded_radicale, "xandikos": servers.embedded_xandikos}[kind]
    with starter(tmp_path / "new" / "folder") as server:
        assert server.send("MKCALENDAR", "work/") == 201
        assert set(server.options) >= {"url"}
    assert server.send("OPTIONS", "") == 0


def test_a_failure_or_an_interrupt_ends_the_server(tmp_path: Path) -> None:
    seen = []
    with contextlib.suppress(KeyboardInterrupt), servers.embedded_radicale(tmp_path) as server:
        seen.append(server)
        raise KeyboardInterrupt
    assert seen[0].send("OPTIONS", "") == 0


def test_a_server_goes_with_a_program_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from caldav_run.testing.servers import embedded_radicale\n"
        "with embedded_radicale(pathlib.Path(sys.argv[1])) as server:\n"
        "    print(server.url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        url = started.stdout.readline().decode().strip()
        server = servers.Server(url, "alice", "", "/alice/")
        assert server.send("OPTIONS", "") != 0
        started.kill()
    limit = time.monotonic() + 10
    while server.send("OPTIONS", "") and time.monotonic() < limit:
        time.sleep(0.05)
    assert server.send("OPTIONS", "") == 0


def test_the_password_is_neither_shown_nor_readable_by_others(tmp_path: Path) -> None:
    with servers.embedded_radicale(tmp_path, {"bob": "hunter2"}) as server:
        assert "hunter2" not in repr(server)
        assert (tmp_path / "users").stat().st_mode & 0o777 == 0o600


def test_a_refused_item_is_told(tmp_path: Path) -> None:
    with servers.embedded_radicale(tmp_path) as server, pytest.raises(ItemError, match="answered"):
        server.put("nowhere/a.ics", b"nonsense")


def test_a_missing_package_is_told_with_the_way_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with (
        pytest.raises(SetupError, match=r"pip install 'caldav-run\[demo\]'"),
        servers.embedded_radicale(tmp_path),
    ):
        pass


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "collections").write_text("in the way")
    with (
        pytest.raises(TemporaryError, match="ended at once"),
        servers.embedded_radicale(tmp_path) as server,
    ):
        server.send("PROPFIND", "")


def test_a_server_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_START_LIMIT_S", 0.0)
    with (
        pytest.raises(TemporaryError, match="did not answer"),
        servers.embedded_xandikos(tmp_path),
    ):
        pass


def test_a_server_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.Popen.terminate", lambda _: None)
    with servers.embedded_radicale(tmp_path) as server:
        monkeypatch.setattr(processes, "_STOP_LIMIT_S", 0.1)
    assert server.send("OPTIONS", "") == 0
