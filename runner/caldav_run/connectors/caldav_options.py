"""Single options as the caldav source and sink take them."""

from collections.abc import Mapping
from pathlib import Path

from caldav_run.dav.transport import ClientCertificate, Proxy
from caldav_run.secret import Secret


def certificate(option: object) -> ClientCertificate | None:
    """Return a client certificate."""
    if not isinstance(option, Mapping):
        return None
    return ClientCertificate(
        file=Path(str(option["file"])),
        key=path(option.get("key")),
        password=secret(option.get("password")),
    )


def proxy(option: object) -> Proxy | None:
    """Return a proxy.

    Raises:
        SetupError: Its address is none.
    """
    if isinstance(option, Mapping):
        return Proxy(
            url=str(option["url"]),
            username=text(option.get("username")),
            password=secret(option.get("password")),
        )
    return None if option is None else Proxy(url=str(option))


def path(value: object) -> Path | None:
    """Return a path."""
    return None if value is None else Path(str(value))


def secret(value: object) -> Secret | None:
    """Return a secret."""
    return value if isinstance(value, Secret) else None


def text(value: object) -> str | None:
    """Return a text."""
    return None if value is None else str(value)
