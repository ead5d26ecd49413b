"""A server that says exactly what a test tells it to, for what real servers rarely do."""

import contextlib
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came in; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer.

    Attributes:
        status: The HTTP status; with 0 nothing is said at all.
        body: The body.
        headers: Further headers.
        delay_s: How long to wait before, in seconds.
        broken: Whether the body ends before its announced length.
        announced: How long the body is said to be; None for as long as it is.
        drip_s: How long to wait after each byte, in seconds; 0 sends the body at once.
        reset: Whether the connection is reset after the body instead of being kept.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    broken: bool = False
    announced: int | None = None
    drip_s: float = 0.0
    reset: bool = False


Script = Callable[[Asked], Answer]


@dataclass(slots=True)
class ScriptedServer:
    """A running server.

    Attributes:
        script: Decides what is answered; may be replaced at any time.
        url: The root, with a final slash.
        asked: Every request so far.
    """

    script: Script
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def methods(self) -> list[str]:
        """Return the methods and paths of all requests, such as `PUT /a.ics`."""
        return [f"{each.method} {each.path}" for each in self.asked]


def multistatus(*responses: str) -> Answer:
    """Return a 207 of these DAV:response elements; `d`, `c` and `s` are declared."""
    body = (
        '<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
        f' xmlns:s="http://sabredav.org/ns">{"".join(responses)}</d:multistatus>'
    )
    return Answer(207, body.encode(), {"Content-Type": "application/xml; charset=utf-8"})


def response(href: str, properties: str = "", status: str = "HTTP/1.1 200 OK") -> str:
    """Return one DAV:response with the markup of its properties."""
    return (
        f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{properties}</d:prop>"
        f"<d:status>{status}</d:status></d:propstat></d:response>"
    )


@contextlib.contextmanager
def scripted_server(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Run a server with this script until the context ends.

    Args:
        script: Decides what is answered.
        tls: The server's side of TLS; None for plain http.
    """
    state = ScriptedServer(script)
    with _Server(state) as server:
        state.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}/"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        # The default looks for the end of the context twice a second.
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"
    # Else the last piece of an answer waits for the client's acknowledgement.
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, self.rfile.read(length))
        state = self.server.state
        state.asked.append(asked)
        self._answer(state.script(asked))

    def _answer(self, answer: Answer) -> None:
        time.sleep(answer.delay_s)
        if answer.status:
            self._say(answer)
        ends = answer.broken or answer.reset or not answer.status
        self.close_connection = self.close_connection or ends
        if answer.reset:
            # At once: without an end that is agreed upon.
            now = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
            os.close(self.connection.detach())

    def _say(self, answer: Answer) -> None:
        # Without a date and a name of the server, which are the script's to give.
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        length = len(answer.body) if answer.announced is None else answer.announced
        self.send_header("Content-Length", str(length + answer.broken))
        self.end_headers()
        if not answer.drip_s:
            self.wfile.write(answer.body)
            return
        for at in range(len(answer.body)):
            self.wfile.write(answer.body[at : at + 1])
            time.sleep(answer.drip_s)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: ScriptedServer) -> None:
        self.state = state
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that stops waiting is what some tests are about."""
