"""Small proxies of this machine: HTTP (CONNECT and forwarding) and SOCKS5, with a password."""

import base64
import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from socketserver import StreamRequestHandler, TCPServer, ThreadingTCPServer
from typing import Final
from urllib.parse import urlsplit

_CHUNK: Final = 1 << 16
_SOCKS_NO_LOGIN: Final = 0
_SOCKS_PASSWORD: Final = 2
_SOCKS_NAME: Final = 3
_SOCKS_IPV4: Final = 1


@dataclass(slots=True)
class RunningProxy:
    """A proxy and what went through it.

    Attributes:
        username: Who may use it; empty for everybody.
        password: Their password.
        url: Its address.
        targets: Each `host:port` that was asked for by somebody who may.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    url: str = ""
    targets: list[str] = field(default_factory=list)


@contextlib.contextmanager
def http_proxy(
    username: str = "", password: str = "", tls: ssl.SSLContext | None = None
) -> Iterator[RunningProxy]:
    """Run an HTTP proxy until the context ends.

    Args:
        username: Who may use it; everybody by default.
        password: Their password.
        tls: The proxy's own side of TLS; None for a plain one.
    """
    state = RunningProxy(username, password)
    with _HttpServer(state) as server:
        state.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        with _serving(server):
            yield state


@contextlib.contextmanager
def socks_proxy(username: str = "", password: str = "") -> Iterator[RunningProxy]:
    """Run a SOCKS5 proxy until the context ends (RFC 1928, RFC 1929)."""
    state = RunningProxy(username, password)
    with _SocksServer(state) as server:
        state.url = f"socks5://127.0.0.1:{server.server_address[1]}"
        with _serving(server):
            yield state


class _HttpHandler(BaseHTTPRequestHandler):
    server: "_HttpServer"

    def do_CONNECT(self) -> None:
        """Join the client with the server that it names."""
        host, _, port = self.path.rpartition(":")
        if not self._may(self.path):
            return
        with socket.create_connection((host, int(port))) as server:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _join(self.connection, server)
        self.close_connection = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Forward every other method, `do_PROPFIND` and all."""
        if name.startswith("do_"):
            return self._forward
        raise AttributeError(name)

    def _forward(self) -> None:
        parts = urlsplit(self.path)
        if not self._may(parts.netloc):
            return
        target = parts._replace(scheme="", netloc="").geturl() or "/"
        kept = "".join(
            f"{name}: {value}\r\n"
            for name, value in self.headers.items()
            if name.lower() not in {"proxy-authorization", "connection"}
        )
        head = f"{self.command} {target} HTTP/1.1\r\n{kept}Connection: close\r\n\r\n"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as server:
            server.sendall(head.encode() + body)
            while piece := server.recv(_CHUNK):
                self.wfile.write(piece)
        self.close_connection = True

    def _may(self, target: str) -> bool:
        state = self.server.state
        pair = base64.b64encode(f"{state.username}:{state.password}".encode()).decode()
        if state.username and self.headers.get("Proxy-Authorization") != f"Basic {pair}":
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False
        state.targets.append(target)
        return True

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


class _SocksHandler(StreamRequestHandler):
    server: "_SocksServer"

    def handle(self) -> None:
        """Greet, have the client sign in, and join it with the server that it names."""
        greeting = self.rfile.read(2)
        if not greeting:
            return
        state = self.server.state
        wanted = _SOCKS_PASSWORD if state.username else _SOCKS_NO_LOGIN
        if wanted not in self.rfile.read(greeting[1]):
            self.wfile.write(b"\x05\xff")
            return
        self.wfile.write(bytes([5, wanted]))
        if state.username and not self._signed_in():
            return
        host, port = self._target()
        state.targets.append(f"{host}:{port}")
        with socket.create_connection((host, port)) as server:
            self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
            _join(self.connection, server)

    def _signed_in(self) -> bool:
        self.rfile.read(1)
        name = self.rfile.read(self.rfile.read(1)[0]).decode()
        word = self.rfile.read(self.rfile.read(1)[0]).decode()
        right = (name, word) == (self.server.state.username, self.server.state.password)
        self.wfile.write(b"\x01\x00" if right else b"\x01\x01")
        return right

    def _target(self) -> tuple[str, int]:
        kind = self.rfile.read(4)[3]
        if kind == _SOCKS_NAME:
            host = self.rfile.read(self.rfile.read(1)[0]).decode()
        else:
            assert kind == _SOCKS_IPV4
            host = str(IPv4Address(self.rfile.read(4)))
        (port,) = struct.unpack("!H", self.rfile.read(2))
        return host, port


class _SocksServer(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, state: RunningProxy) -> None:
        self.state = state
        super().__init__(("127.0.0.1", 0), _SocksHandler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a server that cannot be reached is what some tests are about."""


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: RunningProxy) -> None:
        self.state = state
        super().__init__(("127.0.0.1", 0), _HttpHandler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a server that cannot be reached is what some tests are about."""


@contextlib.contextmanager
def _serving(server: TCPServer) -> Iterator[None]:
    serve: Callable[[float], None] = server.serve_forever
    thread = threading.Thread(target=serve, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _join(one: socket.socket, other: socket.socket) -> None:
    """Hand on what either side says until one of them ends."""
    # What TLS has decrypted already is not seen by select: such a side is read at once.
    ends = {one: other, other: one}
    while True:
        held = [end for end in ends if isinstance(end, ssl.SSLSocket) and end.pending()]
        ready = held or select.select(list(ends), [], [])[0]
        for end in ready:
            try:
                piece = end.recv(_CHUNK)
                if not piece:
                    return
                ends[end].sendall(piece)
            except OSError:
                return
