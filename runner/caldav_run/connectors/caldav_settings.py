"""The options that the caldav source and the caldav sink share."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from caldav_run.connectors.protocol import Context
from caldav_run.dav.settings import Auth, Settings
from caldav_run.dav.transport import ClientCertificate, Proxy
from caldav_run.errors import SetupError
from caldav_run.model import Options
from caldav_run.secret import Secret


def settings_from(options: Options, context: Context) -> Settings:
    """Return what the options say about the connection.

    Raises:
        SetupError: They cannot work together; the message names the connector.
    """
    hosts = options.get("trust_hosts", ())
    try:
        return Settings(
            url=str(options["url"]),
            username=_text(options.get("username")),
            password=_secret(options.get("password")),
            auth=Auth(str(options.get("auth", Auth.AUTO))),
            timeout_s=float(str(options.get("timeout", 60))),
            trust_hosts=tuple(map(str, hosts)) if isinstance(hosts, Sequence) else (),
            insecure=options.get("insecure") is True,
            ca_file=_path(options.get("ca_file")),
            tls_fingerprint=_text(options.get("tls_fingerprint")),
            client_certificate=_certificate(options.get("client_certificate")),
            proxy=_proxy(options.get("proxy")),
            profile=_text(options.get("profile")),
        )
    except SetupError as error:
        raise SetupError(f"{context.name}: {error.message}", mend=error.mend) from error


def _certificate(option: object) -> ClientCertificate | None:
    if not isinstance(option, Mapping):
        return None
    return ClientCertificate(
        file=Path(str(option["file"])),
        key=_path(option.get("key")),
        password=_secret(option.get("password")),
    )


def _proxy(option: object) -> Proxy | None:
    if isinstance(option, Mapping):
        return Proxy(
            url=str(option["url"]),
            username=_text(option.get("username")),
            password=_secret(option.get("password")),
        )
    return None if option is None else Proxy(url=str(option))


def _path(value: object) -> Path | None:
    return None if value is None else Path(str(value))


def _secret(value: object) -> Secret | None:
    return value if isinstance(value, Secret) else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
