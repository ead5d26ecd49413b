"""A store in an object storage: S3, Google, Azure, or the memory of this process."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

import obstore
from obstore.exceptions import BaseError

from caldav_run.repository.object_clients import connect
from caldav_run.repository.object_failures import names_no_place, translate
from caldav_run.repository.storage import Address, Storage
from caldav_run.repository.store import MissingObjectError, Stored

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client

_PAGE: Final = 1000
_T = TypeVar("_T")


class ObjectStore:
    """Objects in a bucket; see `Store` for the promises.

    A name holds the hash of its bytes, so that storing one again is a plain overwrite: nothing
    rests on conditional writes, which some services ignore in silence.
    """

    def __init__(self, address: Address, storage: Storage) -> None:
        """Take where the bucket is, without touching it or looking up a secret."""
        self._address = address
        self._storage = storage
        self.location = address.location

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """Yield the objects by name; see `Store.list`."""
        # A folder's slash is no part of a path; what it lets through is filtered below.
        offset = after.rstrip("/") or None

        def pages() -> list[Stored]:
            found = obstore.list(self._client, prefix or None, offset=offset, chunk_size=_PAGE)
            return [
                Stored(each["path"], each["size"], each["last_modified"])
                for page in found
                for each in page
            ]

        # Azure knows no start, and folder-like services list in the order of folders.
        yield from sorted(each for each in self._done("list", pages) if each.name > after)

    def get(self, name: str) -> bytes:
        """Return an object's bytes; see `Store.get`."""
        return self._done("read", lambda: bytes(obstore.get(self._client, name).bytes()), name)

    def put(self, name: str, data: bytes) -> None:
        """Store an object; see `Store.put`."""
        # One request of one piece: no parts that an interruption could leave behind.
        self._done("write", lambda: obstore.put(self._client, name, data, use_multipart=False))

    def delete(self, name: str) -> None:
        """Delete an object; see `Store.delete`."""
        try:
            self._done("delete", lambda: obstore.delete(self._client, name), name)
        except MissingObjectError:
            return

    @cached_property
    def _client(self) -> "Client":
        return connect(self._address, self._storage, os.environ)

    def _done(self, action: str, request: Callable[[], _T], name: str = "") -> _T:
        """Do one request.

        Args:
            action: What it does, as a verb.
            request: Does it.
            name: The object that may be missing.
        """
        try:
            return _interruptible(request)
        except FileNotFoundError as error:
            if name and not names_no_place(error):
                raise MissingObjectError(f"{name} is missing from {self.location}") from None
            raise translate(error, self._address, self._storage, action) from None
        except (BaseError, OSError, ValueError) as error:
            raise translate(error, self._address, self._storage, action) from None


def _interruptible(request: Callable[[], _T]) -> _T:
    """Do a request in a thread, so that Ctrl-C ends the waiting for it.

    The library's blocking calls heed no signal; those for asyncio end in its own threads, which
    abort the process when they meet the interpreter's end.
    """
    answer: Future[_T] = Future()

    def run() -> None:
        try:
            answer.set_result(request())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result()
