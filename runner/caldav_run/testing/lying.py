"""A store that is not what it seems: listings that lag or repeat, answers that are cut or lost."""

from collections.abc import Iterator
from random import Random

from caldav_run.errors import TemporaryError
from caldav_run.repository.store import MissingObjectError, Store, Stored


class LyingStore:
    """Wraps a store, and lies now and then; what it stored it keeps.

    Attributes:
        lies: How often it has lied, by kind.
    """

    def __init__(self, store: Store, chance: Random, share: float = 0.2) -> None:
        """Take the store, what decides, and the share of the calls that are lies."""
        self.location = store.location
        self.lies: dict[str, int] = {}
        self._store = store
        self._chance = chance
        self._share = share

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """Leave out what is newest, show something twice, show what is not there, or fail."""
        found = [*self._store.list(prefix, after)]
        if self._lie("list: lags") and found:
            newest = sorted(found, key=lambda each: each.modified)
            hidden = set(newest[-self._chance.randint(1, 3) :])
            found = [each for each in found if each not in hidden]
        if self._lie("list: repeats") and found:
            found = sorted([*found, self._chance.choice(found)])
        if self._lie("list: shows what is not there") and found:
            ghost = self._chance.choice(found)
            # Another hash: an object that was deleted a moment ago.
            name = ghost.name.replace(ghost.name[-20:-12], "0" * 8)
            found = sorted([*found, ghost._replace(name=name)])
        for each in found:
            if self._chance.random() < self._share / 50:
                self._count("list: breaks off")
                raise TemporaryError("the store answers 503")
            yield each

    def get(self, name: str) -> bytes:
        """Cut the answer, fail, or not find what was stored a moment ago."""
        if self._lie("get: fails"):
            raise TemporaryError("the store answers 500")
        data = self._store.get(name)
        if self._lie("get: is cut off"):
            return data[: self._chance.randrange(len(data))]
        if self._lie("get: finds nothing"):
            raise MissingObjectError(f"{name} is missing from {self.location}")
        return data

    def put(self, name: str, data: bytes) -> None:
        """Fail before or after the object is stored, or store it twice."""
        if self._lie("put: fails"):
            raise TemporaryError("the store answers 503")
        self._store.put(name, data)
        if self._lie("put: its answer is lost"):
            raise TemporaryError("the connection was lost")
        if self._lie("put: is repeated"):
            self._store.put(name, data)

    def delete(self, name: str) -> None:
        """Fail before or after the object is deleted."""
        if self._lie("delete: fails"):
            raise TemporaryError("the store answers 503")
        self._store.delete(name)
        if self._lie("delete: its answer is lost"):
            raise TemporaryError("the connection was lost")

    def _lie(self, kind: str) -> bool:
        lies = self._chance.random() < self._share / 3
        if lies:
            self._count(kind)
        return lies

    def _count(self, kind: str) -> None:
        self.lies[kind] = self.lies.get(kind, 0) + 1
