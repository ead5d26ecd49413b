"""What was once written is read for ever: by our reader, and by `rescue.py`."""

import fcntl
import hashlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MAKE = runpy.run_path(str(HERE / "make.py"))
NAMES = sorted(each.parent.name for each in HERE.glob("*/expected.json"))
MISSING = [each for each in ("age", "zstd", "ssh-keygen") if not shutil.which(each)]
# Each takes half a second to open: the first, the last, and those around a cumulative segment.
MANY = 8


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / name / "expected.json").read_text("utf-8"))
    return found


def rescue(name: str, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", "-S", ROOT / "rescue.py", *words]
    identity = MAKE["identity"](HERE / name)
    return subprocess.run([*command, "-i", identity], capture_output=True, text=True, check=False)


def some(snapshots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    step = max(1, len(snapshots) // MANY)
    return [*snapshots[::step], snapshots[-1]] if snapshots else []


def test_none_of_them_was_lost() -> None:
    assert sorted(["healthy", *MAKE["DAMAGES"]]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_our_reader_lists_restores_and_reports_what_is_expected(name: str) -> None:
    assert MAKE["observed"](HERE / name) == expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_none_is_large(name: str) -> None:
    assert sum(each.stat().st_size for each in (HERE / name).rglob("*")) < 400_000


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
@pytest.mark.parametrize("name", NAMES)
def test_rescue_lists_and_reports_what_is_expected(name: str) -> None:
    wanted = expected(name)
    done = rescue(name, "list", HERE / name / "repository")
    assert done.returncode == (1 if wanted["problems"] else 0), done.stderr
    for problem in wanted["problems"]:
        assert problem in done.stderr
    assert len(done.stderr.splitlines()) == len(wanted["problems"])
    listed = [line.split("  ")[:3] for line in done.stdout.splitlines()]
    shown = wanted["snapshots"]
    assert listed == [[each["time"], each["id"][:12], each["account"]] for each in shown]


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
@pytest.mark.parametrize("name", NAMES)
def test_rescue_restores_what_is_expected(name: str, tmp_path: Path) -> None:
    for snapshot in some(expected(name)["snapshots"]):
        target = tmp_path / snapshot["id"][:12]
        done = rescue(name, "restore", HERE / name / "repository", snapshot["id"], target)
        if snapshot["problem"]:
            assert done.returncode == 1
            assert snapshot["problem"] in done.stderr
            assert not list(target.rglob("*.ics"))
            continue
        index = json.loads((target / snapshot["account"] / "index.json").read_text())
        found = {
            f"{each['calendar']}/{each['href']}": each["file"]
            and hashlib.sha256((target / each["file"]).read_bytes()).hexdigest()
            for each in index["items"]
        }
        assert found == snapshot["items"]


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_rescue_opens_with_a_passphrase_that_age_asks_for() -> None:
    root = HERE / "bundle" / "repository"
    (bundle,) = root.glob("keys/*.age")
    terminal, child = os.openpty()
    done = subprocess.Popen(
        [sys.executable, "-I", "-S", ROOT / "rescue.py", "list", root, "-i", bundle],
        stdin=child,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # age asks at the terminal, whatever its input is.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(child)
    asked = b""
    while b"passphrase" not in asked.lower():
        asked += os.read(terminal, 1024)
    os.write(terminal, MAKE["PASSPHRASE"].encode() + b"\n")
    output, errors = done.communicate(timeout=60)
    os.close(terminal)
    assert done.returncode == 0, errors
    assert len(output.splitlines()) == len(expected("bundle")["snapshots"])


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_our_reader_opens_the_bundle() -> None:
    store = MAKE["LocalStore"](HERE / "bundle" / "repository")
    (text,) = MAKE["bundles"].unlock_any(store, MAKE["PASSPHRASE"]).values()
    assert text == (HERE / "keys" / "daily.txt").read_text()
