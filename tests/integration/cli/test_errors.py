"""What can be wrong ends with its own message and exit status, and with nothing lost."""

import datetime as dt
import ipaddress
import json
import os
import shutil
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from caldav_run.repository.keys import create_keys

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Desk

PAGE = b"<!doctype html><html><body><p>Please sign in</body></html>"
XML = b'<?xml version="1.0"?><multistatus xmlns="DAV:"><response><href>/'


def answering(status: int, content_type: str, body: bytes) -> type[BaseHTTPRequestHandler]:
    """Return a server's handler that says the same to everything."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], pem: Path | None = None) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if pem is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http{'' if pem is None else 's'}://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def certificate(path: Path) -> Path:
    """Write a self-signed certificate for 127.0.0.1 with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def ready(desk: "Desk") -> "Desk":
    """A desk with keys and a repository."""
    desk.create()
    return desk


@pytest.fixture
def backed_up(ready: "Desk") -> "Desk":
    ready.back_up()
    return ready


def test_a_wrong_password(ready: "Desk") -> None:
    done = ready.run("quickstart.yaml", CALDAV_PASSWORD="other-passphrase")
    assert done.status == 77
    assert "refuses the password of" in done.err
    assert "app password" in done.err
    assert "other-passphrase" not in done.text
    assert ready.snapshots() == []


def test_an_unknown_host(ready: "Desk") -> None:
    done = ready.run("quickstart.yaml", CALDAV_URL="https://no-such-host.invalid/")
    assert done.status == 75
    assert "no-such-host.invalid" in done.err
    assert "the host is unknown; check its spelling" in done.err


def test_a_refused_connection(ready: "Desk") -> None:
    done = ready.run("quickstart.yaml", CALDAV_URL="http://127.0.0.1:9/")
    assert done.status == 75
    assert "the connection is refused; check host and port" in done.err


def test_a_certificate_that_nobody_vouches_for(ready: "Desk", tmp_path: Path) -> None:
    handler = answering(404, "text/html", PAGE)
    with serving(handler, certificate(tmp_path / "own.pem")) as url:
        done = ready.run("quickstart.yaml", CALDAV_URL=url)
    assert done.status == 1
    assert f"no secure connection to {url}" in done.err
    assert "self-signed certificate" in done.err
    assert "ca_file" in done.err


@pytest.mark.parametrize(
    ("status", "content_type", "body", "exit_status", "words"),
    [
        (200, "text/html", PAGE, 1, "is no CalDAV server (200 OK: a web page)"),
        (207, "text/html", PAGE, 1, "is no CalDAV server"),
        (207, "application/xml", XML, 1, "is no CalDAV server"),
        (404, "text/html", PAGE, 1, "is no CalDAV server (404 Not Found: a web page)"),
        (405, "text/plain", b"", 1, "is no CalDAV server (405 Method Not Allowed)"),
        (403, "text/html", PAGE, 77, "refuses access: 403 Forbidden"),
        (401, "text/html", PAGE, 77, "refuses the password"),
        (500, "text/html", PAGE, 75, "has an internal error: 500"),
    ],
)
def test_a_server_that_is_no_caldav_server(
    ready: "Desk", status: int, content_type: str, body: bytes, exit_status: int, words: str
) -> None:
    with serving(answering(status, content_type, body)) as url:
        done = ready.run("quickstart.yaml", CALDAV_URL=url)
    assert done.status == exit_status, done
    assert words in done.err
    assert "Please sign in" not in done.text


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_a_missing_repository(desk: "Desk", verb: str) -> None:
    create_keys(desk.folder / "keys")
    done = desk.run(verb, "quickstart.yaml")
    assert done.status == 78
    assert f"there is no repository in {desk.folder / 'vault'}" in done.err
    assert "caldav-run create" in done.err
    assert not (desk.folder / "vault").exists()
    assert desk.run("show", "quickstart.yaml").status == 78


def test_a_repository_of_another_major_version(backed_up: "Desk") -> None:
    marker = backed_up.folder / "vault" / "format.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"version": 2}))
    for command in ("run", "plan", "snapshots", "show", "diff"):
        done = backed_up.run(command, "quickstart.yaml")
        assert done.status == 78, command
        assert "has version 2" in done.err
        assert "this program knows version 1" in done.err


def test_a_folder_that_is_no_repository(ready: "Desk") -> None:
    (ready.folder / "vault" / "format.json").write_text("{}")
    done = ready.run("quickstart.yaml")
    assert done.status == 78
    assert "not a caldav-run repository" in done.err


def test_a_wrong_identity(backed_up: "Desk") -> None:
    other = create_keys(backed_up.folder / "other").folder / "identity.txt"
    for command in ("snapshots", "show", "diff"):
        done = backed_up.run(command, "quickstart.yaml", "--identity", str(other))
        assert done.status == 78, done
        assert "identity" in done.err
        assert done.out == ""
    named = backed_up.run("show", "quickstart.yaml", CALDAV_RUN_IDENTITY=str(other))
    assert named.status == 78


