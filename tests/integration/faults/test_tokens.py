"""Tokens that end in the middle of a run: of OAuth2, and of sync-collection; see `docs/testing.md`.

A login at a real OAuth2 server is tested in `tests/integration/auth`; here a small one is played,
so that a token ends exactly where a test wants it to.
"""

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

import pytest
from tests.integration.faults.account import Forward, forward
from tests.integration.faults.places import Place, Strikes
from tests.integration.faults.stage import Stage, When, named

from caldav_run.connectors.caldav_oauth2 import access_from
from caldav_run.connectors.protocol import Context
from caldav_run.dav.oauth2.grant import Grant
from caldav_run.model import Options
from caldav_run.testing.scripted import Answer, Asked
from caldav_run.testing.servers import Server

JSON = {"Content-Type": "application/json"}
REFUSED = Answer(400, b'{"error": "invalid_grant"}', JSON)
XML = {"Content-Type": "application/xml"}
NO_TOKEN = b'<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>'
# An account that is known is not looked for again.
ENDS = [
    pytest.param(when, place, id=f"{place.value}-{when.value}")
    for when in (When.FIRST, When.LATER)
    for place in (Place.DISCOVERY, Place.HOME, Place.LISTING, Place.REPORT, Place.ITEM)
    if (when, place) != (When.LATER, Place.DISCOVERY)
]


@dataclass
class Guard:
    """Stands before a server, takes bearer tokens, and gives new ones.

    Attributes:
        server: The server.
        ends: Where a token ends.
        renewing: What is answered instead of a new token; None gives one.
        number: Of the token that is good.
    """

    server: Server
    ends: Place
    renewing: Answer | None = None
    number: int = 0
    ended: bool = False

    def __call__(self, asked: Asked, _: Forward) -> Answer:
        """Answer a request."""
        if asked.path == "/token":
            return self.renewing or self.renewed()
        if self.ends.holds(asked) and not self.ended:
            self.ended = True
            self.number += 1
        if asked.headers.get("authorization") != f"Bearer access-{self.number}":
            return Answer(401, headers={"WWW-Authenticate": "Bearer"})
        pair = f"{self.server.username}:{self.server.password}"
        basic = base64.b64encode(pair.encode()).decode()
        headers = {**asked.headers, "authorization": f"Basic {basic}"}
        return forward(self.server, replace(asked, headers=headers))

    def renewed(self) -> Answer:
        """Give the token that is good."""
        given = {"access_token": f"access-{self.number}", "token_type": "Bearer"}
        return Answer(200, json.dumps(given).encode(), JSON)


@pytest.fixture
def login(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Options:
    """Give the options of a source that has logged in."""
    monkeypatch.setenv("CALDAV_RUN_CONFIG_DIR", str(tmp_path))
    account = stage.account
    at = {name: f"{account.proxy.url}{name[:-4]}" for name in ("token_url", "authorize_url")}
    options: Options = {"password": None, "oauth2": {"client_id": "backup", **at}}
    told = {**account.server.options, "url": account.proxy.url, **options}
    vault = account.vault
    context = Context(
        name="cloud", pipeline="test", timezone=UTC, now=vault.clock.now, state_dir=vault.state
    )
    access = access_from(told, context)
    assert access is not None
    access.login.store.save(Grant(access="access-0", refresh="refresh"))
    return options


@pytest.mark.parametrize(("when", "place"), ENDS)
def test_a_token_that_ends_in_the_middle_is_renewed(
    stage: Stage, login: Options, when: When, place: Place
) -> None:
    guard = Guard(stage.account.server, place)
    ran = stage.strike(when, Strikes(Place.ANYWHERE, guard), login)
    assert (ran.status, ran.errors) == (0, [])
    assert guard.ended
    assert stage.account.holding() == stage.after.holding
    stage.assert_heals()


@pytest.mark.parametrize(("when", "place"), ENDS)
@pytest.mark.parametrize(("answer", "status"), [(REFUSED, 77), (Answer(503), 75)])
def test_a_token_that_is_not_renewed_ends_the_run(
    stage: Stage, login: Options, when: When, place: Place, answer: Answer, status: int
) -> None:
    guard = Guard(stage.account.server, place, answer)
    ran = stage.strike(when, Strikes(Place.ANYWHERE, guard), login)
    assert ran.status == status
    assert named(ran, ["cloud"])
    for key, shown in stage.account.shown().items():
        true, before = stage.after.shown.get(key), stage.kept(when)
        held = before.shown.get(key)
        carried = held and held._replace(stale_since=before.now)
        assert shown in {true, carried, held}
    assert stage.kept(when).shown.keys() <= stage.account.shown().keys() | {("work", "gone.ics")}
    stage.assert_heals()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(403, NO_TOKEN, XML),
        Answer(409, NO_TOKEN, XML),
        Answer(412, NO_TOKEN, XML),
        Answer(400),
        Answer(404),
        Answer(410),
        Answer(507),
        Answer(200, NO_TOKEN, XML),
    ],
    ids=lambda each: str(each.status),
)
def test_a_sync_token_that_has_ended_costs_a_listing(stage: Stage, answer: Answer) -> None:
    ran = stage.strike(When.LATER, Strikes(Place.SYNC, lambda _, __: answer))
    assert (ran.status, ran.errors) == (0, [])
    assert f"PROPFIND {stage.account.server.home}work/" in stage.account.proxy.methods()
    assert stage.account.holding() == stage.after.holding
    stage.assert_heals()
