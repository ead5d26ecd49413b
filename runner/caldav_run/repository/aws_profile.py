"""Keys of a named AWS profile, taken as the program `aws` takes them: with its library, boto3."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from caldav_run.errors import SetupError

if TYPE_CHECKING:
    from obstore.store import S3CredentialProvider

KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def profile_keys(environ: Mapping[str, str]) -> "S3CredentialProvider | None":
    """Return what gives the keys of the profile that the environment names, if it names one.

    Raises:
        SetupError: boto3 is not installed, or there are no such keys.
    """
    name = environ.get("AWS_PROFILE")
    if not name or KEYS[0] in environ:
        return None
    try:
        from botocore.exceptions import BotoCoreError
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise SetupError(
            "AWS_PROFILE needs the package boto3",
            mend=f"pip install 'caldav-run[aws]', or set {' and '.join(KEYS)}",
        ) from None
    try:
        return Boto3CredentialProvider()
    except (BotoCoreError, ValueError):
        raise SetupError(
            f"the profile {name} of AWS_PROFILE gives no keys",
            mend=f"see what is known of it: aws configure list --profile {name}",
        ) from None
