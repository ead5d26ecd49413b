"""The program as a user starts it: a process of its own, with its time and its memory."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from caldav_run.testing.servers import Server

_PIPELINE = """
version: 1
name: benchmark
sources:
  cloud: {SOURCE}
sinks:
  vault: {type: snapshot, repository: "${env.VAULT}", recipients: [{file: keys/recipients.txt}],
          signer: {file: keys/writer.key}}
"""


_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


class Figures(NamedTuple):
    """What a process took.

    Attributes:
        seconds: From its start to its end.
        cpu: Seconds on a processor, in user and system mode.
        peak: The most memory that was resident, in megabytes.
    """

    seconds: float
    cpu: float
    peak: float


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Figures:
    """Run a command to its end, which has to be a good one."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        # Not by `wait`: only this tells what a single child has used.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, said.read())
    return Figures(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def stored(folder: Path) -> int:
    """Return how many bytes the files of a folder have."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


@dataclass
class Desk:
    """A folder with a pipeline and keys; every repository in it is new until it was run into.

    Attributes:
        folder: A folder that is not there yet.
        source: The source that is backed up, as the pipeline has it.
        environment: The values of environment variables that the source names.
    """

    folder: Path
    source: str
    environment: Mapping[str, str] = field(default_factory=dict)
    _vaults: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Write the pipeline."""
        self.folder.mkdir()
        self.pipeline.write_text(_PIPELINE.replace("{SOURCE}", self.source))

    @classmethod
    def of_server(cls, folder: Path, server: Server) -> "Desk":
        """Return a desk that backs up a server's account."""
        account = 'url: "${env.URL}", username: "${env.ACCOUNT}", password: {env: PASSWORD}'
        values = {"URL": server.url, "ACCOUNT": server.username, "PASSWORD": server.password}
        return cls(folder, f"{{type: caldav, {account}}}", values)

    @classmethod
    def of_folder(cls, folder: Path, events: Path) -> "Desk":
        """Return a desk that backs up a folder of `.ics` files."""
        return cls(folder, f'{{type: ics, path: "{events}"}}')

    @property
    def pipeline(self) -> Path:
        """The pipeline that backs up."""
        return self.folder / "benchmark.yaml"

    @property
    def vault(self) -> Path:
        """The newest repository."""
        return self.folder / f"vault-{self._vaults}"

    def new_vault(self) -> None:
        """Make another repository, into which `run` goes from now on."""
        self._vaults += 1
        self.program("create", str(self.pipeline), "--yes")

    def run(self) -> Figures:
        """Back up once."""
        return self.program("run", str(self.pipeline))

    def stored(self) -> int:
        """Return the size of the repository in bytes."""
        return stored(self.vault)

    def run_module(self, module: str, *arguments: str) -> Figures:
        """Back up once by another module that ends with the program's arguments."""
        return self._start(module, *arguments, "run", str(self.pipeline))

    def forget(self) -> None:
        """Make this machine one that never saw the account."""
        shutil.rmtree(self.folder / "state", ignore_errors=True)

    def program(self, *arguments: str) -> Figures:
        """Run the program with the desk's keys and the newest repository as `env.VAULT`."""
        return self._start("caldav_run", *arguments)

    def _start(self, module: str, *arguments: str) -> Figures:
        environment = {
            **{name: value for name, value in os.environ.items() if name != _NO_BYTECODE},
            # An installed program has its bytecode; the first command writes it.
            "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),
            **self.environment,
            "VAULT": str(self.vault),
            "CALDAV_RUN_CONFIG_DIR": str(self.folder / "keys"),
            "CALDAV_RUN_STATE_DIR": str(self.folder / "state"),
        }
        return measure([sys.executable, "-m", module, *arguments], environment)
