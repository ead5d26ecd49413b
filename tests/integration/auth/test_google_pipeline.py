"""The example for Google does what it says, at another provider in Google's place."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.auth.conftest import CALENDARS, EVENTS, follow
from tests.integration.auth.provider import Provider

from caldav_run.connectors.caldav_settings import settings_from
from caldav_run.dav.oauth2 import browser
from caldav_run.dav.oauth2 import provider as providers
from caldav_run.dav.oauth2.provider import Endpoints, Preset
from caldav_run.engine.run import run
from caldav_run.pipeline.build import load_pipeline
from caldav_run.pipeline.job import make_job
from caldav_run.pipeline.settings import Settings
from caldav_run.repository import keys
from caldav_run.repository.create import create
from caldav_run.repository.local import LocalStore
from caldav_run.repository.reader import Reader

if TYPE_CHECKING:
    from caldav_run.engine.events import Event

EXAMPLE = Path(__file__).parents[3] / "pipelines" / "google.yaml"
NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)


@pytest.fixture
def google(gate: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Have the preset lead to a provider of the tests."""
    preset = providers.PRESETS["google"]
    ours = Endpoints(
        token_url=f"{gate.url}token",
        authorize_url=f"{gate.url}authorize",
        secret_in="client_secret_basic",
        asked=preset.endpoints.asked,
    )
    monkeypatch.setitem(providers.PRESETS, "google", Preset(ours, preset.scopes))
    return gate


def test_the_pipeline_for_google_backs_an_account_up(
    google: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = keys.create_keys(tmp_path / "keys")
    writer = keys.load_writer(tmp_path / "keys" / keys.WRITER)
    vault = LocalStore(tmp_path / "vault")
    create(vault, [made.recipient], writer, NOW)
    for name, value in {
        "CALDAV_URL": f"{google.guarded}alice/",
        "GOOGLE_CLIENT_ID": "backup",
        "GOOGLE_CLIENT_SECRET": "s3cret-of-client",
        "CALDAV_RUN_CONFIG_DIR": str(tmp_path / "keys"),
        "CALDAV_RUN_VAULT": str(tmp_path / "vault"),
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings(now=NOW, state_dir=tmp_path / "state")
    pipeline = load_pipeline(EXAMPLE, sets={})
    context = settings.context(pipeline, "google")
    oauth2 = settings_from(pipeline.sources["google"].options, context).oauth2
    assert oauth2 is not None

    def browse(address: str) -> None:
        threading.Thread(target=follow, args=(address,)).start()

    oauth2.login.store.save(browser.log_in(oauth2.login, browse))
    google.uses = 4
    events: list[Event] = []
    assert run(make_job(pipeline, settings), events.append) == 0, events
    assert google.renewals >= 1
    reader = Reader(vault, keys.load_keyring([tmp_path / "keys" / keys.IDENTITY]))
    assert len(list(reader.items(reader.resolve("latest")))) == CALENDARS * EVENTS
