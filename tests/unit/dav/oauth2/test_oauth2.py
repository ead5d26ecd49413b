"""Renewal, its lock and its store; device codes; what an issuer says of itself."""

import json
import socket
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from caldav_run.dav.oauth2 import device, provider
from caldav_run.dav.oauth2 import store as store_module
from caldav_run.dav.oauth2.access import Access, Login, key_of
from caldav_run.dav.oauth2.forget import forget
from caldav_run.dav.oauth2.grant import Grant
from caldav_run.dav.oauth2.provider import Client, Endpoints
from caldav_run.dav.oauth2.store import FileStore
from caldav_run.dav.oauth2.wire import Network, RefusalError
from caldav_run.errors import AccessError, ConnectorError, SetupError, TemporaryError
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer

NOW = 1_000_000.0
NETWORK = Network(timeout_s=5.0)


def says(document: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def token(number: int) -> Answer:
    return says(
        {
            "access_token": f"access-token-{number}",
            "refresh_token": f"refresh-token-{number}",
            "token_type": "Bearer",
            "expires_in": 3600,
        }
    )


def form(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("caldav_run.dav.oauth2.access.pause", waited.append)
    monkeypatch.setattr("caldav_run.dav.oauth2.device.pause", waited.append)
    return waited


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "tokens" / "a.json")


@pytest.fixture
def login(server: ScriptedServer, store: FileStore) -> Login:
    endpoints = Endpoints(token_url=f"{server.url}token", device_url=f"{server.url}device")
    client = Client(client_id="me", provider=endpoints, scopes=("calendar",))
    return Login(client=client, network=NETWORK, store=store, command="caldav-run login a.yaml b")


def grant(number: int = 0, ends_in: float = 3600.0) -> Grant:
    return Grant(
        access=f"access-token-{number}",
        refresh=f"refresh-token-{number}",
        expires_at=NOW + ends_in,
        lifetime_s=3600.0,
    )


def test_a_fresh_token_asks_nobody(login: Login, server: ScriptedServer) -> None:
    login.store.save(grant())
    assert Access(login, lambda: NOW).bearer() == "access-token-0"
    assert server.asked == []


def test_the_rotated_refresh_token_is_kept_before_the_next_request(
    login: Login, server: ScriptedServer
) -> None:
    login.store.save(grant(ends_in=1.0))
    server.script = lambda _: token(1)
    assert Access(login, lambda: NOW).bearer() == "access-token-1"
    kept = login.store.load()
    assert kept is not None
    assert kept.refresh == "refresh-token-1"
    assert form(server.asked[0])["refresh_token"] == "refresh-token-0"


def test_runs_at_the_same_time_renew_once(login: Login, server: ScriptedServer) -> None:
    login.store.save(grant(ends_in=-1.0))
    server.script = lambda _: token(1)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(Access(login, lambda: NOW).bearer()))
        for _ in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == ["access-token-1"] * 6
    assert len(server.asked) == 1


def test_an_unreachable_provider_costs_nothing_while_the_token_is_good(
    login: Login, server: ScriptedServer
) -> None:
    login.store.save(grant(ends_in=30.0))
    server.script = lambda _: Answer(503)
    assert Access(login, lambda: NOW).bearer() == "access-token-0"
    with pytest.raises(TemporaryError, match="503"):
        Access(login, lambda: NOW + 31).bearer()
    assert login.store.load() == grant(ends_in=30.0)


def test_a_lost_connection_is_tried_once_more(
    login: Login, server: ScriptedServer, waits: list[float]
) -> None:
    login.store.save(grant(ends_in=-1.0))
    answers = iter([None, token(1)])

    def script(_: Asked) -> Answer:
        answer = next(answers)
        if answer is None:
            raise ConnectionResetError
        return answer

    server.script = script
    assert Access(login, lambda: NOW).bearer() == "access-token-1"
    assert waits == [2.0]


def test_nobody_at_the_providers_address_is_temporary(store: FileStore) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/token"
    client = Client(client_id="me", provider=Endpoints(token_url=url))
    store.save(grant(ends_in=-1.0))
    access = Access(Login(client=client, network=NETWORK, store=store, command="x"), lambda: NOW)
    with pytest.raises(TemporaryError, match="refused"):
        access.bearer()


