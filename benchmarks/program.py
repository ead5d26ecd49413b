"""The program as a user starts it: a process of its own, with its time and its memory."""

import os
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
  cloud: {type: caldav, url: "${env.URL}", username: alice, password: {env: PASSWORD}}
sinks:
  vault: {type: snapshot, repository: "${env.VAULT}", recipients: [{file: keys/recipients.txt}],
          signer: {file: keys/writer.key}}
"""


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


@dataclass
class Desk:
    """A folder with a pipeline and keys; every repository in it is new until it was run into.

    Attributes:
        folder: An empty folder.
        server: What is backed up.
    """

    folder: Path
    server: Server
    _vaults: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Write the pipeline."""
        self.folder.mkdir()
        (self.folder / "benchmark.yaml").write_text(_PIPELINE)

    def new_vault(self) -> None:
        """Make another repository, into which `run` goes from now on."""
        self._vaults += 1
        self._program("create", "--yes")

    def run(self) -> Figures:
        """Back up once."""
        return self._program("run")

    def stored(self) -> int:
        """Return the size of the repository in bytes."""
        vault = self.folder / f"vault-{self._vaults}"
        return sum(each.stat().st_size for each in vault.rglob("*") if each.is_file())

    def _program(self, verb: str, *options: str) -> Figures:
        environment = {
            **os.environ,
            "URL": self.server.url,
            "PASSWORD": self.server.password,
            "VAULT": str(self.folder / f"vault-{self._vaults}"),
            "CALDAV_RUN_CONFIG_DIR": str(self.folder / "keys"),
            "CALDAV_RUN_STATE_DIR": str(self.folder / "state"),
        }
        pipeline = str(self.folder / "benchmark.yaml")
        command = [sys.executable, "-m", "caldav_run", verb, pipeline, *options]
        return measure(command, environment)
