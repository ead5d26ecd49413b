"""The verbs run and plan, on folders in place of servers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.cli import execute
from caldav_run.engine.job import Job

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

COPY = """\
version: 1
name: copy
vars: {to: out}
sources:
  one: {type: ics, path: calendars}
  two: {type: ics, path: more}
sinks:
  files: {type: ics, path: "${vars.to}"}
"""
ACCOUNT = """\
version: 1
name: account
sources:
  cloud: {type: caldav, url: "http://127.0.0.1:9/", username: alice, password: {file: password}}
sinks:
  files: {type: ics, path: out}
"""
TASK = (
    b"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:%s\r\nSUMMARY:Buy %s\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture(autouse=True)
def copy(here: Path) -> Path:
    """A pipeline that copies two folders with an item each."""
    for folder, uid in (("calendars", b"milk"), ("more", b"bread")):
        (here / folder / "list").mkdir(parents=True)
        (here / folder / "list" / f"{uid.decode()}.ics").write_bytes(TASK % (uid, uid))
    path = here / "copy.yaml"
    path.write_text(COPY)
    return path


def test_a_run_tells_its_steps_and_its_end(call: "Call", here: Path) -> None:
    done = call("copy.yaml")
    assert (done.status, done.out) == (0, "copy: done: 2 items read, 4 changes written\n")
    *lines, way_back = done.err.splitlines()
    assert way_back.startswith("the way back: caldav-run undo 2")
    assert lines == [
        "copy: running",
        "read one [ok]: 1 item in 1 calendar",
        "read two [ok]: 1 item in 1 calendar",
        "write files [changed]: 2 calendars, 2 added, read back: 2 equal",
    ]
    assert (here / "out" / "one" / "list" / "milk.ics").exists()
    assert call("copy.yaml").out == "copy: done: 2 items read, nothing written\n"


def test_a_plan_tells_each_change_and_makes_none(call: "Call", here: Path) -> None:
    done = call("plan", "copy.yaml", "--detailed-exitcode")
    assert done.status == 10
    assert done.out.splitlines() == [
        "+ list: calendar (new)",
        "+ list: Buy milk",
        "+ list: calendar (new)",
        "+ list: Buy bread",
        "copy: planned: 2 items read, 4 changes to write",
    ]
    assert done.err.startswith("copy: planning, nothing will be written\n")
    assert not (here / "out").exists()
    assert call("plan", "copy.yaml").status == 0
    assert call("run", "--check", "copy.yaml").out == done.out
    call("copy.yaml")
    done = call("plan", "copy.yaml", "--detailed-exitcode")
    assert done[:2] == (0, "copy: planned: 2 items read, nothing to write\n")


def test_verbose_tells_each_change_that_is_made(call: "Call") -> None:
    assert "+ list: Buy milk\n" in call("run", "--verbose", "copy.yaml").out


def test_quiet_tells_trouble_only(call: "Call", here: Path) -> None:
    assert call("run", "-q", "copy.yaml") == (0, "", "")
    (here / "more").rename(here / "gone")
    done = call("run", "-q", "copy.yaml")
    assert done.status == 1
    assert done.err.startswith("error: two: ")
    assert len(done.err.splitlines()) == 1
    assert done.out == "copy: failed: 1 item read, nothing written, 1 error, exit status 1\n"


def test_only_the_named_sources_are_read(call: "Call", here: Path) -> None:
    assert call("run", "copy.yaml", "--limit", "two").status == 0
    assert [each.name for each in (here / "out").iterdir()] == ["two"]


def test_a_variable_gets_another_value(call: "Call", here: Path) -> None:
    assert call("run", "copy.yaml", "--set", "to=elsewhere").status == 0
    assert (here / "elsewhere").exists()
    assert not (here / "out").exists()


def test_a_run_as_json(call: "Call", here: Path) -> None:
    (here / "more").rename(here / "gone")
    done = call("run", "copy.yaml", "copy.yaml", "--output", "json")
    document = json.loads(done.out)
    assert document["status"] == done.status == 1
    first, second = document["runs"]
    assert first["pipeline"] == "copy"
    assert [each["state"] for each in first["steps"]] == ["ok", "failed", "changed"]
    assert first["notes"][0]["level"] == "error"
    assert second["steps"][2]["state"] == "ok"
    # Progress is shown all the same.
    assert "read one [ok]" in done.err


def test_a_plan_as_json_lists_the_changes(call: "Call") -> None:
    document = json.loads(call("plan", "copy.yaml", "--output", "json").out)
    assert document["runs"][0]["dry"] is True
    labels = [each["label"] for each in document["runs"][0]["changes"]]
    assert labels == ["calendar (new)", "Buy milk", "calendar (new)", "Buy bread"]


def test_nothing_runs_while_a_file_is_wrong(call: "Call", here: Path) -> None:
    (here / "wrong.yaml").write_text(COPY.replace("type: ics, path: more", "type: isc"))
    done = call("copy.yaml", "wrong.yaml", "none.yaml")
    assert (done.status, done.out) == (78, "")
    assert 'did you mean "ics"?' in done.err
    assert "none.yaml" in done.err
    assert not (here / "out").exists()


def test_warnings_are_told_before_the_run(call: "Call", here: Path) -> None:
    secret = here / "password"
    secret.write_text("pass-word-10")
    secret.chmod(0o644)
    (here / "account.yaml").write_text(ACCOUNT)
    done = call("plan", "account.yaml")
    assert done.status == 75
    assert done.err.startswith("warning[exposed-secret]: ")
    assert f"chmod 600 {secret}" in done.err
    assert "pass-word-10" not in done.err


def test_an_interrupted_run_is_the_last(call: "Call", monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def interrupted(job: Job, *_: object, **__: object) -> execute.Ended:
        seen.append(job.name)
        return execute.Ended(130, changed=False, document={})

    monkeypatch.setattr(execute, "run_one", interrupted)
    assert call("copy.yaml", "copy.yaml").status == 130
    assert seen == ["copy"]
