"""Level 2: the bytes of every object are those that its name tells; no key is needed."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

from caldav_run.errors import UsageError
from caldav_run.repository import envelope
from caldav_run.repository.check.findings import Finding, Level, Severity, damage_of
from caldav_run.repository.check.kinds import classify
from caldav_run.repository.store import MissingObjectError, Store, Stored

_MEND = "look for it in a copy of the repository; the next full backup replaces what is current"


class Part(NamedTuple):
    """A share of all objects: the same at every run, and apart from every other share.

    Attributes:
        number: Which, from 1 on.
        of: How many there are; all of them together hold every object.
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2/7`.

        Raises:
            UsageError: It is no part of anything.
        """
        number, slash, of = text.partition("/")
        whole = slash and number.isascii() and number.isdigit() and of.isascii() and of.isdigit()
        if not whole or not 1 <= int(number) <= int(of):
            raise UsageError(f'"{text}" is no part', mend="write 1/7 to 7/7 for a week, say")
        return cls(int(number), int(of))

    def holds(self, sha256: str) -> bool:
        """Return whether the object with this hash is in it."""
        return int(sha256[:8], 16) % self.of == self.number - 1


ALL = Part()


def readable(listing: Iterable[Stored], part: Part = ALL) -> list[Stored]:
    """Return the objects of a part, of those that are named by their hash."""
    hashed = ((each, classify(each.name).sha256) for each in listing)
    return [each for each, sha256 in hashed if sha256 is not None and part.holds(sha256)]


def check_data(store: Store, objects: Iterable[Stored]) -> Iterator[Finding]:
    """Read objects one by one, and yield a finding for each that is not what its name says.

    Args:
        store: Where they lie.
        objects: Those to read, as `readable` returns them.

    Raises:
        ConnectorError: The store cannot be read.
    """
    for name, *_ in objects:
        expected = classify(name).sha256
        try:
            found = envelope.sha256(store.get(name))
        except MissingObjectError as error:
            yield damage_of(Level.DATA, name, error)
            continue
        if found != expected:
            what = "its bytes are not those that its name tells: it was altered or cut off"
            yield Finding(Level.DATA, Severity.DAMAGE, name, what, _MEND)