def test_nothing_is_asked_for_that_could_not_be_kept(
    login: Login, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    login.store.save(grant(ends_in=-1.0))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("caldav_run.dav.oauth2.store._write", full)
    with pytest.raises(SetupError, match="No space left"):
        Access(login, lambda: NOW).bearer()
    assert server.asked == []


def test_a_login_that_cannot_be_renewed_names_the_command(
    login: Login, server: ScriptedServer
) -> None:
    login.store.save(grant(ends_in=-1.0))
    server.script = lambda _: says({"error": "invalid_grant"}, 400)
    with pytest.raises(AccessError, match="revoked or has ended") as caught:
        Access(login, lambda: NOW).bearer()
    assert caught.value.mend == "run: caldav-run login a.yaml b"


def test_a_refused_client_is_told_with_the_providers_words(
    login: Login, server: ScriptedServer
) -> None:
    login.store.save(grant(ends_in=-1.0))
    server.script = lambda _: says({"error": "invalid_client", "error_description": "who?"}, 401)
    with pytest.raises(RefusalError, match=r"invalid_client: who\?.*check client_id"):
        Access(login, lambda: NOW).bearer()


def test_what_is_no_provider_is_told_as_such(login: Login, server: ScriptedServer) -> None:
    login.store.save(grant(ends_in=-1.0))
    server.script = lambda _: Answer(302, b"", {"Location": "https://example.org/"})
    with pytest.raises(ConnectorError, match="no OAuth2 endpoint"):
        Access(login, lambda: NOW).bearer()


@pytest.mark.parametrize("status", [200, 302])
def test_an_answer_without_an_end_is_no_providers(
    login: Login, server: ScriptedServer, status: int
) -> None:
    login.store.save(grant(ends_in=-1.0))
    where = {"Location": "https://example.org/"}
    server.script = lambda _: Answer(status, b" " * (1 << 21), where, announced=1 << 40)
    with pytest.raises(ConnectorError, match="check the endpoints"):
        Access(login, lambda: NOW).bearer()


def test_missing_authorities_are_a_matter_of_the_pipeline(login: Login, tmp_path: Path) -> None:
    endpoints = Endpoints(token_url="https://127.0.0.1:1/token")
    client = Client(client_id="me", provider=endpoints)
    network = replace(NETWORK, ca_file=tmp_path / "nowhere.pem")
    login.store.save(grant(ends_in=-1.0))
    with pytest.raises(SetupError, match="ca_file"):
        Access(replace(login, client=client, network=network), lambda: NOW).bearer()


def test_a_login_without_anything_to_renew_it_with_says_to_log_in_again(
    login: Login, server: ScriptedServer
) -> None:
    login.store.save(replace(grant(ends_in=-1.0), refresh=None))
    with pytest.raises(AccessError, match="nothing to renew it with; run: caldav-run login"):
        Access(login, lambda: NOW).bearer()
    assert server.asked == []


def test_a_new_token_that_cannot_be_kept_serves_this_run(
    login: Login,
    server: ScriptedServer,
    store: FileStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    login.store.save(grant(ends_in=-1.0))
    server.script = lambda _: token(1)
    write, disk = store_module._write, iter(["room", "full"])

    def filling(path: Path, text: str) -> None:
        if next(disk) == "full":
            raise OSError(28, "No space left on device")
        write(path, text)

    monkeypatch.setattr(store_module, "_write", filling)
    access = Access(login, lambda: NOW)
    assert access.bearer() == access.bearer() == "access-token-1"
    assert "this run goes on, then run: caldav-run login a.yaml b" in caplog.text
    assert store.load() == grant(ends_in=-1.0)


def test_a_token_that_another_connection_renewed_is_taken(
    login: Login, server: ScriptedServer
) -> None:
    login.store.save(grant())
    server.script = lambda _: token(1)
    access = Access(login, lambda: NOW)
    refused = access.bearer()
    assert access.renew(refused)
    assert access.renew(refused)
    assert access.bearer() == "access-token-1"
    assert len(server.asked) == 1


def test_a_late_answer_to_an_old_token_makes_the_new_one_no_bad_one(
    login: Login, server: ScriptedServer
) -> None:
    login.store.save(grant())
    tokens = iter([token(1), token(2)])
    server.script = lambda _: next(tokens)
    access = Access(login, lambda: NOW)
    old = access.bearer()
    assert access.renew(old)
    access.accepted("access-token-1")
    access.accepted(old)
    assert access.renew("access-token-1")
    assert access.bearer() == "access-token-2"
    assert not access.renew("access-token-2")


@pytest.mark.parametrize("code", ["temporarily_unavailable", "server_error"])
def test_a_provider_that_cannot_now_is_temporary(
    login: Login, server: ScriptedServer, code: str
) -> None:
    login.store.save(grant(ends_in=-1.0))
    server.script = lambda _: says({"error": code}, 400)
    with pytest.raises(TemporaryError, match=code):
        Access(login, lambda: NOW).bearer()


@pytest.mark.parametrize(
    "answer", [{}, {"access_token": ""}, {"access_token": "a", "token_type": "mac"}, []]
)
def test_what_is_no_bearer_token_is_not_taken(
    login: Login, server: ScriptedServer, answer: object
) -> None:
    login.store.save(grant(ends_in=-1.0))
    server.script = lambda _: says(answer)
    with pytest.raises(ConnectorError, match="no bearer token"):
        Access(login, lambda: NOW).bearer()
    assert login.store.load() == grant(ends_in=-1.0)


@pytest.mark.parametrize("lifetime", ["soon", None, [], 0, -5])
def test_a_lifetime_that_is_none_is_not_believed(
    login: Login, server: ScriptedServer, lifetime: object
) -> None:
    login.store.save(grant(ends_in=-1.0))
    server.script = lambda _: says({"access_token": "access-1", "expires_in": lifetime})
    access = Access(login, lambda: NOW)
    assert access.bearer() == access.bearer() == "access-1"
    assert len(server.asked) == 1


@pytest.mark.parametrize("text", ["[]", '{"version": 1}', '{"access_token": 1}', "null"])
def test_a_store_that_holds_something_else_says_to_log_in_again(
    store: FileStore, text: str
) -> None:
    store.save(grant())
    store.path.write_text(text, "utf-8")
    with pytest.raises(SetupError, match="damaged; log in again"):
        store.load()


@pytest.mark.parametrize(("body", "why"), [(None, "Is a directory"), (b"\xff", "it is no text")])
def test_a_store_that_cannot_be_read_says_why(
    store: FileStore, body: bytes | None, why: str
) -> None:
    store.save(grant())
    if body is None:
        store.path.unlink()
        store.path.mkdir()
    else:
        store.path.write_bytes(body)
    with pytest.raises(SetupError, match=why):
        store.load()


@pytest.mark.parametrize(
    ("refresh", "told"),
    [
        ("refresh-token-0", ("refresh-token-0", "refresh_token")),
        (None, ("access-token-0", "access_token")),
    ],
)
def test_a_forgotten_login_is_taken_back_by_what_ends_all_of_it(
    login: Login, server: ScriptedServer, refresh: str | None, told: tuple[str, str]
) -> None:
    login.store.save(replace(grant(), refresh=refresh))
    server.script = lambda _: says({})
    endpoints = Endpoints(token_url=f"{server.url}token", revoke_url=f"{server.url}revoke")
    assert forget(replace(login, client=Client(client_id="me", provider=endpoints)))
    sent = form(server.asked[0])
    assert (sent["token"], sent["token_type_hint"]) == told
    assert login.store.load() is None


def test_a_login_is_forgotten_here_where_the_provider_takes_none_back(
    login: Login, server: ScriptedServer
) -> None:
    assert not forget(login)
    login.store.save(grant())
    assert not forget(login)
    assert login.store.load() is None
    assert server.asked == []


def test_a_damaged_store_says_to_log_in_again(login: Login, store: FileStore) -> None:
    store.save(grant())
    store.path.write_text("{", "utf-8")
    with pytest.raises(SetupError, match="damaged; log in again"):
        Access(login).bearer()


def test_a_file_that_others_can_read_is_closed_to_them(store: FileStore) -> None:
    store.save(grant())
    store.path.chmod(0o644)
    assert store.load() == grant()
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_another_run_that_never_ends_is_waited_for_in_vain(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caldav_run.dav.oauth2.store.LOCK_LIMIT_S", 0.0)
    monkeypatch.setattr("caldav_run.dav.oauth2.store._POLL_S", 0.0)
    with store.lock(), pytest.raises(TemporaryError, match="another run"), store.lock():
        pass


def test_accounts_are_told_apart_by_address_and_user() -> None:
    client = Client(client_id="me", provider="google")
    keys = {
        key_of(client, url, user)
        for url in ("https://a.example", "https://b.example")
        for user in (None, "alice", "bob")
    }
    assert len(keys) == 6


def test_slow_down_makes_the_polling_slower_for_good(
    login: Login, server: ScriptedServer, waits: list[float]
) -> None:
    begun = {
        "device_code": "device-code-1",
        "user_code": "ABCD",
        "verification_uri": "https://example.org/device",
        "interval": 2,
        "expires_in": 600,
    }
    later = iter(["authorization_pending", "slow_down", "authorization_pending"])

    def script(asked: Asked) -> Answer:
        if asked.path == "/device":
            return says(begun)
        code = next(later, None)
        return token(1) if code is None else says({"error": code}, 400)

    server.script = script
    shown: list[device.Shown] = []
    assert device.log_in(login, shown.append).access == "access-token-1"
    assert shown == [device.Shown("https://example.org/device", "ABCD", None)]
    assert waits == [2.0, 2.0, 7.0, 7.0]
    assert form(server.asked[0]) == {"scope": "calendar", "client_id": "me"}


BEGUN = {"device_code": "d-code", "user_code": "A", "verification_uri": "https://e.org"}


def test_a_connection_that_breaks_off_makes_the_polling_slower(
    login: Login, server: ScriptedServer, waits: list[float]
) -> None:
    answers = iter([None, token(1)])

    def script(asked: Asked) -> Answer:
        answer = says(BEGUN) if asked.path == "/device" else next(answers)
        if answer is None:
            raise ConnectionResetError
        return answer

    server.script = script
    assert device.log_in(login, lambda _: None).access == "access-token-1"
    assert waits == [5.0, 10.0]


def test_a_code_that_nobody_enters_ends_with_its_lifetime(
    login: Login, server: ScriptedServer, waits: list[float]
) -> None:
    pending = says({"error": "authorization_pending"}, 400)
    begun = says({**BEGUN, "interval": 4, "expires_in": 10})
    server.script = lambda asked: begun if asked.path == "/device" else pending
    with pytest.raises(TemporaryError, match="nobody entered the code in time"):
        device.log_in(login, lambda _: None)
    assert waits == [4.0, 4.0, 4.0]


def test_google_s_spelling_of_the_address_is_taken(login: Login, server: ScriptedServer) -> None:
    begun = {"device_code": "d-code", "user_code": "A", "verification_url": "https://g.co"}
    begun["verification_uri_complete"] = "https://g.co?A"
    server.script = lambda asked: says(begun) if asked.path == "/device" else token(1)
    shown: list[device.Shown] = []
    device.log_in(login, shown.append)
    assert shown == [device.Shown("https://g.co", "A", "https://g.co?A")]


def test_an_answer_without_a_code_begins_nothing(login: Login, server: ScriptedServer) -> None:
    server.script = lambda _: says({"user_code": "A"})
    with pytest.raises(ConnectorError, match="it gives no code"):
        device.log_in(login, lambda _: None)


def test_a_provider_without_devices_says_what_else_there_is(login: Login) -> None:
    bare = Client(client_id="me", provider=Endpoints(token_url="https://a.example/t"))
    with pytest.raises(SetupError, match="--paste"):
        device.log_in(replace(login, client=bare), lambda _: None)


def test_another_refusal_of_a_device_is_told_as_it_is(login: Login, server: ScriptedServer) -> None:
    server.script = lambda asked: (
        says(BEGUN) if asked.path == "/device" else says({"error": "invalid_client"}, 401)
    )
    with pytest.raises(RefusalError, match="invalid_client"):
        device.log_in(login, lambda _: None)


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [("access_denied", AccessError, 77), ("expired_token", TemporaryError, 75)],
)
def test_a_device_login_ends_as_the_provider_says(
    login: Login, server: ScriptedServer, code: str, kind: type[ConnectorError], status: int
) -> None:
    server.script = lambda asked: (
        says(BEGUN) if asked.path == "/device" else says({"error": code}, 400)
    )
    with pytest.raises(kind) as caught:
        device.log_in(login, lambda _: None)
    assert caught.value.exit_status == status


def test_an_issuer_is_asked_by_both_well_known_names(server: ScriptedServer) -> None:
    issuer = f"{server.url}realm"

    def script(asked: Asked) -> Answer:
        if asked.path != "/realm/.well-known/openid-configuration":
            return Answer(404)
        return says(
            {
                "issuer": issuer,
                "token_endpoint": f"{issuer}/token",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        )

    server.script = script
    found = provider.discover(issuer, NETWORK)
    assert found.token_url == f"{issuer}/token"
    assert found.secret_in == "client_secret_post"
    assert server.methods()[0] == "GET /.well-known/oauth-authorization-server/realm"


def test_an_issuer_that_speaks_for_another_one_is_refused(server: ScriptedServer) -> None:
    server.script = lambda _: says({"issuer": "https://evil.example", "token_endpoint": "x"})
    with pytest.raises(ConnectorError, match="another issuer"):
        provider.discover(server.url, NETWORK)


def test_an_issuer_cannot_lead_to_an_unencrypted_place(server: ScriptedServer) -> None:
    server.script = lambda _: says(
        {"issuer": server.url, "token_endpoint": "http://example.org/token"}
    )
    with pytest.raises(ConnectorError, match="in clear"):
        provider.discover(server.url, NETWORK)


def test_an_issuer_that_says_nothing_is_told(server: ScriptedServer) -> None:
    with pytest.raises(ConnectorError, match="write authorize_url and token_url"):
        provider.discover(server.url, NETWORK)


def test_tokens_show_in_no_repr() -> None:
    assert "token" not in repr(grant()).replace("expires_at", "")
