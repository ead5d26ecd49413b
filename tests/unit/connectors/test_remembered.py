"""Where an account was found last time: used while it holds, forgotten when it does not."""

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.remembered import Remembered
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.dav.settings import Settings
from caldav_run.errors import ConnectorError
from caldav_run.model import CalendarStart
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.liar import HOME, Liar
from caldav_run.testing.scripted import Answer, ScriptedServer, scripted_server

NOW = datetime(2026, 5, 4, tzinfo=UTC)


PRINCIPAL = "<d:current-user-principal><d:href>/alice/</d:href></d:current-user-principal>"
HOMES = f"<c:calendar-home-set><d:href>{HOME}</d:href></c:calendar-home-set>"
MORE_HOMES = HOMES.replace("</c:", "<d:href>/dav/team/</d:href></c:")


@pytest.fixture
def liar() -> Liar:
    liar = Liar()
    liar.put("work", "a.ics", event("a"))
    return liar


@pytest.fixture
def server(liar: Liar) -> Iterator[ScriptedServer]:
    with scripted_server(liar) as running:
        yield running


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(name="c", pipeline="t", timezone=UTC, now=NOW, state_dir=tmp_path / "state")


def read(server: ScriptedServer, context: Context) -> list[str]:
    """Read the account, and return which calendars it has."""
    server.asked.clear()
    source = CaldavSource.from_options({"url": server.url}, context)
    try:
        assert source.origin()
        readings = list(source.read(Nothing()))
    finally:
        source.close()
    return [each.calendar.id for each in readings if isinstance(each, CalendarStart)]


def test_the_second_run_does_not_look_for_the_calendars(
    server: ScriptedServer, context: Context
) -> None:
    assert read(server, context) == ["work"]
    assert read(server, context) == ["work"]
    assert server.methods()[0] == f"PROPFIND {HOME}"


def test_the_origin_stays_the_same(server: ScriptedServer, context: Context) -> None:
    origins = set()
    for _ in range(2):
        source = CaldavSource.from_options({"url": server.url}, context)
        origins.add(source.origin())
        source.close()
    assert len(origins) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_failure_has_them_looked_for_again(
    server: ScriptedServer,
    context: Context,
    liar: Liar,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("caldav_run.dav.patience.pause", lambda _: None)
    read(server, context)
    server.script = lambda asked: Answer(status) if asked.path == HOME else liar(asked)
    with pytest.raises(ConnectorError):
        read(server, context)
    assert "PROPFIND /" in server.methods()
    server.script = liar
    read(server, context)
    assert "PROPFIND /" in server.methods()


def test_a_home_without_calendars_is_not_believed(server: ScriptedServer, context: Context) -> None:
    read(server, context)
    server.script = Liar()
    assert read(server, context) == []
    assert "PROPFIND /" in server.methods()


@pytest.mark.parametrize(
    ("sign", "days"), [("", 1), (PRINCIPAL, 1), (HOMES, 7), (PRINCIPAL + HOMES, 7)]
)
def test_it_is_looked_for_every_week_or_every_day_where_a_home_does_not_tell_of_others(
    server: ScriptedServer, context: Context, liar: Liar, sign: str, days: int
) -> None:
    liar.sign = sign
    read(server, context)
    read(server, replace(context, now=NOW + timedelta(days=days, seconds=-1)))
    assert "PROPFIND /" not in server.methods()
    read(server, replace(context, now=NOW + timedelta(days=days)))
    assert "PROPFIND /" in server.methods()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HOMES, MORE_HOMES),
        (HOMES, ""),
        (PRINCIPAL, PRINCIPAL.replace("alice", "bob")),
        (PRINCIPAL, "<d:current-user-principal><d:unauthenticated/></d:current-user-principal>"),
    ],
)
def test_it_is_looked_for_again_when_a_home_says_otherwise(
    server: ScriptedServer, context: Context, liar: Liar, before: str, after: str
) -> None:
    liar.sign = before
    read(server, context)
    liar.sign = after
    assert read(server, context) == ["work"]
    assert "PROPFIND /" in server.methods()
    assert read(server, context) == ["work"]
    assert "PROPFIND /" not in server.methods()


def test_a_server_that_is_probed_again_does_not_make_it_younger(
    server: ScriptedServer, context: Context
) -> None:
    read(server, context)
    (file,) = (context.state_dir / "accounts").iterdir()
    text = json.dumps(json.loads(file.read_text()) | {"sync": None})
    file.write_text(text)
    read(server, replace(context, now=NOW + timedelta(hours=23)))
    assert file.read_text() != text
    read(server, replace(context, now=NOW + timedelta(hours=25)))
    assert "PROPFIND /" in server.methods()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', "null"])
def test_a_file_that_makes_no_sense_is_passed_over(
    server: ScriptedServer, context: Context, text: str
) -> None:
    read(server, context)
    (file,) = (context.state_dir / "accounts").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text(text)
    assert read(server, context) == ["work"]


def test_the_password_goes_nowhere_else_whatever_the_file_says(
    server: ScriptedServer, context: Context
) -> None:
    read(server, context)
    (file,) = (context.state_dir / "accounts").iterdir()
    file.write_text(file.read_text().replace(server.url, "http://127.0.0.1:1/"))
    assert read(server, context) == ["work"]


def test_another_user_or_another_trust_is_another_account(tmp_path: Path) -> None:
    settings = Settings(url="https://example.org/")
    others = (
        replace(settings, url="https://example.org/x"),
        replace(settings, trust_hosts=("dav.example.net",)),
    )
    paths = {Remembered.of(each, tmp_path, NOW)._path for each in (settings, *others)}
    assert len(paths) == 3


def test_a_state_folder_that_cannot_be_written_costs_a_look(
    server: ScriptedServer, context: Context
) -> None:
    context.state_dir.write_text("no folder")
    assert read(server, context) == ["work"]
