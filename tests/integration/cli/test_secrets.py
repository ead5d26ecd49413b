"""No secret and no event in plain text is anywhere but where it belongs."""

import json
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Desk

MARKER = "Surprise-party-for-Marjorie"
FILES = """\
version: 1
name: files
sources:
  personal:
    type: caldav
    url: ${env.CALDAV_URL}
    username: ${env.CALDAV_USERNAME}
    password: {command: [PYTHON, watch.py]}
sinks:
  vault: {type: snapshot, repository: vault}
"""
# A password manager that looks around: at every process' arguments, its own parents' included.
WATCH = """\
import os, pathlib
with open("seen", "ab") as seen:
    for each in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            seen.write(each.read_bytes())
        except OSError:
            pass
print(os.environ["CALDAV_PASSWORD"])
"""


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield every file below a folder, with its name as part of the bytes."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, bytes(path.relative_to(folder)) + b"\n" + path.read_bytes()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def used(desk: "Desk") -> "Desk":
    """A desk on which every verb was used, with whatever makes programs talkative."""
    (desk.folder / "tmp").mkdir()
    (desk.folder / "home").mkdir()
    (desk.folder / "home" / ".netrc").write_text("machine 127.0.0.1 login x password netrc-word\n")
    desk.environment |= {
        "TMPDIR": str(desk.folder / "tmp"),
        "PYTHON_CALDAV_COMMDUMP": "1",
        "PYTHON_CALDAV_DEBUGMODE": "DEBUG",
        "PYTHONWARNINGS": "always",
        "PYTHONDEVMODE": "1",
        "CALDAV_RUN_DEBUG": "1",
    }
    # The most open of all settings.
    desk.wrapper = ["/bin/sh", "-c", 'umask 000; exec "$@"', "sh"]
    desk.create()
    desk.put("work/party.ics", MARKER)
    assert desk.run("run", "-v", "quickstart.yaml").status == 0
    desk.put("work/party.ics", MARKER, hour=12, sequence=1)
    assert desk.run("run", "-v", "--output", "json", "quickstart.yaml").status == 0
    desk.delete("work/party.ics")
    assert desk.run("run", "-v", "restore.yaml").status == 0
    for verb in ("snapshots", "show", "diff"):
        assert desk.run(verb, "quickstart.yaml", "--output", "json").status == 0
    assert desk.run("run", "-v", "quickstart.yaml", CALDAV_USERNAME="nobody").status == 77
    return desk


def test_nothing_is_left_in_plain_text(used: "Desk") -> None:
    assert MARKER in used.run("diff", "quickstart.yaml").out
    for folder in ("vault", "state", "tmp", "home"):
        for path, data in contents(used.folder / folder):
            found = [each for each in used.secrets() if each in data]
            assert not found, (path, found)
            assert MARKER.encode() not in data, path


def test_keys_and_caches_are_private_whatever_the_umask(used: "Desk") -> None:
    for private in ("keys", "state"):
        folder = used.folder / private
        assert mode(folder) == 0o700
        for path in folder.rglob("*"):
            assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_no_secret_is_in_the_arguments_of_a_process(desk: "Desk") -> None:
    desk.create()
    (desk.folder / "watch.py").write_text(WATCH)
    (desk.folder / "files.yaml").write_text(FILES.replace("PYTHON", sys.executable))
    done = desk.run("run", "-v", "files.yaml")
    assert done.status == 0, done
    seen = (desk.folder / "seen").read_bytes()
    assert b"files.yaml" in seen
    assert not [each for each in desk.secrets() if each in seen]


def test_a_command_may_be_forbidden(desk: "Desk") -> None:
    desk.create()
    (desk.folder / "files.yaml").write_text(FILES)
    done = desk.run("run", "files.yaml", CALDAV_RUN_ALLOW_COMMANDS="0")
    assert done.status == 78
    assert "CALDAV_RUN_ALLOW_COMMANDS" in done.err


def test_a_password_in_the_pipeline_is_refused_and_not_repeated(desk: "Desk") -> None:
    text = FILES.replace("{command: [PYTHON, watch.py]}", "correct-horse")
    (desk.folder / "files.yaml").write_text(text)
    for verb, output in [("validate", "text"), ("validate", "json"), ("run", "json")]:
        done = desk.run(verb, "files.yaml", "--output", output)
        assert (done.status, "secret" in done.text) == (78, True)
        assert "correct-horse" not in done.text


def test_json_is_json_whatever_a_password_looks_like(desk: "Desk") -> None:
    desk.create()
    # A password that is a part of everything makes the answer poor, but not broken.
    done = desk.run("run", "quickstart.yaml", "--output", "json", CALDAV_PASSWORD='"')
    assert done.status == 77
    assert json.loads(done.out)["status"] == 77
