"""The verb `demo`: the quick start, on a server of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from caldav_run.cli import console
from caldav_run.cli.app import app
from caldav_run.errors import CaldavRunError

if TYPE_CHECKING:
    from caldav_run.testing.servers import Server

_PIPELINES = ("quickstart.yaml", "restore.yaml")


class DemoError(CaldavRunError):
    """A step of the demo did not do what it says."""


@app.command()
def demo() -> None:
    """Back up, change, compare and restore a sample account on an embedded Radicale."""
    from caldav_run.testing.sample import deleted, make, sample_account, sample_changes, upload
    from caldav_run.testing.servers import embedded_radicale

    today = date.today()  # noqa: DTZ011 -- the sample lies around the person's own day
    with _folder() as folder, embedded_radicale(folder / "radicale") as server:
        _say("A Radicale server starts, with a sample account: work, family, birthdays, tasks.")
        upload(server, sample_account(today))
        guide = _Guide(folder, server)
        _say("Keys and an encrypted repository are made, once.")
        guide.run("create", "quickstart.yaml", "--yes", show=False)
        _say("The first backup reads every calendar.")
        guide.run("quickstart.yaml")
        _say("Somebody works on the calendars:")
        for change in sample_changes(today):
            console.out(f"  - {change.told}")
            make(server, change)
        _say("The second backup reads only what is new.")
        guide.run("quickstart.yaml")
        _say("What has changed?")
        guide.run("diff", "quickstart.yaml")
        _say("A deleted event comes back from the first snapshot.")
        guide.run("run", "restore.yaml", "--set", "as_of=latest~1")
        gone = deleted(today)
        if server.send("GET", f"{gone.calendar}/{gone.href}") != HTTPStatus.OK:
            raise DemoError(f"{gone.calendar}/{gone.href} is not back on the server")
        _say("It is back. For your own account: pipelines/quickstart.yaml, and three variables.")


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


class _Guide:
    """Runs the program as a person would, with the server's account in the environment."""

    def __init__(self, folder: Path, server: "Server") -> None:
        self._folder = folder
        self._environment = {
            **os.environ,
            "CALDAV_URL": server.url,
            "CALDAV_USERNAME": server.username,
            "CALDAV_PASSWORD": server.password,
            "CALDAV_RUN_VAULT": str(folder / "vault"),
            "CALDAV_RUN_CONFIG_DIR": str(folder / "keys"),
            "CALDAV_RUN_STATE_DIR": str(folder / "state"),
        }

    def run(self, *arguments: str, show: bool = True) -> None:
        """Run one command, and show it with what it prints.

        Raises:
            DemoError: It failed.
        """
        console.out(f"  $ caldav-run {' '.join(arguments)}")
        done = subprocess.run(  # noqa: S603 -- this very program
            [sys.executable, "-m", "caldav_run", *arguments],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        for line in done.stdout.splitlines() if show or done.returncode else ():
            console.out(f"    {line}")
        if done.returncode:
            raise DemoError(f"caldav-run {arguments[0]} ended with {done.returncode}")


def _say(text: str) -> None:
    console.out(f"\n{text}")
