"""What the harness knows of a server: how it starts, where calendars are, what is odd about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from caldav_run.testing.servers import Server

USERS: Final = ("alice", "bob")


@dataclass(frozen=True, slots=True)
class Built:
    """An image that is made here.

    Attributes:
        folder: Its folder below `images`.
        debian: The release it stands on.
    """

    folder: str
    debian: str = "bookworm"


@dataclass(frozen=True, slots=True)
class Pulled:
    """An official image, never made here."""

    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """How a server runs in a container.

    Attributes:
        image: Where its image comes from.
        port: The port that it listens at inside.
        hostname: Its name inside, where that matters.
        start_s: How long it may take until it answers.
    """

    image: Built | Pulled
    port: int = 80
    hostname: str | None = None
    start_s: float = 60.0


EVERY_OTHER: Final = "every other"
GUESTS: Final = "guests"
ORGANIZER: Final = "organizer"


@dataclass(frozen=True, slots=True)
class Deviation:
    """Corpus items that a server refuses or changes, all for one reason.

    Attributes:
        reason: Why, in words for `docs/servers.md`.
        items: The names of the items, without `.ics`; `EVERY_OTHER` for what is taken and changed.
    """

    reason: str
    items: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One server, before it runs.

    Attributes:
        name: What `make test-servers SERVER=` calls it.
        title: Its name and version for people.
        dav: The path of its DAV root.
        home: The path of a user's calendar home.
        container: How it runs; None for a process, and for a server that runs already.
        calendars: The ids of the calendars that a new account has.
        later: The ids of those that the server adds at a time of its own.
        deviations: The corpus items that do not come back as sent, and why.
        losing: The items of the corpora, and the properties, that it does not keep when they are
            restored, and why.
        faults: What it cannot do, by the name of the test that would fail, and why.
        mails: Whom it mails, if only when an event is deleted: the guests, the organizer.
    """

    name: str
    title: str
    dav: str = "/"
    home: str = ""
    container: Container | None = None
    calendars: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    deviations: tuple[Deviation, ...] = ()
    losing: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    mails: frozenset[str] = frozenset()

    def server(self, url: str, username: str, password: str) -> Server:
        """Return one account of it, when it runs at a URL with a final slash."""
        return Server(
            url.rstrip("/") + self.dav, username, password, self.home.format(user=username)
        )


def _no_mail() -> str:
    return ""


def _no_command(*command: str, user: str = "root") -> str:
    raise NotImplementedError(f"{user} cannot run {command} there")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers.

    Attributes:
        description: What it is.
        accounts: Two users of it, or one where it has only that.
        mail: Gives what it has mailed so far, as its mail sink logged it.
        new_account: Makes one more user, where that can be done.
        command: Runs a command in its container, and returns what that printed.
    """

    description: Description
    accounts: tuple[Server, ...]
    mail: Callable[[], str] = _no_mail
    new_account: Callable[[str], Server] | None = None
    command: Callable[..., str] = _no_command

    @property
    def account(self) -> Server:
        """The first account."""
        return self.accounts[0]
