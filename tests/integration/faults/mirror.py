"""A folder of calendars that is mirrored onto a real server, behind a proxy that plays faults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.integration.faults.account import Fault, Ran, forward, healthy

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.engine.report.text import line
from caldav_run.engine.run import run
from caldav_run.ical.canonical import Level, equal
from caldav_run.model import Changed
from caldav_run.pipeline.build import load_pipeline
from caldav_run.pipeline.job import make_job
from caldav_run.pipeline.settings import Settings
from caldav_run.testing.scripted import ScriptedServer
from caldav_run.testing.servers import Server

PIPELINE = """\
version: 1
name: mirror
sources:
  here: {type: ics, path: calendars}
sinks:
  there: SINK
"""


@dataclass
class Mirror:
    """See the module.

    Attributes:
        folder: Where the pipeline and the calendars lie.
        server: The real server.
        proxy: What the product is told to write to.
        fault: What the proxy plays.
        options: Further options of the sink.
    """

    folder: Path
    server: Server
    proxy: ScriptedServer
    fault: Fault = healthy
    options: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the proxy in front of the server."""
        self.proxy.script = lambda asked: self.fault(asked, lambda: forward(self.server, asked))
        password = self.folder / "password"
        password.write_text(self.server.password)
        password.chmod(0o600)

    @property
    def calendar(self) -> Path:
        """The folder of the only calendar."""
        return self.folder / "calendars" / "work"

    def put(self, name: str, body: bytes) -> None:
        """Have the source hold an item."""
        self.calendar.mkdir(parents=True, exist_ok=True)
        (self.calendar / f"{name}.ics").write_bytes(body)

    def drop(self, name: str) -> None:
        """Have the source hold an item no more."""
        (self.calendar / f"{name}.ics").unlink()

    def heal(self) -> None:
        """Play no fault any more."""
        self.fault, self.options = healthy, {}

    def run(self) -> Ran:
        """Mirror the folder once."""
        sink = {
            "type": "caldav",
            "url": self.proxy.url,
            "username": self.server.username,
            "password": {"file": "password"},
            "mode": "exact",
            **self.options,
            "delete": {"max": 100, "max_ratio": "100%"},
        }
        file = self.folder / "mirror.yaml"
        file.write_text(PIPELINE.replace("SINK", json.dumps(sink)))
        settings = Settings(state_dir=self.folder / "state", now=datetime.now(UTC))
        said: list[str | None] = []
        self.proxy.asked.clear()
        status = run(
            make_job(load_pipeline(file, sets={}), settings), lambda event: said.append(line(event))
        )
        return Ran(status, [each for each in said if each is not None])

    def there(self) -> dict[str, bytes]:
        """Return what the server holds, by name."""
        now = datetime.now(UTC)
        context = Context(name="x", pipeline="x", timezone=UTC, now=now, state_dir=self.folder)
        source = CaldavSource.from_options(self.server.options, context)
        items = [each.item for each in source.read(Nothing()) if isinstance(each, Changed)]
        source.close()
        found = {each.href: each.body for each in items}
        assert len(found) == len(items)
        return found

    def holds(self, wanted: Mapping[str, bytes]) -> bool:
        """Return whether the server holds exactly these items, by name without suffix."""
        there = self.there()
        return there.keys() == {f"{name}.ics" for name in wanted} and all(
            equal(there[f"{name}.ics"], body, Level.L2) for name, body in wanted.items()
        )
