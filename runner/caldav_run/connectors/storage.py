"""The options that say how a repository's object storage is reached."""

from collections.abc import Mapping
from pathlib import Path

from caldav_run.model import Options
from caldav_run.repository.storage import TIMEOUT_S, Storage
from caldav_run.secret import Secret


def storage_from(options: Options) -> Storage:
    """Return what the option `storage` of a snapshot sink or source says."""
    given = options.get("storage")
    said: Options = given if isinstance(given, Mapping) else {}
    ca_file, path_style = said.get("ca_file"), said.get("path_style")
    return Storage(
        endpoint=_text(said, "endpoint"),
        region=_text(said, "region"),
        path_style=path_style if isinstance(path_style, bool) else None,
        ca_file=None if ca_file is None else Path(str(ca_file)),
        insecure=said.get("insecure") is True,
        timeout_s=float(str(said.get("timeout", TIMEOUT_S))),
        access_key_id=_text(said, "access_key_id"),
        secret_access_key=_secret(said, "secret_access_key"),
        session_token=_secret(said, "session_token"),
        service_account=_secret(said, "service_account"),
        account=_text(said, "account"),
        account_key=_secret(said, "account_key"),
        sas_token=_secret(said, "sas_token"),
    )


def _text(said: Options, key: str) -> str | None:
    value = said.get(key)
    return None if value is None else str(value)


def _secret(said: Options, key: str) -> Secret | None:
    value = said.get(key)
    return value if isinstance(value, Secret) else None
