"""Which command lines are read without the library, and that nobody can tell."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.cli import quick
from caldav_run.cli.execute import Ended
from caldav_run.pipeline.settings import Settings

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

COPY = """\
version: 1
name: copy
sources:
  one: {type: ics, path: calendars}
sinks:
  files: {type: ics, path: out}
"""
TASK = b"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:a\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def copy(here: Path) -> Path:
    """A pipeline that copies a folder with an item."""
    work = here / "calendars" / "work"
    work.mkdir(parents=True)
    (work / "a.ics").write_bytes(TASK)
    (here / "copy.yaml").write_text(COPY)
    return here


@pytest.mark.parametrize(
    "line", ["run a.yaml", "a.yaml", "run a b.yml", "run -q a.yaml", "a.yaml --quiet b.yaml"]
)
def test_a_run_of_pipelines_is_understood(line: str) -> None:
    assert quick.understood(line.split())


@pytest.mark.parametrize(
    "line",
    ["", "run", "run -q", "plan a.yaml", "a", "-q a.yaml", "run a.yaml -v", "run -- a.yaml"],
)
def test_anything_else_is_left_to_the_library(line: str) -> None:
    assert not quick.understood(line.split())


def test_a_shell_that_completes_a_command_line_gets_the_librarys_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("_CALDAV_RUN_COMPLETE", "complete_bash")
    assert not quick.understood(["run", "a.yaml"])


@pytest.mark.usefixtures("copy")
@pytest.mark.parametrize("line", ["run copy.yaml", "run lost.yaml", "run -q copy.yaml"])
def test_both_ways_end_and_print_alike(call: "Call", line: str) -> None:
    call(*line.split())
    assert call(*line.split()) == call(*line.split(), "--output", "text")


@pytest.mark.parametrize("folder", ["elsewhere", ""])
def test_both_ways_keep_their_caches_in_the_same_folder(
    monkeypatch: pytest.MonkeyPatch, call: "Call", folder: str
) -> None:
    monkeypatch.setenv("CALDAV_RUN_STATE_DIR", folder)
    chosen: list[Path] = []

    def execute(
        _files: object, _sets: object, settings: Settings, *_: object, **__: object
    ) -> Ended:
        chosen.append(settings.state_dir)
        return Ended(0, changed=False, document={})

    for module in ("quick", "run"):
        monkeypatch.setattr(f"caldav_run.cli.{module}.execute", execute)
    call("run", "copy.yaml")
    call("run", "copy.yaml", "--output", "text")
    assert chosen[0] == chosen[1]


def test_neither_the_library_nor_what_explains_mistakes_is_imported_for_such_a_run(
    copy: Path,
) -> None:
    code = (
        "import sys; from caldav_run.cli.main import run;"
        "status = run(['run', 'copy.yaml']);"
        "print(status, {'typer', 'pydantic', 'jsonschema'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 set()"
