import io
import sys
from pathlib import Path

import pytest

from caldav_run.cli import options
from caldav_run.errors import SetupError, UsageError


def test_an_assignment_is_split_at_its_first_sign() -> None:
    assert options.assignments(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    assert options.assignments(None) == {}


@pytest.mark.parametrize("wrong", ["a", "=1", ""])
def test_no_assignment_is_a_wrong_usage(wrong: str) -> None:
    with pytest.raises(UsageError, match="write --set NAME=VALUE"):
        options.assignments([wrong])


def test_caches_lie_where_the_person_or_the_system_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    assert options.state_folder(Path("~/here")) == tmp_path / "here"
    assert options.state_folder(Path("there")) == tmp_path / "there"
    assert options.state_folder(None) == Path("/var/state/caldav-run")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert options.state_folder(None) == tmp_path / ".local/state/caldav-run"


def test_a_user_without_a_home_is_asked_for_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(SetupError, match="--state-dir"):
        options.state_folder(None)


def test_identities_are_those_given_else_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CALDAV_RUN_IDENTITY", "~/other.txt")
    assert options.identity_files([Path("a"), Path("~/b")]) == (Path("a"), tmp_path / "b")
    assert options.identity_files(None) == (tmp_path / "other.txt",)
    monkeypatch.delenv("CALDAV_RUN_IDENTITY")
    assert options.identity_files([]) == ()


def test_somebody_answers_only_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert options.at_terminal()
    monkeypatch.setattr(sys, "stdin", None)
    assert not options.at_terminal()
