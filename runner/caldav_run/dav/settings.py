"""What a connection to a CalDAV account is made from."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from caldav_run.dav.origin import Origin, Trust
from caldav_run.dav.transport import ClientCertificate, Proxy, fingerprint
from caldav_run.errors import SetupError
from caldav_run.secret import Secret

if TYPE_CHECKING:
    from caldav_run.dav.oauth2.access import Access


class Auth(StrEnum):
    """How the user proves who they are."""

    AUTO = "auto"
    BASIC = "basic"
    DIGEST = "digest"
    BEARER = "bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a connection needs to know; nothing is contacted by making one.

    Attributes:
        url: Where to begin: a URL, a host with or without a port, or a mail address, whose domain
            is meant then.
        username: Who to sign in as; None to ask without credentials. With a password and a mail
            address as `url`, that address by default.
        password: The password, or with `Auth.BEARER` the token.
        auth: How to sign in; `AUTO` sends Basic unasked and changes to Digest on demand.
        timeout_s: How long to wait for a connection and between two pieces of an answer.
        trust_hosts: Hosts that may get the credentials beside the one of `url`.
        insecure: Whether plain http may be used beyond this machine.
        ca_file: Certificates to trust instead of the system's.
        tls_fingerprint: `SHA256:…` of the only certificate that the server may show, which then
            needs no authority.
        client_certificate: What proves to the server who asks.
        proxy: What every request goes through.
        profile: What the server is to be treated as, by the name of a profile; None to see that
            from its address and its answers.
        oauth2: Gives the token to sign in with, instead of a password.
    """

    url: str
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)
    auth: Auth = Auth.AUTO
    timeout_s: float = 60.0
    trust_hosts: tuple[str, ...] = ()
    insecure: bool = False
    ca_file: Path | None = None
    tls_fingerprint: str | None = None
    client_certificate: ClientCertificate | None = None
    proxy: Proxy | None = None
    profile: str | None = None
    oauth2: "Access | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what would fail later, or leak.

        Raises:
            SetupError: The URL is none, holds a password, or would send one in clear; or half of
                the credentials is missing.
        """
        if "@" in self.base.partition("://")[2].partition("/")[0]:
            raise SetupError("the url holds a user", mend="use username and password instead")
        if self.username is None and self.password is not None and self.auth is not Auth.BEARER:
            object.__setattr__(self, "username", self._mail_address)
        if not self.trust.protected(Origin.of(self.base)):
            raise SetupError(
                f"{self.base} would send the password in clear over the network",
                mend="write https://, or set insecure: true",
            )
        self._check_transport()
        if self.oauth2 is not None:
            if self.password is not None:
                raise SetupError(f"{self.base} has a password and oauth2", mend="keep one of them")
            return
        named = self.username is not None or self.auth is Auth.BEARER
        if named != (self.password is not None):
            missing = "password" if named else "username"
            raise SetupError(f"{self.base} has no {missing}", mend=f"set {missing}")

    def _check_transport(self) -> None:
        plain = Origin.of(self.base).scheme == "http"
        if self.tls_fingerprint is not None:
            fingerprint(self.tls_fingerprint)
            if self.ca_file is not None:
                raise SetupError(
                    "a pinned certificate needs no authority",
                    mend="keep one of tls_fingerprint and ca_file",
                )
        if plain and (self.tls_fingerprint or self.client_certificate):
            raise SetupError(
                f"{self.base} has no certificates", mend="write https://, or take them out"
            )
        if plain and self.proxy and not (self.insecure or self.proxy.loopback):
            raise SetupError(
                f"{self.base} would send the password in clear to the proxy",
                mend="write https://, or set insecure: true",
            )

    @property
    def bare(self) -> bool:
        """Whether only a host was given, so that the service's address must be found first."""
        return "://" not in self.url

    @property
    def _mail_address(self) -> str | None:
        # A colon would part a user from a password.
        user, at, host = self.url.rpartition("@")
        plain = at and user and host and not {*"/:@"} & {*user} and not {*"/:"} & {*host}
        return self.url if self.bare and plain else None

    @property
    def base(self) -> str:
        """The URL to begin with; a bare host is asked by https unless it is this machine."""
        if not self.bare:
            return self.url
        address = self._mail_address.rpartition("@")[2] if self._mail_address else self.url
        address = address if "/" in address else f"{address}/"
        local = Origin.of(f"https://{address}").loopback
        return f"{'http' if local else 'https'}://{address}"

    @property
    def trust(self) -> Trust:
        """Where the credentials may go."""
        return self.trust_for(self.base)

    def trust_for(self, base: str) -> Trust:
        """Return where the credentials may go when the service was found at `base`."""
        return Trust(Origin.of(base), self.trust_hosts, self.insecure)
