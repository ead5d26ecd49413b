import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.cli import keys

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

TWO = """\
version: 1
name: two
sources: {a: {type: ics, path: calendars}}
sinks:
  one: {type: snapshot, repository: first}
  two: {type: snapshot, repository: second}
"""
NONE = """\
version: 1
name: none
sources: {a: {type: ics, path: calendars}}
sinks: {copy: {type: ics, path: copy}}
"""


def test_new_keys_are_named_but_not_shown(call: "Call", here: Path) -> None:
    status, out, err = call("key", "new", "~/mine")
    assert (status, err) == (0, "")
    identity = (here / "home" / "mine" / "identity.txt").read_text()
    assert f"made new keys in {here / 'home' / 'mine'}" in out
    assert identity.splitlines()[-1].startswith("AGE-SECRET-KEY-1")
    assert "AGE-SECRET-KEY-1" not in out


def test_keys_go_where_runs_look_for_them_and_are_never_overwritten(
    call: "Call", here: Path
) -> None:
    assert call("key", "new").status == 0
    assert (here / "keys" / "writer.key").exists()
    again = call("key", "new")
    assert again.status == 78
    assert "is not overwritten" in again.err


def test_create_makes_keys_and_repository_and_prints_the_sheet(call: "Call", here: Path) -> None:
    status, out, err = call("create", "nightly.yaml", "--set", "place=elsewhere")
    assert status == 0
    assert out.startswith("caldav-run recovery sheet")
    assert "made new keys" in err
    assert (here / "elsewhere" / "format.json").exists()
    # The keys are used again.
    status, out, err = call("create", "nightly.yaml")
    assert (status, err) == (0, "")
    again = call("create", "nightly.yaml")
    assert again.status == 78
    assert "is not empty" in again.err


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (TWO, [], "choose one with --sink: one, two"),
        (TWO, ["--sink", "three"], 'has no snapshot sink "three"'),
        (NONE, [], "has no sink of type snapshot"),
        (NONE, ["--sink", "copy"], "has no sink of type snapshot"),
    ],
)
def test_it_has_to_be_clear_which_repository_is_made(
    call: "Call", here: Path, text: str, arguments: list[str], message: str
) -> None:
    (here / "other.yaml").write_text(text)
    done = call("create", "other.yaml", *arguments)
    assert done.status == 2
    assert message in done.err


def test_the_named_sinks_repository_is_made(call: "Call", here: Path) -> None:
    (here / "other.yaml").write_text(TWO)
    assert call("create", "other.yaml", "--sink", "two").status == 0
    assert [(here / each).exists() for each in ("first", "second")] == [False, True]


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person at a terminal types, line by line; then the terminal ends."""
    lines: list[str] = []

    def typed(prompt: str) -> str:
        assert prompt == "identity: "
        if not lines:
            raise EOFError
        return lines.pop(0)

    monkeypatch.setattr(keys, "at_terminal", lambda: True)
    monkeypatch.setattr(getpass, "getpass", typed)
    return lines


def test_a_person_proves_that_the_identity_was_kept(
    call: "Call", here: Path, typing: list[str]
) -> None:
    assert call("key", "new").status == 0
    identity = (here / "keys" / "identity.txt").read_text().splitlines()[-1]
    typing += ["AGE-SECRET-KEY-1WRONG", f"  {identity} "]
    done = call("create", "nightly.yaml")
    assert done.status == 0
    assert done.err.splitlines()[-2:] == ["That does not open it.", "That opens it. All is ready."]
    assert identity not in done.out + done.err


def test_who_cannot_prove_it_is_told_so(call: "Call", here: Path, typing: list[str]) -> None:
    typing += ["nonsense"]
    done = call("create", "nightly.yaml")
    assert done.status == 78
    assert "nobody has shown that it can be opened" in done.err
    assert (here / "repository" / "format.json").exists()


@pytest.mark.usefixtures("typing")
def test_the_proof_can_be_waived(call: "Call") -> None:
    assert call("create", "nightly.yaml", "--yes").status == 0
