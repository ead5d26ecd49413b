"""Which store a location means."""

from pathlib import Path

from caldav_run.errors import SetupError
from caldav_run.repository.local import LocalStore
from caldav_run.repository.storage import OPTIONS, Storage, parse_address, scheme_of
from caldav_run.repository.store import Store


def open_store(location: str, storage: Storage | None = None) -> Store:
    """Return the store at a location, without touching it.

    Args:
        location: A folder's path, or a URL: `s3://`, `gs://`, `az://`, or `memory://`, which
            lasts as long as the process.
        storage: What the URL cannot say; by default what the environment says.

    Raises:
        SetupError: The URL is not valid, or of no known kind.
    """
    scheme = scheme_of(location)
    if scheme is None:
        return LocalStore(Path(location))
    if scheme not in OPTIONS:
        raise SetupError(
            f"a repository cannot be at {scheme}://",
            mend=f"give a folder, or one of {', '.join(f'{each}://' for each in OPTIONS)}",
        )
    # Loads its library, which only those need whose repository is not a folder.
    from caldav_run.repository.object_store import ObjectStore

    return ObjectStore(parse_address(location), storage or Storage())
