"""The login by browser: what is asked, and which answers are taken."""

import json
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from caldav_run.dav.oauth2 import browser
from caldav_run.dav.oauth2.access import Login
from caldav_run.dav.oauth2.provider import PRESETS, Client, Endpoints
from caldav_run.dav.oauth2.store import FileStore
from caldav_run.dav.oauth2.wire import Network
from caldav_run.errors import AccessError, SetupError, TemporaryError
from caldav_run.testing.scripted import Answer, ScriptedServer

TOKEN = Answer(200, json.dumps({"access_token": "access-1", "token_type": "bearer"}).encode())


@pytest.fixture
def login(server: ScriptedServer, tmp_path: Path) -> Login:
    server.script = lambda _: TOKEN
    endpoints = Endpoints(
        token_url=f"{server.url}token", authorize_url=f"{server.url}allow", issuer="https://i"
    )
    client = Client(client_id="me", provider=endpoints, scopes=("one", "two"))
    store = FileStore(tmp_path / "a.json")
    return Login(client=client, network=Network(timeout_s=5.0), store=store, command="x")


def by_hand(login: Login, answer: Callable[[str], str]) -> dict[str, list[str]]:
    """Log in with the answer that is made of the state; returns what was asked for."""
    shown: list[str] = []

    def ask() -> str:
        (state,) = parse_qs(urlsplit(shown[0]).query)["state"]
        return f"http://127.0.0.1:1/?{answer(state)}\n"

    assert browser.log_in_by_hand(login, shown.append, ask).access == "access-1"
    return parse_qs(urlsplit(shown[0]).query)


def test_a_pasted_address_logs_in_with_the_verifier_of_the_challenge(
    login: Login, server: ScriptedServer
) -> None:
    asked = by_hand(login, lambda state: f"code=code-1&state={state}&iss=https://i")
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["one two"]
    sent = parse_qs(server.asked[0].body.decode())
    assert sent["code"] == ["code-1"]
    assert sent["redirect_uri"] == asked["redirect_uri"] == ["http://127.0.0.1:1/"]
    assert len(sent["code_verifier"][0]) >= 43


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("code=c&state=another", "state is another one"),
        ("code=c", "state is another one"),
        ("code=c&state={}&iss=https://evil", "another provider: https://evil"),
        ("error=access_denied&error_description=no+thanks&state={}", "access_denied: no thanks"),
        ("state={}", "no code"),
    ],
)
def test_another_answer_is_refused_before_any_token(
    login: Login, server: ScriptedServer, answer: str, words: str
) -> None:
    with pytest.raises(AccessError, match=words):
        by_hand(login, answer.format)
    assert server.asked == []


def test_a_browser_that_asks_for_an_icon_first_is_waited_for(
    login: Login, server: ScriptedServer
) -> None:
    met: list[int] = []
    going: list[threading.Thread] = []

    def browse(address: str) -> None:
        query = parse_qs(urlsplit(address).query)
        (back,), (state,) = query["redirect_uri"], query["state"]

        def visit() -> None:
            for path in ("favicon.ico", f"?code=code-1&state={state}&iss=https://i"):
                with closing(HTTPConnection(urlsplit(back).netloc, timeout=5)) as link:
                    link.request("GET", f"/{path}")
                    met.append(link.getresponse().status)

        going.append(threading.Thread(target=visit))
        going[0].start()

    assert browser.log_in(login, browse, wait_s=10.0).access == "access-1"
    going[0].join()
    assert met == [404, 200]
    assert parse_qs(server.asked[0].body.decode())["code"] == ["code-1"]


def test_a_browser_that_breaks_off_is_waited_for_in_silence(
    login: Login, capfd: pytest.CaptureFixture[str]
) -> None:
    def browse(address: str) -> None:
        (back,) = parse_qs(urlsplit(address).query)["redirect_uri"]
        with closing(socket.create_connection(("127.0.0.1", urlsplit(back).port or 0))) as link:
            # At once: without an end that is agreed upon.
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with pytest.raises(TemporaryError, match="nobody logged in"):
        browser.log_in(login, browse, wait_s=0.2)
    assert capfd.readouterr().err == ""


def test_nobody_at_the_browser_is_temporary(login: Login) -> None:
    with pytest.raises(TemporaryError, match="nobody logged in"):
        browser.log_in(login, lambda _: None, wait_s=0.0)


def test_a_provider_without_a_browser_login_says_so(login: Login, tmp_path: Path) -> None:
    del login
    client = Client(client_id="me", provider=Endpoints(token_url="https://a.example/t"))
    store = FileStore(tmp_path / "a.json")
    bare = Login(client=client, network=Network(), store=store, command="x")
    with pytest.raises(SetupError, match="--device"):
        browser.log_in(bare, lambda _: None)


def test_google_is_asked_for_something_to_renew_with() -> None:
    assert PRESETS["google"].endpoints.asked == {"access_type": "offline", "prompt": "consent"}


def test_an_issuer_beyond_this_machine_must_be_encrypted() -> None:
    with pytest.raises(SetupError, match="in clear"):
        Client(client_id="me", provider="http://issuer.example")
