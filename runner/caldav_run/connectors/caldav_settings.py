"""The options that the caldav source and the caldav sink share."""

from collections.abc import Sequence

from caldav_run.connectors.caldav_oauth2 import access_from
from caldav_run.connectors.caldav_options import certificate, path, proxy, secret, text
from caldav_run.connectors.protocol import Context
from caldav_run.dav.settings import Auth, Settings
from caldav_run.errors import SetupError
from caldav_run.model import Options


def settings_from(options: Options, context: Context) -> Settings:
    """Return what the options say about the connection.

    Raises:
        SetupError: They cannot work together; the message names the connector.
    """
    hosts = options.get("trust_hosts", ())
    try:
        return Settings(
            url=str(options["url"]),
            username=text(options.get("username")),
            password=secret(options.get("password")),
            auth=Auth(str(options.get("auth", Auth.AUTO))),
            timeout_s=float(str(options.get("timeout", 60))),
            trust_hosts=tuple(map(str, hosts)) if isinstance(hosts, Sequence) else (),
            insecure=options.get("insecure") is True,
            ca_file=path(options.get("ca_file")),
            tls_fingerprint=text(options.get("tls_fingerprint")),
            client_certificate=certificate(options.get("client_certificate")),
            proxy=proxy(options.get("proxy")),
            oauth2=access_from(options, context),
            profile=text(options.get("profile")),
        )
    except SetupError as error:
        raise SetupError(f"{context.name}: {error.message}", mend=error.mend) from error
