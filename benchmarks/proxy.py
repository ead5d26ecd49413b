"""A proxy in front of a server that adds latency, as a network does, and counts requests."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

_CHUNK: Final = 64 * 1024
_REQUEST: Final = re.compile(rb"^[A-Z]+ \S+ HTTP/1\.1\r$", re.MULTILINE)


@dataclass
class Proxy:
    """What stands before a server.

    Attributes:
        url: Where it is reached.
        asked: How many requests it has passed on.
    """

    url: str
    asked: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, sent: bytes) -> None:
        """Count the requests that begin in what a client sent."""
        with self.lock:
            self.asked += len(_REQUEST.findall(sent))


@contextlib.contextmanager
def delayed(url: str, round_trip_s: float) -> Iterator[Proxy]:
    """Run a proxy behind which a server is that much further away.

    Args:
        url: The server's.
        round_trip_s: What each exchange takes longer, in seconds; opening a connection too.
    """
    parts = urlsplit(url)
    target = (parts.hostname or "", parts.port or 80)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        proxy = Proxy(f"http://127.0.0.1:{listening.getsockname()[1]}{parts.path}")
        threading.Thread(
            target=_accept, args=(listening, target, round_trip_s, proxy), daemon=True
        ).start()
        yield proxy


def _accept(
    listening: socket.socket, target: tuple[str, int], round_trip_s: float, proxy: Proxy
) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        threading.Thread(
            target=_serve, args=(client, target, round_trip_s, proxy), daemon=True
        ).start()


def _serve(
    client: socket.socket, target: tuple[str, int], round_trip_s: float, proxy: Proxy
) -> None:
    time.sleep(round_trip_s)
    with contextlib.suppress(OSError), client, socket.create_connection(target) as server:
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_pipe, args=(server, client, round_trip_s / 2), daemon=True)
        back.start()
        _pipe(client, server, round_trip_s / 2, proxy)
        back.join()


def _pipe(
    source: socket.socket, sink: socket.socket, delay_s: float, proxy: Proxy | None = None
) -> None:
    """Pass on what comes, so much later; what comes in one go is not delayed piece by piece."""
    quiet_since = 0.0
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            if proxy is not None:
                proxy.count(data)
            if time.monotonic() - quiet_since > delay_s:
                time.sleep(delay_s)
            quiet_since = time.monotonic()
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
