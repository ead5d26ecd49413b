"""How a server is reached: client certificate, pinned certificate, proxy."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from caldav_run.dav.origin import is_loopback
from caldav_run.errors import SetupError
from caldav_run.secret import Secret, hide

PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_FINGERPRINT: Final = re.compile(r"(?i)sha256:((?:[0-9a-f]{2}:){31}[0-9a-f]{2}|[0-9a-f]{64})")
_FINGERPRINT_MEND: Final = (
    "write SHA256: and 64 hex digits, as openssl x509 -noout -fingerprint -sha256 shows them"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """What proves to the server who asks (RFC 8446 section 4.4.2).

    Attributes:
        file: The certificate and those below its authority, as PEM.
        key: Its private key; None when it stands in `file`.
        password: Opens the key; None when it is not locked.
    """

    file: Path
    key: Path | None = None
    password: Secret | None = field(default=None, repr=False)

    def for_session(self) -> tuple[str, str] | tuple[str, str, str]:
        """Return it as the HTTP library takes it.

        Raises:
            SetupError: It cannot be used; the files are read here, so that this shows at once.
        """
        from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError

        word = "" if self.password is None else self.password.reveal()
        key = self.key or self.file
        try:
            # A locked key without a password would have OpenSSL ask at the terminal.
            SSLContext(PROTOCOL_TLS_CLIENT).load_cert_chain(self.file, key, password=lambda: word)
        except (SSLError, ValueError):
            raise SetupError(
                f"the client certificate {self.file} and its key do not open",
                mend="check file, key and password; both must be PEM, and belong together",
            ) from None
        except OSError as error:
            raise SetupError(
                f"the client certificate {self.file} or its key cannot be read: {error.strerror}",
                mend="check the paths in client_certificate",
            ) from None
        pair = (str(self.file), str(key))
        return (*pair, word) if word else pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """What stands between this machine and the server.

    Attributes:
        url: Its address, without a user.
        username: Who to sign in to it as.
        password: The proxy's password.
    """

    url: str
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no proxy.

        Raises:
            SetupError: The address is none, or holds a user.
        """
        parts = split_proxy(self.url)
        if parts.username is not None:
            raise SetupError(
                "the proxy's url holds a user", mend="use username and password below proxy"
            )

    @property
    def loopback(self) -> bool:
        """Whether what is said to the proxy stays on this machine."""
        return is_loopback(split_proxy(self.url).hostname or "")

    def for_session(self) -> Mapping[str, str]:
        """Return it as the HTTP library takes it.

        Raises:
            SetupError: SOCKS needs a package that is not installed.
        """
        parts = split_proxy(self.url)
        if parts.scheme.startswith("socks"):
            _require_socks()
        whole = f"{parts.scheme}://{self._userinfo()}{parts.netloc}"
        return MappingProxyType({"http": whole, "https": whole})

    def _userinfo(self) -> str:
        if self.username is None or self.password is None:
            return ""
        word = quote(self.password.reveal(), safe="")
        hide([word])
        return f"{quote(self.username, safe='')}:{word}@"


def authorities(file: Path) -> str:
    """Return a file of certificates to trust as the HTTP library takes it.

    Raises:
        SetupError: It cannot be used; it is read here, so that this shows at once.
    """
    from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError

    try:
        # OpenSSL looks into a folder only when it needs a certificate from there.
        if not file.is_dir():
            SSLContext(PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except SSLError:
        raise SetupError(
            f"ca_file {file} holds no certificates", mend="it must be PEM, one after another"
        ) from None
    except OSError as error:
        raise SetupError(
            f"ca_file {file} cannot be read: {error.strerror}", mend="check its path"
        ) from None
    return str(file)


def fingerprint(text: str) -> str:
    """Return the 64 hex digits of a certificate's fingerprint.

    Args:
        text: `SHA256:` and the digits, with or without colons between them.

    Raises:
        SetupError: It is not written so.
    """
    found = _FINGERPRINT.fullmatch(text.strip())
    if found is None:
        raise SetupError("tls_fingerprint is not valid", mend=_FINGERPRINT_MEND)
    return found[1].replace(":", "").lower()


def split_proxy(url: str) -> SplitResult:
    """Return the parts of a proxy's address.

    Raises:
        SetupError: It is no address of a proxy.
    """
    with suppress(ValueError):
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0 and "\\" not in parts.netloc
        if whole and parts.scheme in PROXY_SCHEMES and not (parts.path.strip("/") or parts.query):
            return parts
    raise SetupError(
        "proxy is no address of a proxy",
        mend="write scheme://host:port, with one of: " + ", ".join(PROXY_SCHEMES),
    )


def _require_socks() -> None:
    from importlib.util import find_spec

    if find_spec("python_socks") is None:
        raise SetupError(
            "SOCKS proxies need a package that is missing", mend="pip install 'caldav-run[socks]'"
        )
