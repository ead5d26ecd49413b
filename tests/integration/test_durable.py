"""A local folder survives a power cut: shown by the system calls of real runs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PIPELINE = """\
version: 1
name: nightly
sources: {files: {type: ics, path: calendars}}
sinks: {vault: {type: snapshot, repository: new/vault}}
"""
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\n"
    "DTSTAMP:20260501T080000Z\r\nDTSTART:20260508T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
CALLS = "trace=/^(write|writev|fsync|fdatasync|link|linkat|unlink|unlinkat|mkdir|mkdirat|rename.*)$"
_LINE = re.compile(r"(?P<pid>\d+) +(?P<call>.*)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
_PATH = re.compile(r"<([^<>]*)>")
_TEXT = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class Call:
    """One system call that went well: its name, the paths it concerns, and the whole line."""

    name: str
    paths: tuple[str, ...]
    line: str


def traceable() -> str | None:
    """Return why system calls cannot be traced here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else f"no ptrace here: {tried.stderr.decode().strip()}"


UNTRACEABLE = traceable()
pytestmark = pytest.mark.skipif(UNTRACEABLE is not None, reason=UNTRACEABLE or "")


def trace(folder: Path, *command: str) -> list[Call]:
    """Run Python with these arguments in the folder, and return its calls in their order."""
    log = folder / "strace.log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment = kept | {
        "CALDAV_RUN_CONFIG_DIR": str(folder / "keys"),
        "CALDAV_RUN_STATE_DIR": str(folder / "state"),
    }
    traced = ["strace", "-f", "-y", "-s", "200", "-e", CALLS, "-o", str(log), sys.executable]
    subprocess.run(
        [*traced, *command], cwd=folder, env=environment, check=True, capture_output=True
    )
    return calls(log.read_text(errors="replace").splitlines())


def calls(lines: Sequence[str]) -> list[Call]:
    """Return the calls of a log, each at the place where it ended."""
    found, begun = [], {}
    for line in lines:
        match = _LINE.fullmatch(line)
        assert match, line
        text = match["call"]
        if text.endswith("<unfinished ...>"):
            begun[match["pid"]] = text.removesuffix("<unfinished ...>")
            continue
        if _RESUMED.match(text):
            text = begun.pop(match["pid"]) + _RESUMED.sub("", text)
        name = text.partition("(")[0]
        if name.isidentifier() and " = -1 " not in text:
            quoted = [] if name.startswith("write") else _TEXT.findall(text)
            found.append(Call(name, (*_PATH.findall(text), *quoted), text))
    return found


def at(found: Sequence[Call], name: str, path: str, *, after: int = -1) -> int:
    """Return where the first call with this name on this path is, beyond a place."""
    for place, each in enumerate(found):
        if place > after and each.name == name and path in each.paths:
            return place
    raise AssertionError(f"no {name} of {path} after {after}")


def links(found: Sequence[Call]) -> list[tuple[int, str, str]]:
    """Return the places where a file got its name: where, the temporary name, the name."""
    return [
        (place, each.paths[-2], each.paths[-1])
        for place, each in enumerate(found)
        if each.name.startswith("link")
    ]


def check(found: Sequence[Call], root: Path) -> int:
    """Hold every put to the order that makes it durable; return where the last one ended."""
    last = 0
    made = [
        (place, Path(each.paths[-1]))
        for place, each in enumerate(found)
        if each.name.startswith("mkdir") and str(root.parent) in each.paths[-1]
    ]
    for place, temporary, name in links(found):
        written = at(found, "write", temporary)
        flushed = at(found, "fsync", temporary, after=written)
        folder = str(Path(name).parent)
        shown = at(found, "fsync", folder, after=place)
        assert written < flushed < place < shown
        # Of each new parent folder the name was on the disk before there was a file in it.
        for when, parent in made:
            if parent in Path(name).parents and when < place:
                assert when < at(found, "fsync", str(parent.parent), after=when) < place
        last = max(last, shown)
    return last


def said(found: Sequence[Call], words: str) -> int:
    """Return where the program told its user something."""
    for place, each in enumerate(found):
        if each.name == "write" and each.line.startswith("write(1<") and words in each.line:
            return place
    raise AssertionError(f"{words!r} was never said")


def test_every_object_is_on_the_disk_before_the_run_says_so(tmp_path: Path) -> None:
    calendar = tmp_path / "calendars" / "home"
    calendar.mkdir(parents=True)
    (tmp_path / "p.yaml").write_text(PIPELINE)
    root = tmp_path / "new" / "vault"
    (calendar / "a.ics").write_bytes((EVENT % "a").encode())
    created = trace(tmp_path, "-m", "caldav_run", "create", "p.yaml", "--yes")
    assert check(created, root) < said(created, "recovery sheet")
    stored = {str(path) for path in root.iterdir() if path.is_file()}
    assert stored == {name for *_, name in links(created)}
    for number in range(2):
        (calendar / f"b{number}.ics").write_bytes((EVENT % f"b{number}").encode())
        before = {str(path) for path in root.rglob("*.age")}
        found = trace(tmp_path, "-m", "caldav_run", "run", "p.yaml")
        assert check(found, root) < said(found, "nightly: ")
        new = {str(path) for path in root.rglob("*.age")} - before
        # Pack, segment and run record, each by a link of a finished file.
        assert len(new) == 3
        assert new == {name for *_, name in links(found)}


def test_a_deletion_is_on_the_disk(tmp_path: Path) -> None:
    program = (
        "import pathlib\n"
        "from caldav_run.repository.local import LocalStore\n"
        "store = LocalStore(pathlib.Path('vault').absolute())\n"
        "store.put('a/b', b'1')\n"
        "store.delete('a/b')\n"
        "print('deleted', flush=True)\n"
    )
    found = trace(tmp_path, "-c", program)
    folder = tmp_path / "vault" / "a"
    gone = at(found, "unlink", str(folder / "b"))
    assert gone < at(found, "fsync", str(folder), after=gone) < said(found, "deleted")
