"""The servers of one test session, each started when it is first asked for."""

import contextlib
from collections.abc import Callable
from typing import TypeVar, cast

import pytest
from tests.integration.servers.containers import NoImageError
from tests.integration.servers.description import Running
from tests.integration.servers.starting import running

T = TypeVar("T")


class Pool:
    """Servers that run until the session ends, each started when it is first asked for."""

    def __init__(self) -> None:
        """Start nothing."""
        self.stack = contextlib.ExitStack()
        self._found: dict[str, Running | BaseException] = {}
        self._made: dict[tuple[str, str], object] = {}

    def get(self, name: str) -> Running:
        """Return a running server; one that did not come up is not tried again."""
        if name not in self._found:
            try:
                self._found[name] = self.stack.enter_context(running(name))
            except Exception as error:  # noqa: BLE001 - it is raised again for each test
                self._found[name] = error
        found = self._found[name]
        if isinstance(found, NoImageError):
            pytest.skip(str(found))
        if isinstance(found, BaseException):
            raise found
        return found

    def once(self, name: str, what: str, make: Callable[[], T]) -> T:
        """Return what is made once for a server; what failed is not tried again."""
        if (name, what) not in self._made:
            try:
                self._made[name, what] = make()
            except Exception as error:  # noqa: BLE001 - it is raised again for each test
                self._made[name, what] = error
        found = self._made[name, what]
        if isinstance(found, BaseException):
            raise found
        return cast("T", found)
