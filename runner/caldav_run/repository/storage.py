"""What the URL of an object storage cannot say: how to reach it, and as whom."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from caldav_run.errors import SetupError
from caldav_run.secret import Secret

TIMEOUT_S: Final = 300.0
"""A pack of 16 MiB takes two minutes at one megabit a second."""

_COMMON: Final = frozenset({"endpoint", "ca_file", "insecure", "timeout"})
_S3: Final = frozenset(
    {"region", "path_style", "access_key_id", "secret_access_key", "session_token"}
)
OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "s3": _COMMON | _S3,
    "gs": _COMMON | {"service_account"},
    "az": _COMMON | {"account", "account_key", "sas_token"},
    "memory": frozenset(),
}
"""Of what kinds a repository's URL may be, and what each takes of `storage.schema.json`.

Anything else is the path of a folder.
"""

_SCHEME: Final = re.compile(r"(?i)([a-z][a-z0-9+.-]*)://")
_ADDRESS: Final = re.compile(r"([^/@?#\s]+)((?:/[^?#\x00-\x1f\x7f]*)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How an object storage is reached; what is not said, the environment says.

    Attributes:
        endpoint: The service's URL, where it is not the provider's own.
        region: Where the bucket lies.
        path_style: Whether the bucket stands in the path, not in the host's name.
        ca_file: Certificates to trust besides the system's.
        insecure: Whether `http://` is allowed beyond this machine.
        timeout_s: How long one request may take, in seconds.
        access_key_id: The access key of S3.
        secret_access_key: The secret that belongs to it.
        session_token: What temporary keys of S3 need as well.
        service_account: The JSON key of a service account of Google.
        account: The storage account of Azure.
        account_key: Its key.
        sas_token: A signature of Azure that takes the key's place.
    """

    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None
    ca_file: Path | None = None
    insecure: bool = False
    timeout_s: float = TIMEOUT_S
    access_key_id: str | None = None
    secret_access_key: Secret | None = field(default=None, repr=False)
    session_token: Secret | None = field(default=None, repr=False)
    service_account: Secret | None = field(default=None, repr=False)
    account: str | None = None
    account_key: Secret | None = field(default=None, repr=False)
    sas_token: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """A place in an object storage.

    Attributes:
        scheme: Which provider.
        bucket: The bucket; Azure calls it a container.
        prefix: What all names there begin with; empty, or without slashes at its ends.
    """

    scheme: str
    bucket: str
    prefix: str

    @property
    def location(self) -> str:
        """The URL, in the one spelling that caches and messages use."""
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


def scheme_of(location: str) -> str | None:
    """Return the scheme of a URL in lower case, or None for a path."""
    match = _SCHEME.match(location)
    return match and match[1].lower()


def parse_address(location: str) -> Address:
    """Read a URL such as `s3://bucket/prefix`.

    Raises:
        SetupError: It is no such URL; it is not repeated where it may hold a password.
    """
    scheme, _, rest = location.partition("://")
    match = _ADDRESS.fullmatch(rest)
    parts = match[2].strip("/").split("/") if match else [".."]
    if match is None or (len(parts) > 1 and "" in parts) or {".", ".."} & set(parts):
        raise SetupError(
            f"the address of the repository at {scheme.lower()}:// is not valid",
            mend=f"write it as {scheme.lower()}://bucket/prefix, without a user or a password",
        )
    return Address(scheme.lower(), match[1], "/".join(parts))
