"""A proxy in front of a server that adds latency, as a network does: to each direction, no less."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

_CHUNK: Final = 64 * 1024


@contextlib.contextmanager
def delayed(url: str, round_trip_s: float) -> Iterator[str]:
    """Give a URL behind which the server is that much further away.

    Args:
        url: The server's.
        round_trip_s: What each exchange takes longer, in seconds; opening a connection too.
    """
    parts = urlsplit(url)
    target = (parts.hostname or "", parts.port or 80)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        port = listening.getsockname()[1]
        threading.Thread(
            target=_accept, args=(listening, target, round_trip_s), daemon=True
        ).start()
        yield f"http://127.0.0.1:{port}{parts.path}"


def _accept(listening: socket.socket, target: tuple[str, int], round_trip_s: float) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, target, round_trip_s), daemon=True).start()


def _serve(client: socket.socket, target: tuple[str, int], round_trip_s: float) -> None:
    time.sleep(round_trip_s)
    with contextlib.suppress(OSError), client, socket.create_connection(target) as server:
        back = threading.Thread(target=_pipe, args=(server, client, round_trip_s / 2), daemon=True)
        back.start()
        _pipe(client, server, round_trip_s / 2)
        back.join()


def _pipe(source: socket.socket, sink: socket.socket, delay_s: float) -> None:
    """Pass on what comes, so much later; what comes in one go is not delayed piece by piece."""
    quiet_since = 0.0
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            if time.monotonic() - quiet_since > delay_s:
                time.sleep(delay_s)
            quiet_since = time.monotonic()
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
