"""What can go wrong on the way to a server: its certificate, the client's, and the proxy."""

import re
from typing import Final

from caldav_run.errors import AccessError, ConnectorError, TemporaryError

_OTHER_CERTIFICATE: Final = re.compile(r'Fingerprints did not match.*got "([0-9a-f]{64})"')
# Alerts by which a server says that it does not take the client's certificate, or wants one.
_WANTS_ANOTHER: Final = re.compile(
    r"(?i)alert[ _](unknown[ _]ca|bad[ _]certificate|certificate[ _](required|unknown|expired"
    r"|revoked)|unsupported[ _]certificate|access[ _]denied|handshake[ _]failure)"
)
_PROXY_LOGIN: Final = re.compile(
    r"407|Username and password authentication failure|No acceptable authentication methods"
)
# The library's name for a connection through such a proxy; it has no class of its own for errors.
_SOCKS: Final = "SOCKSHTTP"
_PROXY_MEND: Final = "check username and password below proxy"


def meaning(causes: tuple[BaseException, ...], url: str) -> ConnectorError | None:
    """Return what an error of the HTTP library says about the way; None for all others.

    Args:
        causes: The error and what lies beneath it.
        url: The URL that was asked for.
    """
    from niquests.exceptions import ProxyError

    said = "; ".join(map(str, causes))
    if found := _OTHER_CERTIFICATE.search(said):
        return ConnectorError(
            f"{url} shows another certificate than the pinned one: SHA256:{found[1]}",
            mend="if its owner renewed it and confirms this one, write it as tls_fingerprint",
        )
    if _WANTS_ANOTHER.search(said):
        return AccessError(
            f"{url} does not take this client's certificate, or misses one",
            mend="check client_certificate",
        )
    if isinstance(causes[0], ProxyError) or _SOCKS in said:
        if _PROXY_LOGIN.search(said):
            return proxy_refused(url)
        return TemporaryError(
            f"the proxy on the way to {url} gives no connection: {causes[-1]}",
            mend="check the proxy's url, and whether it may reach the server",
        )
    return None


def proxy_refused(url: str) -> AccessError:
    """Return the error for a proxy that lets nobody through without a login, or not this one."""
    return AccessError(f"the proxy on the way to {url} refuses the login", mend=_PROXY_MEND)