def test_a_missing_identity(backed_up: "Desk") -> None:
    (backed_up.folder / "keys" / "identity.txt").unlink()
    done = backed_up.run("show", "quickstart.yaml")
    assert done.status == 78
    assert "there is no identity file" in done.err
    assert "--identity" in done.err
    # A backup needs none.
    assert backed_up.run("quickstart.yaml").status == 0


def test_an_unknown_signer_is_shown_and_can_be_trusted(backed_up: "Desk") -> None:
    identity = backed_up.folder / "keys" / "identity.txt"
    lines = identity.read_text().splitlines()
    (signer,) = (each.split(": ")[1] for each in lines if "trusted-signer" in each)
    identity.write_text("\n".join(each for each in lines if not each.startswith("#")))
    done = backed_up.run("show", "quickstart.yaml")
    assert done.status == 78
    assert signer in done.err
    assert f"--trust {signer}" in done.err
    assert backed_up.run("show", "quickstart.yaml", "--trust", signer).status == 0


def test_a_damaged_snapshot_is_reported(backed_up: "Desk") -> None:
    for pack in (backed_up.folder / "vault").rglob("pack-*"):
        pack.write_bytes(pack.read_bytes()[:-20])
    done = backed_up.run("export", "quickstart.yaml", "--to", "all.ics")
    assert done.status == 3
    assert "pack-" in done.err
    place = backed_up.run("show", "quickstart.yaml", "--items").out.splitlines()[-1].split()[0]
    assert backed_up.run("cat", "quickstart.yaml", place).status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "quickstart.yaml", "--state-dir", "/proc/nothing"],
        ["run", "quickstart.yaml", "--state-dir", "file/below"],
    ],
)
def test_a_state_folder_that_cannot_be_made(ready: "Desk", arguments: list[str]) -> None:
    (ready.folder / "file").write_text("")
    done = ready.run(*arguments)
    assert done.status == 78
    assert "cannot write the cache" in done.err


@pytest.fixture
def powerless(ready: "Desk") -> "Desk":
    """A desk where the modes of files count, for root as well."""
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and there is no setpriv to take that away")
        ready.wrapper = ["setpriv", "--bounding-set=-all"]
    return ready


@pytest.mark.parametrize(
    ("name", "mode", "status", "message"),
    [
        ("vault", 0o500, 77, "cannot write {path}/a/"),
        ("vault", 0o000, 77, "cannot read {path}: Permission denied"),
        ("keys/writer.key", 0o000, 78, "cannot read the writer key file {path}: Permission"),
        ("state", 0o500, 78, "cannot write the cache {path}"),
        ("quickstart.yaml", 0o000, 78, "the file may not be read"),
    ],
)
def test_what_may_not_be_read_or_written_is_named(
    powerless: "Desk", name: str, mode: int, status: int, message: str
) -> None:
    path = powerless.folder / name
    if name == "state":
        path.mkdir()
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        done = powerless.run("quickstart.yaml")
    finally:
        path.chmod(before)
    assert (done.status, message.format(path=path) in done.err) == (status, True), done
    assert powerless.back_up().status == 0


def test_a_repository_whose_folder_is_in_the_way(ready: "Desk") -> None:
    (ready.folder / "vault" / "a").write_text("")
    done = ready.run("quickstart.yaml")
    assert done.status == 1
    assert f"cannot read {ready.folder / 'vault'}" in done.err


def test_a_full_disk_stores_nothing_by_halves(
    ready: "Desk", limited: Callable[[int], list[str]]
) -> None:
    ready.measure_nothing()
    noise = Random(1)  # noqa: S311 -- what no compression makes small
    ready.put("work/large.ics", "".join(noise.choices("abcdefghijklmnop", k=500_000)))
    for size, status, words in [
        (2_000, 78, "cannot write the cache"),
        (150_000, 1, "File too large"),
    ]:
        ready.wrapper = limited(size)
        done = ready.run("quickstart.yaml")
        assert (done.status, words in done.err) == (status, True), done
        assert "nothing written" in done.out
        ready.wrapper = []
        assert ready.snapshots() == []
    assert ready.back_up().out == "quickstart: done: 13 items read, 17 changes written\n"


@pytest.fixture
def limited(tmp_path: Path) -> Callable[[int], list[str]]:
    """Return what to put before a command so that no file grows beyond so many bytes."""
    script = tmp_path / "limited.py"
    script.write_text(
        "import os, resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "size = int(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
        "os.execv(sys.argv[2], sys.argv[2:])\n"
    )

    def command(size: int) -> list[str]:
        return [sys.executable, str(script), str(size)]

    return command
