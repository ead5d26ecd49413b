"""A real Radicale behind TLS, and readers of it."""

import contextlib
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from caldav_run.testing.certificates import Authority, Issued
from caldav_run.testing.processes import HOST, LAUNCH, free_port, running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextlib.contextmanager
def radicale_with_tls(folder: Path, shown: Issued, more: Sequence[str] = ()) -> Iterator[str]:
    """Run a Radicale that shows this certificate; gives its URL. The only user is alice."""
    (folder / "users").write_text("alice:word-1\n")
    port = free_port()
    command = [
        *(*LAUNCH, "radicale", "--config", "", "--server-hosts", f"{HOST}:{port}"),
        *("--auth-type", "htpasswd", "--auth-htpasswd-filename", str(folder / "users")),
        *("--auth-htpasswd-encryption", "plain", "--auth-delay", "0"),
        *("--storage-filesystem-folder", str(folder / "collections")),
        *("--server-ssl", "--server-certificate", str(shown.file), "--server-key"),
        *(str(shown.key), *more),
    ]

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
            return True
        return False

    with running(command, answers, folder / "radicale.log"):
        yield f"https://{HOST}:{port}/"
