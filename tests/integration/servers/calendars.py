"""Calendars that tests make, fill and drop, each of them on its own."""

from dataclasses import dataclass
from typing import Final

from tests.integration.servers.raw import Answer, Raw

# The first set that a server takes; each kind of item is tried in any case.
_COMPONENTS: Final = (
    ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"),
    ("VEVENT", "VTODO", "VJOURNAL"),
    (),
)


@dataclass(frozen=True, slots=True)
class Made:
    """A calendar of the suite's own.

    Attributes:
        raw: The connection to its account.
        name: Its name on the server, which is its id too.
    """

    raw: Raw
    name: str

    @property
    def path(self) -> str:
        """Its path, with a final slash."""
        return f"{self.raw.account.home}{self.name}/"

    def make(self, title: str) -> None:
        """Make it, for every component that the server allows."""
        answers: list[Answer] = []
        for components in _COMPONENTS:
            answers.append(self.raw.make_calendar(self.path, title, components))
            if answers[-1].good and self.exists():
                return
        raise AssertionError(f"MKCALENDAR {self.path}: {answers}")

    def exists(self) -> bool:
        """Whether the server describes it."""
        return self.raw.propfind(self.path, 0, "d:resourcetype").status == 207

    def put(self, name: str, body: bytes) -> None:
        """Store an item that every server takes."""
        answer = self.raw.put(self.path + name, body)
        assert answer.good, f"PUT {name}: {answer}"

    def remove(self, name: str) -> None:
        """Delete an item."""
        answer = self.raw.delete(self.path + name)
        assert answer.good, f"DELETE {name}: {answer}"

    def drop(self) -> None:
        """Delete it with all that lies in it; what is gone already is no failure."""
        self.raw.delete(self.path)
