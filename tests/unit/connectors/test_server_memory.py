"""What a probe has shown is remembered, and corrects what is known of a server."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from caldav_run.connectors.remembered import Remembered, corrected
from caldav_run.dav import discovery
from caldav_run.dav.collections import Collection
from caldav_run.dav.products import PRODUCTS
from caldav_run.dav.profiles import UNKNOWN, Profile, Sync
from caldav_run.dav.settings import Settings
from caldav_run.model import Calendar
from caldav_run.testing.scripted import (
    Answer,
    Asked,
    ScriptedServer,
    multistatus,
    response,
    scripted_server,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def takes_any_token(asked: Asked) -> Answer:
    home = "<c:calendar-home-set><d:href>/home/</d:href></c:calendar-home-set>"
    return multistatus(response(asked.path, home))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(takes_any_token) as running:
        yield running


def settings(server: ScriptedServer, profile: str | None = None) -> Settings:
    return Settings(url=f"{server.url}x/", profile=profile)


def calendars(server: ScriptedServer) -> list[Collection]:
    found = Collection(Calendar(id="a"), f"{server.url}home/a/", sync_token="t1")
    return [Collection(Calendar(id="b"), f"{server.url}home/b/"), found]


def profile(chosen: Settings, server: ScriptedServer, folder: Path, now: datetime = NOW) -> Profile:
    """Find the account as a run does, and say how to treat its server."""
    remembered = Remembered.of(chosen, folder, now)
    account = remembered.account() or discovery.find(chosen)
    with closing(account.connection):
        return remembered.profile(account, calendars(server))


def sync(server: ScriptedServer, folder: Path, now: datetime = NOW) -> Sync:
    return profile(settings(server), server, folder, now).sync


def reports(server: ScriptedServer) -> int:
    return sum(each.method == "REPORT" for each in server.asked)


def test_an_unknown_server_is_probed_once(server: ScriptedServer, tmp_path: Path) -> None:
    assert sync(server, tmp_path) is Sync.STALE_TOKENS
    assert sync(server, tmp_path, NOW + timedelta(days=6)) is Sync.STALE_TOKENS
    assert reports(server) == 1


@pytest.mark.parametrize("now", [NOW + timedelta(days=7), NOW - timedelta(days=1)])
def test_an_old_answer_is_asked_for_again(
    server: ScriptedServer, tmp_path: Path, now: datetime
) -> None:
    sync(server, tmp_path)
    sync(server, tmp_path, now)
    assert reports(server) == 2


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', "\0"])
def test_a_spoilt_memory_is_as_none(server: ScriptedServer, tmp_path: Path, text: str) -> None:
    sync(server, tmp_path)
    (file,) = (tmp_path / "accounts").iterdir()
    file.write_text(text)
    assert sync(server, tmp_path) is Sync.STALE_TOKENS


def test_a_folder_that_cannot_be_written_is_no_obstacle(
    server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert sync(server, tmp_path / "file") is Sync.STALE_TOKENS


def test_a_profile_that_the_pipeline_names_is_not_doubted(
    server: ScriptedServer, tmp_path: Path
) -> None:
    found = profile(settings(server, "nextcloud"), server, tmp_path)
    assert found == PRODUCTS["nextcloud"]()
    assert reports(server) == 0


def test_a_server_that_is_too_busy_to_say_is_asked_again(
    server: ScriptedServer, tmp_path: Path
) -> None:
    usual = server.script
    busy = Answer(429, b"", {"Retry-After": "999"})
    server.script = lambda asked: busy if asked.method == "REPORT" else usual(asked)
    assert sync(server, tmp_path) is Sync.TRUSTED
    server.script = usual
    assert sync(server, tmp_path) is Sync.STALE_TOKENS


@pytest.mark.parametrize(
    ("name", "shown", "after"),
    [
        ("nextcloud", Sync.STALE_TOKENS, Sync.STALE_TOKENS),
        ("nextcloud", Sync.NONE, Sync.NONE),
        ("sogo", Sync.TRUSTED, Sync.STALE_TOKENS),
        ("posteo", Sync.TRUSTED, Sync.NONE),
    ],
)
def test_a_probe_takes_trust_away_and_gives_none_back(name: str, shown: Sync, after: Sync) -> None:
    assert corrected(PRODUCTS[name](), shown).sync is after


def test_a_server_that_nothing_is_known_of_is_as_the_probe_shows() -> None:
    assert corrected(UNKNOWN, Sync.TRUSTED) == UNKNOWN
    assert corrected(UNKNOWN, Sync.NONE).sync is Sync.NONE
