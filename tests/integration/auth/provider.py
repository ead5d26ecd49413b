"""A real OAuth2 server, made of Authlib's server side, and a guard in front of a CalDAV server."""

import contextlib
import http.client
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

import flask
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import (
    DEVICE_CODE_GRANT_TYPE,
    DeviceAuthorizationEndpoint,
    DeviceCodeGrant,
    DeviceCredentialDict,
)
from werkzeug.serving import WSGIRequestHandler, make_server

METHODS = ["GET", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "OPTIONS"]


@dataclass(slots=True)
class Registered(ClientMixin):  # type: ignore[misc]  # the library has no types
    client_id: str
    secret: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or "calendar"

    def check_redirect_uri(self, uri: str) -> bool:
        # RFC 8252 section 7.3: any port of the loopback.
        return urlsplit(uri).hostname == "127.0.0.1"

    def check_client_secret(self, secret: str) -> bool:
        return secrets.compare_digest(secret, self.secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        del endpoint
        return (method == "none") == (not self.secret)

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind in {"authorization_code", "refresh_token", DEVICE_CODE_GRANT_TYPE}


@dataclass(slots=True)
class Code:
    code: str
    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass(slots=True)
class Token:
    access_token: str
    refresh_token: str | None
    client_id: str
    scope: str
    expires_in: int
    uses: int = 0
    revoked: bool = False
    refreshed: bool = False

    def check_client(self, client: Registered) -> bool:
        return self.client_id == client.client_id

    def get_scope(self) -> str:
        return self.scope


@dataclass(slots=True)
class Provider:
    """A running server and what a test may change of it.

    Attributes:
        url: The root, with a final slash; also the issuer.
        guarded: The guard's root, where the calendars are.
        client: The only client.
        uses: For how many requests a token is good.
        expires_in: How many seconds a token says that it is good for.
        rotates: Whether each renewal ends the old refresh token.
        consents: What the person says: `yes`, `no`, or `other state`.
        device_answers: What the token endpoint says first in a device login.
        failures: How many requests to the token endpoint fail, with which status; 0 drops them.
        tokens: Every token so far.
        forms: Every form that came to the token endpoint.
        paths: Every path that was asked for, without its query.
    """

    url: str = ""
    guarded: str = ""
    client: Registered = field(default_factory=lambda: Registered("backup", "s3cret-of-client"))
    uses: int = 10**9
    expires_in: int = 3600
    rotates: bool = True
    consents: str = "yes"
    device_answers: list[str] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    devices: dict[str, Any] = field(default_factory=dict)
    forms: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def renewals(self) -> int:
        return sum(form.get("grant_type") == "refresh_token" for form in self.forms)

    def find(self, word: str) -> Token | None:
        return next((t for t in self.tokens if word in {t.access_token, t.refresh_token}), None)

    def good(self, access: str) -> bool:
        """Introspect: count one use of a token, and tell whether it was good for it."""
        token = next((each for each in self.tokens if each.access_token == access), None)
        if token is None or token.revoked or token.uses >= self.uses:
            return False
        token.uses += 1
        return True

    def revoke_all(self) -> None:
        for each in self.tokens:
            each.revoked = True


def _grants(state: Provider) -> AuthorizationServer:  # noqa: C901 -- one class an endpoint
    class ByCode(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = ["client_secret_basic", "none"]

        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            state.codes[code] = Code(
                code,
                request.client.client_id,
                request.payload.redirect_uri,
                request.payload.scope or "",
                data.get("code_challenge", ""),
                data.get("code_challenge_method", ""),
            )

        def query_authorization_code(self, code: str, client: Registered) -> Code | None:
            found = state.codes.get(code)
            return found if found and found.client_id == client.client_id else None

        def delete_authorization_code(self, code: Code) -> None:
            del state.codes[code.code]

        def authenticate_user(self, _: Code) -> str:
            return "alice"

    class ByRefresh(grants.RefreshTokenGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = ["client_secret_basic", "none"]

        @property
        def INCLUDE_NEW_REFRESH_TOKEN(self) -> bool:  # noqa: N802 -- the library's name
            return state.rotates

        def authenticate_refresh_token(self, word: str) -> Token | None:
            found = next((each for each in state.tokens if each.refresh_token == word), None)
            if found is not None and found.refreshed and state.rotates:
                # RFC 9700 section 4.14.2: a used one means theft, and ends all of them.
                state.revoke_all()
            return None if found is None or found.revoked else found

        def authenticate_user(self, _: Token) -> str:
            return "alice"

        def revoke_old_credential(self, token: Token) -> None:
            token.refreshed = True

    class ByDevice(DeviceCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = ["client_secret_basic", "none"]

        def query_device_credential(self, code: str) -> Any:
            return state.devices.get(code)

        def query_user_grant(self, code: str) -> tuple[str, bool] | None:
            del code
            if state.device_answers:
                return None
            return "alice", state.consents == "yes"

        def should_slow_down(self, credential: Any) -> bool:
            del credential
            return state.device_answers.pop(0) == "slow_down"

    class Device(DeviceAuthorizationEndpoint):  # type: ignore[misc]
        def get_verification_uri(self) -> str:
            return f"{state.url}device"

        def save_device_credential(self, client_id: str, scope: str, data: Any) -> None:
            state.devices[data["device_code"]] = DeviceCredentialDict(
                {"client_id": client_id, "scope": scope, "expires_at": time.time() + 600, **data}
            )

    class Revoke(RevocationEndpoint):  # type: ignore[misc]
        def query_token(self, word: str, _: str) -> Token | None:
            return state.find(word)

        def revoke_token(self, _: Token, request: Any) -> None:
            del request
            state.revoke_all()

    server = AuthorizationServer(
        query_client=lambda name: state.client if name == state.client.client_id else None,
        save_token=lambda token, request: state.tokens.append(
            Token(
                token["access_token"],
                token.get("refresh_token"),
                request.client.client_id,
                token.get("scope", ""),
                token["expires_in"],
            )
        ),
    )

    def bearer(**asked: Any) -> dict[str, Any]:
        token = {
            "token_type": "Bearer",
            "access_token": secrets.token_urlsafe(),
            "expires_in": state.expires_in,
            "scope": asked.get("scope") or "",
        }
        if asked.get("include_refresh_token", True):
            token["refresh_token"] = secrets.token_urlsafe()
        return token

    server.register_token_generator("default", bearer)
    server.register_grant(ByCode, [CodeChallenge(required=True)])
    server.register_grant(ByRefresh)
    server.register_grant(ByDevice)
    server.register_endpoint(Device)
    server.register_endpoint(Revoke)
    return server


def _application(state: Provider) -> flask.Flask:  # noqa: C901 -- one function an address
    app = flask.Flask("provider")
    server = _grants(state)

    @app.before_request
    def note() -> None:
        state.paths.append(flask.request.path)

    @app.get("/.well-known/oauth-authorization-server")
    def metadata() -> Any:
        return {
            "issuer": state.url,
            "authorization_endpoint": f"{state.url}authorize",
            "token_endpoint": f"{state.url}token",
            "device_authorization_endpoint": f"{state.url}device",
            "revocation_endpoint": f"{state.url}revoke",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    @app.get("/authorize")
    def authorize() -> Any:
        grant = server.get_consent_grant(end_user="alice")
        user = None if state.consents == "no" else "alice"
        answer = server.create_authorization_response(grant=grant, grant_user=user)
        if state.consents == "other state":
            answer.headers["Location"] = f"{grant.redirect_uri}?code=x&state=another"
        return answer

    @app.post("/token")
    def token() -> Any:
        state.forms.append(dict(flask.request.form))
        if state.failures:
            return flask.Response("out of order", state.failures.pop(0))
        return server.create_token_response()

    @app.post("/device")
    def device() -> Any:
        return server.create_endpoint_response("device_authorization")

    @app.post("/revoke")
    def revoke() -> Any:
        return server.create_endpoint_response("revocation")

    return app


def _guard(state: Provider, behind: str) -> flask.Flask:
    """Return a reverse proxy that checks the token and tells the server behind it who asks."""
    app = flask.Flask("guard")

    @app.route("/", defaults={"path": ""}, methods=METHODS)
    @app.route("/<path:path>", methods=METHODS)
    def forward(path: str) -> Any:
        del path
        kind, _, word = flask.request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not state.good(word):
            return flask.Response("", 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        headers = {
            name: value
            for name, value in flask.request.headers
            if name.lower() not in {"authorization", "host", "connection", "content-length"}
        }
        link = http.client.HTTPConnection(behind)
        with contextlib.closing(link):
            target = flask.request.environ["REQUEST_URI"]
            body = flask.request.get_data()
            link.request(flask.request.method, target, body, {**headers, "X-Remote-User": "alice"})
            answer = link.getresponse()
            kept = [
                (name, value)
                for name, value in answer.getheaders()
                if name.lower() not in {"transfer-encoding", "connection", "content-length"}
            ]
            return flask.Response(answer.read(), answer.status, kept)

    return app


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextlib.contextmanager
def _serving(app: flask.Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def provider(behind: str) -> Iterator[Provider]:
    """Run the server, and the guard in front of `behind` (`host:port`), until the context ends."""
    state = Provider()
    with _serving(_application(state)) as url, _serving(_guard(state, behind)) as guarded:
        state.url, state.guarded = url, guarded
        yield state
