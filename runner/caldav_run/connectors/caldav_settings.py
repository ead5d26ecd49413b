"""The options that the caldav source and the caldav sink share."""

from collections.abc import Sequence
from pathlib import Path

from caldav_run.connectors.protocol import Context
from caldav_run.dav.settings import Auth, Settings
from caldav_run.errors import SetupError
from caldav_run.model import Options
from caldav_run.secret import Secret


def settings_from(options: Options, context: Context) -> Settings:
    """Return what the options say about the connection.

    Raises:
        SetupError: They cannot work together; the message names the connector.
    """
    password = options.get("password")
    hosts = options.get("trust_hosts", ())
    ca_file = options.get("ca_file")
    try:
        return Settings(
            url=str(options["url"]),
            username=_text(options.get("username")),
            password=password if isinstance(password, Secret) else None,
            auth=Auth(str(options.get("auth", Auth.AUTO))),
            timeout_s=float(str(options.get("timeout", 60))),
            trust_hosts=tuple(map(str, hosts)) if isinstance(hosts, Sequence) else (),
            insecure=options.get("insecure") is True,
            ca_file=None if ca_file is None else Path(str(ca_file)),
        )
    except SetupError as error:
        raise SetupError(f"{context.name}: {error.message}", mend=error.mend) from error


def _text(value: object) -> str | None:
    return None if value is None else str(value)
