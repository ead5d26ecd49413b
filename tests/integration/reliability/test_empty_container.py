"""A run in a container without a disk of its own goes on where the last one stopped."""

from pathlib import Path
from random import Random

import pytest

from caldav_run.testing.killing import Host
from caldav_run.testing.object_servers import ObjectServer


@pytest.fixture
def host(memory_folder: Path, moto: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> Host:
    for name, value in moto.environ.items():
        monkeypatch.setenv(name, value)
    place = moto.location(memory_folder.name)
    host = Host(memory_folder, place, moto.environ, Random(3))  # noqa: S311  # no secret
    host.run()
    return host


def asked(host: Host, moto: ObjectServer) -> list[str]:
    """Do a run without a cache, and return what it asked of the store."""
    before = len(moto.requests())
    host.forget()
    host.run()
    kinds = {"pack-": "pack", "seg-": "segment", "/runs/": "run", "format.json": "marker"}
    found: list[str] = []
    for request in moto.requests()[before:]:
        method, target = request.split(" ", 1)
        what = next((kind for part, kind in kinds.items() if part in target), "listing")
        found.append(f"{method} {what}")
    return found


def test_nothing_is_read_or_stored_again(host: Host, moto: ObjectServer) -> None:
    requests = [each for each in asked(host, moto) if each.startswith("PUT")]
    assert requests == ["PUT run"]
    assert "0 read anew" in host.said()


def test_what_changed_is_stored_and_nothing_else(host: Host, moto: ObjectServer) -> None:
    host.change_one()
    requests = [each for each in asked(host, moto) if each.startswith("PUT")]
    assert requests == ["PUT pack", "PUT segment", "PUT run"]
    assert "1 read anew" in host.said()
