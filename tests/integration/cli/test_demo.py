"""The demo shows what it says, wherever it is called, and leaves nothing behind."""

import os
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TIME_LIMIT_S = 30
# Hides Radicale, as where it is not installed.
WITHOUT_RADICALE = """\
import sys
sys.modules["radicale"] = None
from caldav_run.cli.main import main
sys.argv = ["caldav-run", "demo"]
main()
"""


@dataclass
class Place:
    """A folder from which the demo is called, and all that must stay as it was."""

    folder: Path
    mark: str
    measured: bool = True

    def start(self, *program: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if "CALDAV" not in name}
        if not self.measured:
            kept = {name: value for name, value in kept.items() if not name.startswith("COV")}
        precious = str(self.folder / "precious")
        return subprocess.Popen(
            [sys.executable, "-P", *(program or ("-m", "caldav_run", "demo"))],
            cwd=self.folder / "here",
            env=kept
            | {
                "TMPDIR": str(self.folder / "tmp"),
                "HOME": precious,
                "XDG_CONFIG_HOME": precious,
                "XDG_STATE_HOME": precious,
                "CALDAV_RUN_CONFIG_DIR": precious,
                "CALDAV_RUN_STATE_DIR": precious,
                "CALDAV_RUN_IDENTITY": f"{precious}/identity.txt",
                "CALDAV_RUN_VAULT": precious,
                "CALDAV_URL": "https://calendars.invalid/",
                "CALDAV_PASSWORD": "the real one",
                "DEMO_MARK": self.mark,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            preexec_fn=_listen_to_ctrl_c,  # noqa: PLW1509 -- see conftest
        )

    def check(self) -> None:
        """Hold the place to what must be so afterwards."""
        assert not list((self.folder / "tmp").iterdir())
        assert not list((self.folder / "precious").iterdir())
        assert not [each for each in Path("/proc").glob("[0-9]*") if self._started(each)]

    def _started(self, process: Path) -> bool:
        try:
            return self.mark.encode() in (process / "environ").read_bytes()
        except OSError:
            return False


def _listen_to_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for each in ("here", "tmp", "precious"):
        (tmp_path / each).mkdir()
    # What lies in the current folder is not the program's.
    for name in ("radicale", "caldav_run", "json", "yaml"):
        (tmp_path / "here" / f"{name}.py").write_text("raise SystemExit('not me')\n")
    return Place(tmp_path, secrets.token_hex(8))


def test_the_demo_runs_to_its_end(place: Place) -> None:
    with place.start() as process:
        text, _ = process.communicate(timeout=2 * TIME_LIMIT_S)
    assert process.returncode == 0, text
    for line in (
        "  $ caldav-run quickstart.yaml\n",
        "quickstart: done: 62 items read, 66 changes written\n",
        ", 4 read anew\n",
        "moved from 10:00 to 11:30\n",
        "restore: done: 62 items read, 1 change written\n",
        "It is back",
    ):
        assert line in text
    assert "\x1b" not in text
    place.check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["A Radicale server starts", "quickstart: running"])
def test_a_demo_that_is_stopped_leaves_nothing_behind(
    place: Place, moment: str, number: signal.Signals
) -> None:
    # A signal may find coverage's lock held, for ever.
    place.measured = False
    with place.start() as process:
        try:
            assert process.stdout is not None
            while moment not in process.stdout.readline():
                assert process.poll() is None
            # A terminal tells Ctrl-C to all that was started, a service manager only to one.
            if number is signal.SIGINT:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            text, _ = process.communicate(timeout=TIME_LIMIT_S)
        finally:
            process.kill()
    assert process.returncode == 130, text
    assert text.endswith("interrupted: the server and all that was made are gone\n")
    assert "Traceback" not in text
    place.check()


def test_a_missing_radicale_is_named_with_how_to_install_it(place: Place) -> None:
    with place.start("-c", WITHOUT_RADICALE) as process:
        text, _ = process.communicate(timeout=TIME_LIMIT_S)
    assert process.returncode == 78
    assert text.splitlines()[-2:] == [
        "error: radicale is not installed",
        "  = pip install 'caldav-run[demo]'",
    ]
    place.check()
