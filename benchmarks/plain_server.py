"""A server that makes its calendar up as it is asked for it.

A real one takes a quarter of an hour to take in 50,000 events for the first time; how much memory
the program needs does not hang on who answers.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.filling import EVENT

from caldav_run.testing.scripted import (
    Answer,
    Asked,
    multistatus,
    response,
    scripted_server,
)
from caldav_run.testing.servers import Server

_CALENDAR = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
_PRINCIPAL = (
    "<d:current-user-principal><d:href>/</d:href></d:current-user-principal>"
    "<c:calendar-home-set><d:href>/</d:href></c:calendar-home-set>"
    "<d:resourcetype><d:principal/><d:collection/></d:resourcetype>"
)


@contextmanager
def plain_server(items: int) -> Iterator[Server]:
    """Run a server with one calendar of so many events."""

    def script(asked: Asked) -> Answer:
        if asked.method == "REPORT":
            return multistatus(*_bodies(asked.body))
        deep = asked.headers.get("depth") == "1"
        if asked.path == "/work/" and deep:
            return multistatus(*_listing(items))
        below = [response("/work/", _CALENDAR)] if deep else []
        return multistatus(response("/", _PRINCIPAL), *below)

    with scripted_server(script) as running:
        yield Server(running.url, "alice", "benchmark", "/")


def _listing(items: int) -> Iterator[str]:
    yield response("/work/", _CALENDAR)
    for number in range(items):
        yield response(f"/work/{number:06}.ics", f'<d:getetag>"{number}"</d:getetag>')


def _bodies(asked: bytes) -> Iterator[str]:
    for number in map(int, re.findall(rb"/work/(\d+)\.ics<", asked)):
        etag = f'<d:getetag>"{number}"</d:getetag>'
        data = f"<c:calendar-data>{EVENT.format(number=number)}</c:calendar-data>"
        yield response(f"/work/{number:06}.ics", etag + data)
