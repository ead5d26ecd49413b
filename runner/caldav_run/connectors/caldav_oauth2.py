"""The option `oauth2` of the caldav source and the caldav sink."""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from caldav_run.connectors.caldav_options import path, proxy, secret, text
from caldav_run.connectors.protocol import Context
from caldav_run.errors import SetupError
from caldav_run.model import Options

if TYPE_CHECKING:
    from caldav_run.dav.oauth2.access import Access
    from caldav_run.dav.oauth2.provider import Client
    from caldav_run.dav.oauth2.store import Store

FOLDER: Final = "tokens"


def access_from(options: Options, context: Context) -> "Access | None":
    """Return what gives the tokens; None where the account has no `oauth2`.

    Raises:
        SetupError: The options cannot work together.
    """
    said = options.get("oauth2")
    if not isinstance(said, Mapping):
        return None
    from caldav_run.dav.oauth2.access import Access, Login, key_of
    from caldav_run.dav.oauth2.wire import Network

    client = _client(said)
    key = key_of(client, str(options["url"]), text(options.get("username")))
    network = Network(
        timeout_s=float(str(options.get("timeout", 60))),
        ca_file=path(options.get("ca_file")),
        proxy=proxy(options.get("proxy")),
    )
    return Access(
        Login(
            client=client,
            network=network,
            store=_store(said, key),
            command=command(context),
        )
    )


def command(context: Context) -> str:
    """Return what a person runs to log this connector in."""
    file = "PIPELINE" if context.file is None else shlex.quote(str(context.file))
    return f"caldav-run login {file} {context.name}"


def _client(said: Mapping[str, Any]) -> "Client":
    from caldav_run.dav.oauth2.provider import PRESETS, Client

    scopes = said.get("scopes")
    preset = PRESETS.get(str(said.get("provider")))
    usual = preset.scopes if preset else ()
    return Client(
        client_id=str(said["client_id"]),
        client_secret=secret(said.get("client_secret")),
        provider=said.get("provider") or said.get("issuer") or _endpoints(said),
        scopes=tuple(map(str, scopes)) if isinstance(scopes, Sequence) else usual,
    )


def _endpoints(said: Mapping[str, Any]) -> Any:
    from caldav_run.dav.oauth2.provider import Endpoints

    found = Endpoints(
        token_url=str(said["token_url"]),
        authorize_url=text(said.get("authorize_url")),
        device_url=text(said.get("device_url")),
        revoke_url=text(said.get("revoke_url")),
    )
    if found.authorize_url is None and found.device_url is None:
        raise SetupError(
            "oauth2 says nowhere to log in", mend="add authorize_url, or device_url, or both"
        )
    return found


def _store(said: Mapping[str, Any], key: str) -> "Store":
    from caldav_run.dav.oauth2.store import FileStore, KeyringStore
    from caldav_run.repository.keys import default_folder

    folder = default_folder() / FOLDER
    if said.get("token_store") == "keyring":
        return KeyringStore(key, folder)
    return FileStore(folder / f"{key}.json")
