"""The verb `demo`: the quick start, on a server of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from caldav_run.cli import console
from caldav_run.errors import CaldavRunError

if TYPE_CHECKING:
    from caldav_run.testing.servers import Server

_PIPELINES: Final = ("quickstart.yaml", "restore.yaml")


class DemoError(CaldavRunError):
    """A step of the demo did not do what it says."""


def demo() -> None:
    """Show all of it on a sample server of its own.

    Starts a Radicale with a sample account on this machine, backs it up, changes it, backs it up
    again, compares, and brings a deleted event back. Leaves nothing behind.
    """
    try:
        show_all()
    except KeyboardInterrupt:
        console.tell("interrupted: the server and all that was made are gone")
        raise


def show_all() -> None:
    """Take every step of the demo.

    Raises:
        DemoError: A step did not do what it says.
        SetupError: Radicale is not installed.
    """
    from caldav_run.testing.sample import deleted, make, sample_account, sample_changes, upload
    from caldav_run.testing.servers import embedded_radicale

    today = date.today()  # noqa: DTZ011 -- the sample lies around the person's own day
    with _folder() as folder, embedded_radicale(folder / "radicale") as server:
        _say("A Radicale server starts, with a sample account: work, family, birthdays, tasks.")
        upload(server, sample_account(today))
        guide = Guide(folder, server)
        _say("Once: keys and an encrypted repository are made; the recovery sheet is for paper.")
        guide.run("create", "quickstart.yaml", "--yes", show=False)
        _say("The first backup reads every calendar.")
        guide.run("quickstart.yaml")
        _say("Somebody works on the calendars:")
        for change in sample_changes(today):
            console.out(f"  - {change.told}")
            make(server, change)
        _say("The second backup reads only what is new.")
        guide.run("quickstart.yaml")
        _say("What has changed between the two?")
        guide.run("diff", "quickstart.yaml")
        gone = deleted(today)
        _say("The deleted event comes back from the first snapshot; what is newer stays.")
        guide.run("run", "restore.yaml", "--set", "as_of=latest~1")
        if server.send("GET", f"{gone.calendar}/{gone.href}") != HTTPStatus.OK:
            raise DemoError(f"{gone.calendar}/{gone.href} is not back on the server")
        _say("It is back, and the server goes. For your own account, copy the same pipeline:")
        console.out(f"  {pipeline_folder() / 'quickstart.yaml'}")


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards, with the shipped pipelines in it."""
    with tempfile.TemporaryDirectory(prefix="caldav-run-demo-") as name:
        folder = Path(name)
        for each in _PIPELINES:
            shutil.copy(pipeline_folder() / each, folder / each)
        yield folder


def pipeline_folder() -> Path:
    """Return the folder of the example pipelines; the wheel carries them inside of the package."""
    packaged = Path(__file__).parents[1] / "pipelines"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "pipelines"


class Guide:
    """Runs the program as a person would, with the server's account in the environment."""

    def __init__(self, folder: Path, server: "Server") -> None:
        """Take the folder in which commands run, and the account."""
        self._folder = folder
        self._environment = environment(os.environ) | {
            "CALDAV_URL": server.url,
            "CALDAV_USERNAME": server.username,
            "CALDAV_PASSWORD": server.password,
            "CALDAV_RUN_VAULT": str(folder / "vault"),
            "CALDAV_RUN_CONFIG_DIR": str(folder / "keys"),
            "CALDAV_RUN_STATE_DIR": str(folder / "state"),
        }

    def run(self, *arguments: str, show: bool = True) -> None:
        """Run one command, and show it and what it prints; what fails is shown in any case.

        Raises:
            DemoError: It failed.
        """
        console.out(f"  $ caldav-run {' '.join(arguments)}")
        console.flush()
        with subprocess.Popen(  # noqa: S603 -- this very program
            [sys.executable, "-P", "-m", "caldav_run", *arguments],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        ) as process:
            hidden: list[str] = []
            try:
                for line in process.stdout or ():
                    if show:
                        _show(line)
                    else:
                        hidden.append(line)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            for line in hidden:
                _show(line)
            raise DemoError(f"caldav-run {arguments[0]} ended with {process.returncode}")


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return a person's environment without what could lead the demo to their keys or account."""
    kept = {name: value for name, value in own.items() if "CALDAV" not in name}
    # The commands run in another folder.
    path = kept.get("PYTHONPATH", "").split(os.pathsep)
    return kept | {
        "PYTHONPATH": os.pathsep.join(str(Path(each).absolute()) for each in path if each),
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
    }


def _show(line: str) -> None:
    console.out(f"    {line.rstrip()}".rstrip())
    console.flush()


def _say(text: str) -> None:
    console.out(f"\n{text}")
    console.flush()
