"""The container SDK speaks through `urllib3-future`, which caldav's HTTP library puts in place."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from importlib.metadata import version
from pathlib import Path

import docker
import pytest
import urllib3


class Engine(BaseHTTPRequestHandler):
    """As much of a container engine as answers which version it has."""

    def do_GET(self) -> None:
        body = json.dumps({"Version": "20.10.24", "ApiVersion": "1.44"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
        """Stay silent; a Unix socket has no client address to log."""


@pytest.fixture
def engine_socket(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "engine.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), Engine) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def test_urllib3_is_the_one_that_niquests_brings() -> None:
    assert vars(urllib3)["__version__"] == version("urllib3-future")


def test_the_sdk_talks_to_an_engine_through_it(engine_socket: Path) -> None:
    client = docker.DockerClient(base_url=f"unix://{engine_socket}", version="1.44")
    try:
        assert client.version()["Version"] == "20.10.24"
    finally:
        client.close()
