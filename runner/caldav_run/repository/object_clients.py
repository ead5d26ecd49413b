"""Clients of object storages, made of what a pipeline and the environment say."""

import ipaddress
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, MemoryStore, S3Store

from caldav_run import __version__
from caldav_run.errors import SetupError
from caldav_run.repository.aws_profile import profile_keys
from caldav_run.repository.storage import Address, Storage
from caldav_run.secret import Secret, hide

if TYPE_CHECKING:
    from obstore.store import (
        ClientConfig,
        ObjectStore,
        RetryConfig,
    )

Environ = Mapping[str, str]

_CONNECT_LIMIT: Final = timedelta(seconds=10)
# A place that refuses is given up after some seconds, one that is silent after a minute.
_RETRY: Final["RetryConfig"] = {"max_retries": 4, "retry_timeout": timedelta(minutes=3)}
_S3_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_GOOGLE_ENDPOINTS: Final = ("GOOGLE_BASE_URL",)
_AZURE_ENDPOINTS: Final = ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
_ALLOW_HTTP: Final = ("AWS_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP", "AZURE_ALLOW_HTTP")
_SECRET_VARIABLES: Final = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_CLIENT_SECRET",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
)
_memories: Final[dict[str, MemoryStore]] = {}


def connect(address: Address, storage: Storage, environ: Environ) -> "ObjectStore":
    """Return a client; looks the secrets up, and asks no server.

    Raises:
        SetupError: A secret or a file is missing, or what is said does not go together.
    """
    hide(environ[name] for name in _SECRET_VARIABLES if name in environ)
    try:
        return _CLIENTS[address.scheme](address, storage, environ)
    except (BaseError, ValueError) as error:
        # The library's words may repeat a value; its kind says enough.
        raise SetupError(
            f"{address.location} cannot be used: {type(error).__name__}",
            mend="check what `storage` and the environment say of it",
        ) from None


def endpoint_of(address: Address, storage: Storage, environ: Environ) -> str | None:
    """Return the service's URL, or None for the provider's own."""
    names = _ENDPOINTS[address.scheme]
    return storage.endpoint or next((environ[each] for each in names if environ.get(each)), None)


def _s3(address: Address, storage: Storage, environ: Environ) -> "ObjectStore":
    endpoint = endpoint_of(address, storage, environ)
    config: dict[str, Any] = {
        # Not every service knows the deletion of many at once.
        "disable_bulk_delete": True,
        "checksum_algorithm": "SHA256",
        "region": storage.region,
        "access_key_id": storage.access_key_id,
        "secret_access_key": _value(storage.secret_access_key),
        "session_token": _value(storage.session_token),
    }
    if storage.path_style is not None:
        config["virtual_hosted_style_request"] = not storage.path_style
    if storage.path_style is False and endpoint:
        parts = urlsplit(endpoint)
        endpoint = parts._replace(netloc=f"{address.bucket}.{parts.netloc}").geturl()
    # Else the variable of one would win over the other.
    config |= {"endpoint": endpoint, "aws_endpoint_url_s3": endpoint}
    return S3Store(
        address.bucket,
        prefix=address.prefix or None,
        config=_said(config),  # type: ignore[arg-type]  # made of the keys of S3Config
        client_options=_client(storage, endpoint, environ),
        retry_config=_RETRY,
        credential_provider=None if storage.access_key_id else profile_keys(environ),
    )


def _google(address: Address, storage: Storage, environ: Environ) -> "ObjectStore":
    endpoint = endpoint_of(address, storage, environ)
    config = {"base_url": endpoint, "service_account_key": _value(storage.service_account)}
    return GCSStore(
        address.bucket,
        prefix=address.prefix or None,
        config=_said(config),  # type: ignore[arg-type]  # made of the keys of GCSConfig
        client_options=_client(storage, endpoint, environ),
        retry_config=_RETRY,
    )


def _azure(address: Address, storage: Storage, environ: Environ) -> "ObjectStore":
    endpoint = endpoint_of(address, storage, environ)
    if not (storage.account or environ.get("AZURE_STORAGE_ACCOUNT_NAME")):
        raise SetupError(
            f"the storage account of {address.location} is not known",
            mend="set storage.account or AZURE_STORAGE_ACCOUNT_NAME",
        )
    config = {
        "endpoint": endpoint,
        "account_name": storage.account,
        "account_key": _value(storage.account_key),
        "sas_key": _value(storage.sas_token),
    }
    return AzureStore(
        address.bucket,
        prefix=address.prefix or None,
        config=_said(config),  # type: ignore[arg-type]  # made of the keys of AzureConfig
        client_options=_client(storage, endpoint, environ),
        retry_config=_RETRY,
    )


def _memory(address: Address, _storage: Storage, _environ: Environ) -> "ObjectStore":
    return _memories.setdefault(address.location, MemoryStore())


_CLIENTS: Final[Mapping[str, Callable[[Address, Storage, Environ], "ObjectStore"]]] = {
    "s3": _s3,
    "gs": _google,
    "az": _azure,
    "memory": _memory,
}
_ENDPOINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "s3": _S3_ENDPOINTS,
    "gs": _GOOGLE_ENDPOINTS,
    "az": _AZURE_ENDPOINTS,
    "memory": (),
}


def _client(storage: Storage, endpoint: str | None, environ: Environ) -> "ClientConfig":
    options: ClientConfig = {
        "allow_http": _plain(storage, endpoint, environ),
        "connect_timeout": _CONNECT_LIMIT,
        "timeout": timedelta(seconds=storage.timeout_s),
        "user_agent": f"caldav-run/{__version__}",
    }
    ca_file = storage.ca_file or environ.get("AWS_CA_BUNDLE")
    if ca_file:
        try:
            with open(ca_file, "rb") as file:  # noqa: PTH123 - a path or a variable's text
                options["root_certificate"] = file.read()
        except OSError as error:
            raise SetupError(
                f"the certificates in {ca_file} cannot be read: {error.strerror}",
                mend="check storage.ca_file or AWS_CA_BUNDLE",
            ) from None
    return options


def _plain(storage: Storage, endpoint: str | None, environ: Environ) -> bool:
    """Return whether the endpoint is one without TLS that may be used.

    Raises:
        SetupError: It may not.
    """
    parts = urlsplit(endpoint or "")
    if parts.scheme.lower() != "http":
        return False
    said = storage.insecure or any(environ.get(each, "").lower() == "true" for each in _ALLOW_HTTP)
    if said or _is_here(parts.hostname or ""):
        return True
    raise SetupError(
        f"the endpoint {parts.scheme}://{parts.hostname} is not encrypted",
        mend="use https://, or allow it by `insecure: true` in `storage`",
    )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _value(secret: Secret | None) -> str | None:
    return secret and secret.reveal()


def _said(config: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in config.items() if value is not None}
