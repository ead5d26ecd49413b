"""Where credentials may go: the origin of the configured URL, and hosts that the user trusts."""

import ipaddress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from caldav_run.errors import SetupError

_PORTS: Final = {"https": 443, "http": 80}
# A service that spreads its accounts over hosts of one domain.
_PRESETS: Final = {"icloud.com": "*.icloud.com"}


class Origin(NamedTuple):
    """Scheme, host and port: what a password is for (RFC 6454 section 4)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Return a URL's origin.

        Raises:
            SetupError: It is no http or https URL with a host.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SetupError(f"{url!r} is not a URL: {error}") from error
        if parts.scheme not in _PORTS or not parts.hostname:
            raise SetupError(f"{url!r} is not an http or https URL with a host")
        # One parser ends the host at a backslash and another does not; the HTTP library, which
        # sends the password, is the other one.
        if "\\" in parts.netloc:
            raise SetupError(f"the host in {url!r} holds a backslash")
        return cls(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])

    def __str__(self) -> str:
        """Return the origin as the beginning of a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def loopback(self) -> bool:
        """Whether nothing leaves this machine."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class Trust:
    """Decides which URLs may be asked with the account's credentials.

    Attributes:
        home: The origin of the configured URL.
        hosts: Further hosts, as shell patterns, with a port where it is not the usual one.
        insecure: Whether plain http may be used beyond this machine.
    """

    home: Origin
    hosts: tuple[str, ...] = ()
    insecure: bool = False

    def allows(self, url: str) -> bool:
        """Return whether credentials may go to this URL."""
        origin = Origin.of(url)
        if origin == self.home:
            return True
        return self.protected(origin) and any(_matches(host, origin) for host in self._patterns())

    def protected(self, origin: Origin) -> bool:
        """Return whether what is said to this origin cannot be overheard, or may be."""
        # A server elsewhere must not be able to point at a port of this machine.
        local = origin.loopback and self.home.loopback
        return origin.scheme == "https" or local or self.insecure

    def _patterns(self) -> tuple[str, ...]:
        presets = (
            pattern
            for domain, pattern in _PRESETS.items()
            if self.home.host == domain or self.home.host.endswith(f".{domain}")
        )
        return (*self.hosts, *presets)


def is_loopback(host: str) -> bool:
    """Return whether what is said to this host stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _matches(pattern: str, origin: Origin) -> bool:
    if fnmatchcase(f"{origin.host}:{origin.port}", pattern.lower()):
        return True
    usual = origin.port == _PORTS[origin.scheme]
    return usual and fnmatchcase(origin.host, pattern.lower())
