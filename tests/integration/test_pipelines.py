"""Every example pipeline does on a real server what it says."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.engine.events import Event, Noted
from caldav_run.engine.run import run
from caldav_run.ical.canonical import digest
from caldav_run.ical.scan import scan
from caldav_run.pipeline.build import load_pipeline
from caldav_run.pipeline.job import make_job
from caldav_run.pipeline.settings import Settings
from caldav_run.repository import keys
from caldav_run.repository.create import create
from caldav_run.repository.local import LocalStore
from caldav_run.repository.reader import Reader
from caldav_run.testing.contracts import context
from caldav_run.testing.contracts.sources import Held, Seen
from caldav_run.testing.sample import deleted, make, moved, sample_account, sample_changes, upload
from caldav_run.testing.servers import Server

EXAMPLES = Path(__file__).parents[2] / "pipelines"
TODAY = date(2026, 5, 6)
NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)

Play = Callable[..., None]


@pytest.fixture
def server(radicale: Server) -> Server:
    upload(radicale, sample_account(TODAY))
    return radicale


@pytest.fixture
def environ(server: Server, tmp_path: Path) -> Mapping[str, str]:
    made = keys.create_keys(tmp_path / "keys")
    writer = keys.load_writer(tmp_path / "keys" / keys.WRITER)
    create(LocalStore(tmp_path / "vault"), [made.recipient], writer, NOW)
    return {
        "CALDAV_URL": server.url,
        "CALDAV_USERNAME": server.username,
        "CALDAV_PASSWORD": server.password,
        "CALDAV_RUN_CONFIG_DIR": str(tmp_path / "keys"),
        "CALDAV_RUN_VAULT": str(tmp_path / "vault"),
        "CALDAV_RUN_FOLDER": str(tmp_path / "folder"),
    }


@pytest.fixture
def play(environ: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    def play(name: str, status: int = 0, told: int = 0, **other: str) -> None:
        """Run an example as it stands, and look at how it ends and how much it tells."""
        for key, value in {**environ, **other}.items():
            monkeypatch.setenv(key, value)
        settings = Settings(now=NOW, state_dir=tmp_path / "state")
        job = make_job(load_pipeline(EXAMPLES / f"{name}.yaml", sets={}), settings)
        events: list[Event] = []
        assert run(job, events.append) == status, events
        assert sum(isinstance(each, Noted) for each in events) == told, events

    return play


def account(server: Server) -> dict[tuple[str, str], bytes]:
    """Return what the account holds, by calendar and name."""
    with TemporaryDirectory() as state:
        source = CaldavSource.from_options(server.options, context(Path(state)))
        items = Seen.of(source.read(Held())).changed
        source.close()
    return {key: each.body for key, each in items.items()}


def digests(items: Mapping[tuple[str, str], bytes]) -> dict[tuple[str, str], bytes]:
    return {key: digest(body) for key, body in items.items()}


def folder(path: Path) -> dict[tuple[str, str], bytes]:
    return {(each.parent.name, each.name): each.read_bytes() for each in path.glob("*/*.ics")}


def test_a_backup_brings_a_deleted_event_back(server: Server, play: Play) -> None:
    before = account(server)
    play("quickstart")
    make(server, deleted(TODAY))
    play("restore")
    assert digests(account(server)) == digests(before)


def test_a_restore_leaves_newer_versions_alone(server: Server, play: Play) -> None:
    play("quickstart")
    make(server, moved(TODAY))
    after = account(server)
    play("restore", told=1)
    assert account(server) == after


def test_a_snapshot_in_a_folder_holds_the_servers_bytes(
    server: Server, play: Play, tmp_path: Path
) -> None:
    play("quickstart")
    before = account(server)
    for change in sample_changes(TODAY):
        make(server, change)
    play("snapshot-to-folder")
    assert folder(tmp_path / "folder" / "vault") == before


def test_an_export_holds_the_servers_bytes_and_follows_it(
    server: Server, play: Play, tmp_path: Path
) -> None:
    play("export-folder")
    assert folder(tmp_path / "folder" / "personal") == account(server)
    for change in sample_changes(TODAY):
        make(server, change)
    play("export-folder")
    exported = folder(tmp_path / "folder" / "personal")
    # An export merges: what is deleted on the server stays in the folder.
    gone = (deleted(TODAY).calendar, deleted(TODAY).href)
    assert exported.pop(gone)
    assert exported == account(server)


def test_a_mirror_in_a_folder_is_the_account_and_stays_so(
    server: Server, play: Play, tmp_path: Path
) -> None:
    play("mirror-folder")
    assert folder(tmp_path / "folder" / "personal") == account(server)
    for change in sample_changes(TODAY):
        make(server, change)
    play("mirror-folder")
    assert folder(tmp_path / "folder" / "personal") == account(server)


def test_an_import_fills_another_account(server: Server, play: Play, tmp_path: Path) -> None:
    play("export-folder")
    # No other test gets as far as the last of the accounts.
    other = replace(server, username="user199", password="wörd-199", home="/user199/")
    play(
        "import-folder",
        CALDAV_RUN_FOLDER=str(tmp_path / "folder" / "personal"),
        CALDAV_USERNAME=other.username,
        CALDAV_PASSWORD=other.password,
    )
    # With its invitations: this server says that it does no scheduling, and so mails nobody.
    assert any(scan(body).scheduled for body in account(server).values())
    assert digests(account(other)) == digests(account(server))


def test_a_filtered_backup_holds_a_part(play: Play, tmp_path: Path) -> None:
    play("filtered-backup")
    files = folder(tmp_path / "folder" / "personal")
    assert {calendar for calendar, _ in files} == {"tasks"}
    assert len(files) == 10


SERVICES = (
    *("nextcloud", "fastmail", "icloud", "mailbox-org", "baikal", "posteo", "radicale", "sogo"),
    *("synology", "yahoo", "zoho"),
)


@pytest.mark.parametrize("name", SERVICES)
def test_the_pipeline_for_a_service_backs_an_account_up(
    server: Server, play: Play, tmp_path: Path, name: str
) -> None:
    play(name)
    play(name)
    keyring = keys.load_keyring([tmp_path / "keys" / keys.IDENTITY])
    reader = Reader(LocalStore(tmp_path / "vault"), keyring)
    assert len(list(reader.items(reader.resolve("latest")))) == len(account(server))
