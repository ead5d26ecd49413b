"""An item onto the server, and then the files that belong to it (RFC 8607)."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote

from caldav_run.dav import failures, fetching
from caldav_run.dav.connection import Connection
from caldav_run.dav.putting import Done

_OFFER: Final = "calendar-managed-attachments"
_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._- ")
_GOOD: Final = range(200, 300)


class File(NamedTuple):
    """A file to be attached: its name, media type and content."""

    name: str
    kind: str
    content: bytes


class _Job(Protocol):
    def attempt(self, connection: Connection, *, doubtful: bool) -> Done:
        """Write the item; see `Put.attempt`."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PutWithFiles:
    """A write of an item, after which files are attached to it.

    Attributes:
        job: The write of the item without them.
        files: The files.
        headers: What goes with each request.
        there: Gives the names of the files that an item refers to.
        notes: What a person should know of the item.
    """

    job: _Job
    files: tuple[File, ...] = field(repr=False)
    headers: Mapping[str, str]
    there: Callable[[bytes], Container[str]]
    notes: tuple[str, ...] = ()

    def attempt(self, connection: Connection, *, doubtful: bool) -> Done:
        """Write the item, then give it its files; see `Put.attempt`."""
        done = self.job.attempt(connection, doubtful=doubtful)
        notes = (*done.notes, *self.notes)
        if done.url is None or not self.files:
            return done._replace(notes=notes)
        # An earlier attempt may have come as far as some of them.
        found = fetching.get(connection, done.url) if doubtful else None
        there = self.there(found.data) if found else ()
        missing = [each for each in self.files if each.name not in there]
        said = tuple(_attached(connection, done.url, each, self.headers) for each in missing)
        # Each file is a change of the item.
        return Done(done.url, None, (*notes, *said))


def offered(connection: Connection, home: str) -> bool:
    """Return whether a server says that it keeps files beside the items of a home (section 2.1)."""
    with connection.send("OPTIONS", home) as reply:
        classes = {each.strip().lower() for each in reply.header("DAV").split(",")}
        reply.drain()
    return _OFFER in classes


def _attached(connection: Connection, url: str, file: File, headers: Mapping[str, str]) -> str:
    """Attach one file, and return how that went, in words."""
    described = {"Content-Type": file.kind, "Content-Disposition": _disposition(file.name)}
    address = f"{url}?action=attachment-add"
    with connection.send("POST", address, file.content, {**described, **headers}) as reply:
        if reply.status in _GOOD:
            reply.drain()
            return f"the server keeps the attachment {file.name} under another MANAGED-ID"
        error = reply.error()
    said = failures.in_words(error.status, error.words)
    return f"the attachment {file.name} was not given back: the server says {said}"


def _disposition(name: str) -> str:
    """Return the header that names a file (RFC 6266 section 4)."""
    plain = "".join(char if char in _NAME else "_" for char in name)
    if plain == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
