"""A repository that a passphrase opens, with the whole program, where nothing else is left."""

import os
import pty
import select
import subprocess
from typing import TYPE_CHECKING

from caldav_run.testing.object_servers import ObjectServer

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Desk

PASSPHRASE = "seven tame otters knit"


def at_terminal(desk: "Desk", typed: str, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal of its own, and type one line when it asks."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["setsid", "--ctty", *desk.program, *arguments],
        cwd=desk.folder,
        env=desk.environment | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        seen = b""
        while select.select([ours], [], [], 60.0)[0]:
            try:
                seen += os.read(ours, 1 << 16)
            except OSError:
                # How Linux says that nobody holds the other end any more.
                break
            if b"passphrase: " in seen and typed:
                os.write(ours, f"{typed}\n".encode())
                typed = ""
        os.close(ours)
        return process.wait(timeout=60), seen.decode()


def test_a_passphrase_alone_restores_from_an_object_storage(
    desk: "Desk", moto: ObjectServer
) -> None:
    where = moto.location("passphrase/nightly")
    desk.environment |= {**moto.environ, "CALDAV_RUN_VAULT": where}
    sheet = desk.run("create", "quickstart.yaml", "--yes").out
    assert f"Repository  {where}\n" in sheet
    assert "copy the bucket into a folder first" in sheet
    desk.back_up()
    given = {"CALDAV_RUN_PASSPHRASE": PASSPHRASE}
    done = desk.run("key", "passphrase", "quickstart.yaml", **given)
    assert done.status == 0, done
    assert PASSPHRASE not in done.text
    assert "A passphrase opens" in desk.run("key", "sheet", "quickstart.yaml").out
    # The machine is lost; what is left is the storage and what a person remembers.
    (desk.folder / "keys" / "identity.txt").unlink()
    for calendar in ("family", "work", "tasks"):
        desk.delete(f"{calendar}/")
    status, shown = at_terminal(desk, PASSPHRASE, "run", "restore.yaml")
    assert status in {0, 3}, shown
    assert PASSPHRASE not in shown
    assert "changes written" in shown
    asked = desk.run("snapshots", "--repository", where)
    assert asked.status == 78
    assert "nobody to ask for the passphrase" in asked.err
    assert len(desk.run("snapshots", "--repository", where, **given).out.splitlines()) == 2
