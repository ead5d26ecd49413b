"""What can go wrong with an object storage, as errors that say what a person can do.

The library tells all of it as one text, which may hold addresses with signatures in them: single
facts are taken out of it, and the text itself is never shown.
"""

import html
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from caldav_run.errors import AccessError, ConnectorError, TemporaryError
from caldav_run.repository.object_clients import endpoint_of
from caldav_run.repository.storage import Address, Storage
from caldav_run.repository.store import PlaceError

_DEBUG: Final = "\n\nDebug source:"
_STATUS: Final = re.compile(r"status code: (\d{3})")
_ELEMENT: Final = re.compile(r"<(Code|Message|Region)>([^<]{1,300})</")
# Where machines in a cloud get their credentials from; asked when there are no others.
_METADATA: Final = re.compile(
    r"/latest/(api/token|meta-data)|computeMetadata|metadata/identity|://169\.254\.169\.254"
)
# What boto3 says when it has no keys after all: a session that ended, a profile half written.
_PROVIDER: Final = re.compile(r"External AWS credential provider: (\w+)")
_NO_PLACE: Final = frozenset({"NoSuchBucket", "ContainerNotFound", "ResourceNotFound"})
_SKEW: Final = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
_REGION: Final = frozenset(
    {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed"}
)
_WRONG_KEY: Final = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch"})
_CERTIFICATE: Final = re.compile(r"InvalidCertificate\(\s*(\w+)")
_NO_TLS: Final = "InvalidMessage("
_REASONS: Final[Mapping[str, str]] = {
    "dns error": "the host is unknown",
    "Connection refused": "the connection is refused",
    "TimedOut": "there is no answer in time",
    "timed out": "there is no answer in time",
    "unsuccessful tunnel": "the proxy refuses",
}
_CREDENTIALS: Final[Mapping[str, str]] = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or access_key_id and "
    "secret_access_key in `storage`",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or service_account in `storage`",
    "az": "set AZURE_STORAGE_ACCOUNT_KEY, or account_key in `storage`",
}
_FORBIDDEN: Final = frozenset({401, 403})
_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = 500
_PROXY_WANTS_USER: Final = 407
_NOT_FOUND: Final = 404
_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY")


@dataclass(frozen=True, slots=True)
class _Told:
    """The facts in what the library said."""

    text: str
    code: str
    message: str
    region: str
    status: int

    @property
    def words(self) -> str:
        said = ": ".join(each for each in (self.code, self.message) if each)
        return said or (f"status {self.status}" if self.status else "its answer is not understood")


def names_no_place(error: Exception) -> bool:
    """Return whether it is the bucket that is not there, not an object."""
    return _facts(error).code in _NO_PLACE


def translate(error: Exception, address: Address, storage: Storage, action: str) -> ConnectorError:
    """Return what an error of the library means.

    Args:
        error: What the library raised.
        address: The place that was asked.
        storage: How it was asked.
        action: What was asked for, as a verb.
    """
    told = _facts(error)
    refused = isinstance(error, PermissionDeniedError | UnauthenticatedError)
    keyless = _keyless(told, address)
    if keyless:
        return keyless
    if told.code in _SKEW:
        return PlaceError(
            f"the clocks of this machine and of {address.location} differ too much",
            mend="set this machine's clock",
        )
    if told.code in _REGION or "redirect without LOCATION" in told.text:
        return _other_region(told, address)
    if told.code in _NO_PLACE or told.status == _NOT_FOUND:
        return _no_place(told, address)
    if refused or told.status in _FORBIDDEN:
        return _refusal(told, address, action)
    return _trouble(told, address, storage, action)


def _keyless(told: _Told, address: Address) -> ConnectorError | None:
    provider = _PROVIDER.search(told.text)
    if provider:
        return AccessError(
            f"the profile of AWS_PROFILE gives no keys for {address.location} ({provider[1]})",
            mend="sign in again, such as by: aws sso login",
        )
    if _METADATA.search(told.text.partition(_DEBUG)[0]):
        return AccessError(
            f"there are no credentials for {address.location}", mend=_CREDENTIALS[address.scheme]
        )
    return None


def _trouble(told: _Told, address: Address, storage: Storage, action: str) -> ConnectorError:
    host = _host(address, storage)
    if told.status == _PROXY_WANTS_USER:
        return AccessError(f"the proxy on the way to {host} asks for a user and a password")
    if told.status == _TOO_MANY or told.status >= _SERVER_ERRORS:
        return TemporaryError(f"{address.location} is busy: {told.words}", mend="try again later")
    if told.status == 0 and "HTTP error" in told.text:
        return _insecure(told, host) or _unreachable(told, host)
    return ConnectorError(f"{address.location}: cannot {action}: {told.words}")


def _insecure(told: _Told, host: str) -> ConnectorError | None:
    certificate = _CERTIFICATE.search(told.text)
    if certificate:
        return ConnectorError(
            f"no secure connection to {host}: its certificate is refused ({certificate[1]})",
            mend="check host and clock; for a private authority set ca_file in `storage`",
        )
    if _NO_TLS in told.text:
        return ConnectorError(
            f"no secure connection to {host}: nothing speaks TLS there",
            mend="check the port, or write http:// for this machine",
        )
    return None


def _unreachable(told: _Told, host: str) -> ConnectorError:
    reasons = (word for sign, word in _REASONS.items() if sign in told.text)
    proxy = next((each for each in _PROXIES if os.environ.get(each)), None)
    hint = f"; {proxy} is set" if proxy else ""
    return TemporaryError(
        f"cannot reach {host}: {next(reasons, 'it broke off')}",
        mend=f"check the network and the endpoint{hint}",
    )


def _other_region(told: _Told, address: Address) -> ConnectorError:
    where = f": {told.region}" if told.region else ""
    return PlaceError(
        f"the bucket {address.bucket} lies in another region{where}",
        mend="set AWS_REGION, or region in `storage`",
    )


def _no_place(told: _Told, address: Address) -> ConnectorError:
    found = "" if told.code in _NO_PLACE else f" ({told.words})"
    return PlaceError(
        f"{address.location}: there is no such bucket{found}",
        mend="make it, or check its name, the endpoint and the region",
    )


def _refusal(told: _Told, address: Address, action: str) -> ConnectorError:
    mend = "give these credentials the right to do so"
    if told.code in _WRONG_KEY:
        mend = "check the access key and its secret"
    return AccessError(f"{address.location} refuses to {action}: {told.words}", mend=mend)


def _host(address: Address, storage: Storage) -> str:
    endpoint = endpoint_of(address, storage, os.environ)
    return (endpoint and urlsplit(endpoint).netloc.rpartition("@")[2]) or address.location


def _facts(error: Exception) -> _Told:
    text = str(error)
    found = dict(reversed(_ELEMENT.findall(text.partition(_DEBUG)[0])))
    status = _STATUS.search(text)
    return _Told(
        text,
        code=found.get("Code", ""),
        message=" ".join(html.unescape(found.get("Message", "")).split()),
        region=found.get("Region", ""),
        status=int(status[1]) if status else 0,
    )
