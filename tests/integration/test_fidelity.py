"""What comes out of a backup is what the server gave, and what is restored says the same.

The sample account and a collection of objects that are hard to carry go from one real server into a
repository, from there into a folder and onto a second server, all of it through the program. Both
servers are read with plain HTTP.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from caldav_run.errors import ItemError
from caldav_run.ical.canonical import digest
from caldav_run.testing import hostile
from caldav_run.testing.by_hand import Key, calendars, items, send
from caldav_run.testing.sample import SampleCalendar, sample_account, upload
from caldav_run.testing.servers import Server, embedded_radicale, embedded_xandikos

SERVERS = {"radicale": embedded_radicale, "xandikos": embedded_xandikos}
TODAY = date(2026, 5, 6)

# What the servers do not take in the first place.
REFUSED = {
    "radicale": {
        *("foreign-name.ics", "periods.ics", "chronicle.ics", "mark.ics"),
        *("semi;colon,comma=equal.ics", "quote'%22.ics"),
    },
    "xandikos": {"vertical-tab.ics", "mark.ics", "folded.ics"},
}
# What a server that is given it refuses, or does not keep as it is; the names are the other's.
NOT_KEPT = {
    "radicale": {"foreign-name.ics", "periods.ics", "chronicle.ics", "extensions.ics"},
    # It escapes the semicolons of REQUEST-STATUS, which makes another value of it.
    "xandikos": {"extensions.ics"},
}
PIPELINE = """
version: 1
name: fidelity
sources:
  cloud: {type: caldav, url: "${env.URL}", username: alice, password: {env: PASSWORD}}
sinks:
  vault: {type: snapshot, repository: vault, recipients: [{file: keys/recipients.txt}],
          signer: {file: keys/writer.key}}
"""
RESTORE = """
version: 1
name: restore
sources:
  vault: {type: snapshot, repository: vault, account: cloud, identity: {file: keys/identity.txt}}
sinks:
  cloud: {type: caldav, url: "${env.URL}", username: alice, password: {env: PASSWORD},
          scheduling: allow}
"""
# ------------------------------------------------------------------ the program


@dataclass(frozen=True)
class Backup:
    """A server that was filled and backed up, and where.

    Attributes:
        kind: Which server.
        server: The server, still running.
        folder: Holds pipelines, keys, repository and the export in `out`.
        refused: The objects that the server did not take.
    """

    kind: str
    server: Server
    folder: Path
    refused: set[str]

    def program(self, server: Server, *arguments: str, status: int = 0) -> None:
        """Run the program with what it needs to reach a server; it has to end with this status."""
        environment = {
            **os.environ,
            "URL": server.url,
            "PASSWORD": server.password or "none",
            "CALDAV_RUN_CONFIG_DIR": str(self.folder / "keys"),
            "CALDAV_RUN_STATE_DIR": str(self.folder / "state"),
        }
        command = [sys.executable, "-m", "caldav_run", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr

    def make(self) -> None:
        """Make the repository, one snapshot, and its export."""
        (self.folder / "backup.yaml").write_text(PIPELINE)
        (self.folder / "restore.yaml").write_text(RESTORE)
        self.program(self.server, "create", "backup.yaml", "--yes")
        self.program(self.server, "run", "backup.yaml")
        self.program(self.server, "export", "backup.yaml", "--to", "out")

    def exported(self) -> dict[Key, bytes]:
        """Return what the export holds, by calendar and name as the server spells them."""
        found: dict[Key, bytes] = {}
        for index in (self.folder / "out").rglob(".calendar.json"):
            about = json.loads(index.read_bytes())
            for row in about["items"]:
                found[about["id"], row["href"]] = (index.parent / row["name"]).read_bytes()
        return found


@contextmanager
def backup(kind: str, folder: Path) -> Iterator[Backup]:
    with SERVERS[kind](folder / "server") as server:
        upload(server, [*sample_account(TODAY), SampleCalendar(hostile.CALENDAR, ())])
        made = Backup(kind, server, folder, set())
        for name, body in hostile.objects():
            try:
                server.put(f"hostile/{name}", body)
            except ItemError:
                made.refused.add(name)
        made.make()
        yield made


@pytest.fixture(scope="module")
def radicale_backup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backup]:
    with backup("radicale", tmp_path_factory.mktemp("backup")) as made:
        yield made


@pytest.fixture(scope="module")
def xandikos_backup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backup]:
    with backup("xandikos", tmp_path_factory.mktemp("backup")) as made:
        yield made


@pytest.fixture(params=SERVERS)
def backed_up(request: pytest.FixtureRequest) -> Backup:
    found: Backup = request.getfixturevalue(f"{request.param}_backup")
    return found


# ------------------------------------------------------------------ what must hold


def different(one: Mapping[Key, bytes], other: Mapping[Key, bytes]) -> set[Key]:
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def lost(before: Mapping[Key, bytes], after: Mapping[Key, bytes]) -> set[str]:
    """Return the names of items that no item of the same calendar says the same as.

    Servers have a say in names, so that these are not compared.
    """
    told = {(key[0], digest(body)): key[1] for key, body in before.items()}
    left = Counter(told.keys()) - Counter((key[0], digest(body)) for key, body in after.items())
    return {told[each] for each in left}


def ordered(items: Mapping[Key, bytes]) -> dict[Key, bytes]:
    """Return the items with the parts of each RRULE sorted, which says the same."""

    def sort(match: re.Match[bytes]) -> bytes:
        return b"RRULE:" + b";".join(sorted(match[1].split(b";")))

    return {key: re.sub(rb"(?m)^RRULE:([^\r\n]*)", sort, body) for key, body in items.items()}


def test_the_servers_take_all_but_what_is_known(backed_up: Backup) -> None:
    assert backed_up.refused == REFUSED[backed_up.kind]


def test_an_export_holds_the_very_bytes_that_the_server_gives(backed_up: Backup) -> None:
    given = items(backed_up.server)
    assert len(given) > 60
    assert different(backed_up.exported(), given) == set()


def test_a_restore_into_an_empty_server_gives_back_all_of_it(
    backed_up: Backup, tmp_path: Path
) -> None:
    with SERVERS[backed_up.kind](tmp_path) as second:
        backed_up.program(second, "run", "restore.yaml")
        before, after = items(backed_up.server), items(second)
        assert lost(before, after) == set()
        assert len(after) == len(before)
        assert calendars(second) == calendars(backed_up.server)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_move_to_another_server_loses_only_what_that_server_does_not_keep(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    (other,) = SERVERS.keys() - {kind}
    backed_up: Backup = request.getfixturevalue(f"{other}_backup")
    with SERVERS[kind](tmp_path) as second:
        backed_up.program(second, "run", "restore.yaml", status=3)
        before, after = ordered(items(backed_up.server)), ordered(items(second))
        assert lost(before, after) == NOT_KEPT[kind]
        made = {Path(path).name: about for path, about in calendars(second).items()}
        assert (
            made.items()
            >= {
                Path(path).name: about for path, about in calendars(backed_up.server).items()
            }.items()
        )


def test_a_large_attachment_comes_out_as_the_server_gave_it(tmp_path: Path) -> None:
    with embedded_radicale(tmp_path / "server") as server:
        send(server, "MKCALENDAR", f"{server.home}large/")
        send(server, "PUT", f"{server.home}large/a.ics", hostile.attachment(5 << 20).decode())
        made = Backup("radicale", server, tmp_path, set())
        made.make()
        assert len(made.exported()["large", "a.ics"]) > 6 << 20
        assert made.exported() == items(server)
