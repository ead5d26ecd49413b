"""A place where the program is run by its command line alone."""

import json
import os
import subprocess
import sys
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

from caldav_run.testing.servers import Server

COMMAND_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder with pipelines, and a home of its own for keys and caches."""

    folder: Path

    def pipeline(self, name: str, content: Mapping[str, object]) -> Path:
        """Write a pipeline; JSON is YAML."""
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps({"version": 1, "name": name, **content}), encoding="utf-8")
        return path

    def run(
        self, *arguments: str | Path, password: str = "", statuses: Container[int] = (0,)
    ) -> str:
        """Run one command to its end and return what it printed."""
        outcome = subprocess.run(
            [sys.executable, "-m", "caldav_run", *arguments],
            cwd=self.folder,
            env=self._environment(password),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        text = outcome.stdout + outcome.stderr
        assert outcome.returncode in statuses, text
        assert not password or password not in text
        return text

    def _environment(self, password: str) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return {**kept, "HOME": str(self.folder), "APP_PASSWORD": password}


def caldav(user: Server) -> dict[str, object]:
    """The options of a source or sink for this account."""
    place = {"type": "caldav", "url": user.url}
    if not user.password:
        return {**place}
    return {**place, "username": user.username, "password": {"env": "APP_PASSWORD"}}
