"""Who gives tokens: presets, written endpoints, or what an issuer says of itself (RFC 8414)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from caldav_run.dav.oauth2 import wire
from caldav_run.dav.oauth2.wire import Network
from caldav_run.dav.origin import Origin
from caldav_run.errors import ConnectorError, SetupError
from caldav_run.secret import Secret

_SUFFIXES: Final = ("oauth-authorization-server", "openid-configuration")


def require_encrypted(url: str) -> None:
    """Refuse an address at which tokens could be overheard.

    Raises:
        SetupError: It is no address, or is not encrypted and not of this machine.
    """
    origin = Origin.of(url)
    if origin.scheme != "https" and not origin.loopback:
        raise SetupError(f"{url} would send tokens in clear", mend="write https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where a provider is asked for what.

    Attributes:
        token_url: Gives and renews tokens.
        authorize_url: Where a person allows it in a browser.
        device_url: Begins a login on another device (RFC 8628).
        revoke_url: Takes tokens back (RFC 7009).
        issuer: What the provider calls itself, which its answers may repeat (RFC 9207).
        secret_in: How the client's secret is sent, in the words of RFC 7591.
        asked: What is asked for beside the usual.
    """

    token_url: str
    authorize_url: str | None = None
    device_url: str | None = None
    revoke_url: str | None = None
    issuer: str | None = None
    secret_in: str = "client_secret_basic"  # noqa: S105 -- a way, not a secret
    asked: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what would send tokens in clear.

        Raises:
            SetupError: An address is none, or is not encrypted.
        """
        for url in (self.token_url, self.authorize_url, self.device_url, self.revoke_url):
            if url is not None:
                require_encrypted(url)


@dataclass(frozen=True, slots=True)
class Preset:
    """A provider that is known by name.

    Attributes:
        endpoints: Where it is asked.
        scopes: What is asked for unless the pipeline says otherwise.
    """

    endpoints: Endpoints
    scopes: tuple[str, ...]


# Read in the providers' manuals: developers.google.com/identity/protocols/oauth2/native-app and
# fastmail.com/for-developers/oauth. Google gives no calendar scope to its device flow.
PRESETS: Final[Mapping[str, Preset]] = {
    "google": Preset(
        Endpoints(
            token_url="https://oauth2.googleapis.com/token",  # noqa: S106 -- an address
            authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
            revoke_url="https://oauth2.googleapis.com/revoke",
            issuer="https://accounts.google.com",
            secret_in="client_secret_post",  # noqa: S106 -- a way, not a secret
            # A refresh token comes with these two only.
            asked={"access_type": "offline", "prompt": "consent"},
        ),
        ("https://www.googleapis.com/auth/calendar",),
    ),
    "fastmail": Preset(
        Endpoints(
            token_url="https://api.fastmail.com/oauth/refresh",  # noqa: S106 -- an address
            authorize_url="https://api.fastmail.com/oauth/authorize",
            revoke_url="https://api.fastmail.com/oauth/revoke",
        ),
        ("https://www.fastmail.com/dev/protocol-caldav",),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """This program as the provider knows it, and the provider.

    Attributes:
        client_id: What the provider calls this program.
        client_secret: What the provider gave with it; None for a public client.
        provider: The name of a preset, the issuer's URL, or the endpoints themselves.
        scopes: What is asked for.
    """

    client_id: str
    client_secret: Secret | None = field(default=None, repr=False)
    provider: str | Endpoints
    scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an issuer that could be overheard.

        Raises:
            SetupError: Its URL is none, or is not encrypted.
        """
        if isinstance(self.provider, str) and self.provider not in PRESETS:
            require_encrypted(self.provider)

    @property
    def name(self) -> str:
        """The provider, as texts call it and as the place of its tokens is found by."""
        return self.provider if isinstance(self.provider, str) else self.provider.token_url

    def endpoints(self, network: Network) -> Endpoints:
        """Return where the provider is asked; asks an issuer.

        Raises:
            ConnectorError: The issuer does not say.
        """
        if isinstance(self.provider, Endpoints):
            return self.provider
        preset = PRESETS.get(self.provider)
        return preset.endpoints if preset else discover(self.provider, network)


def discover(issuer: str, network: Network) -> Endpoints:
    """Return what an issuer says of itself (RFC 8414 section 3, OpenID Connect Discovery).

    Raises:
        ConnectorError: It says nothing, or speaks for another one.
    """
    for url in _well_known(issuer):
        found = wire.get(url, network)
        if found is not None:
            return _described(found, issuer, url)
    raise ConnectorError(
        f"{issuer} does not say how to log in (RFC 8414)",
        mend="check issuer, or write authorize_url and token_url instead",
    )


def _well_known(issuer: str) -> list[str]:
    from authlib.oauth2.rfc8414 import get_well_known_url

    base = issuer.rstrip("/")
    inserted = [get_well_known_url(base, external=True, suffix=suffix) for suffix in _SUFFIXES]
    # OpenID Connect appends to an issuer's path where RFC 8414 puts in front of it.
    return list(dict.fromkeys([*inserted, f"{base}/.well-known/{_SUFFIXES[1]}"]))


def _described(found: Mapping[str, Any], issuer: str, url: str) -> Endpoints:
    # Else one issuer could take the answers that are meant for another one.
    if str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise ConnectorError(
            f"{url} speaks for another issuer: {found.get('issuer')}",
            mend=f"if that one is meant, write issuer: {found.get('issuer')}",
        )
    try:
        return Endpoints(
            token_url=str(found.get("token_endpoint", "")),
            authorize_url=_text(found.get("authorization_endpoint")),
            device_url=_text(found.get("device_authorization_endpoint")),
            revoke_url=_text(found.get("revocation_endpoint")),
            issuer=str(found["issuer"]),
            secret_in=_way(found.get("token_endpoint_auth_methods_supported")),
        )
    except SetupError as error:
        raise ConnectorError(f"{url} names a place that cannot be used: {error.message}") from error


def _way(offered: object) -> str:
    known = ("client_secret_basic", "client_secret_post")
    ways = offered if isinstance(offered, list) else known
    return next((way for way in known if way in ways), known[0])


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
