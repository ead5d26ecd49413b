import sys
from pathlib import Path
from types import ModuleType

import pytest

from caldav_run.errors import SetupError
from caldav_run.pipeline import secrets
from caldav_run.pipeline.secrets import exposed_file_warning, secret_from

PLACE = "p.yaml:7:15: sources.cloud.password"
HERE = Path("/")


def reveal(reference: dict[str, object], folder: Path = HERE, **environ: str) -> str:
    return secret_from(reference, PLACE, folder, environ).reveal()


def refusal(reference: dict[str, object], folder: Path = HERE, **environ: str) -> str:
    with pytest.raises(SetupError) as caught:
        reveal(reference, folder, **environ)
    assert str(caught.value).startswith(f"{PLACE}: ")
    assert caught.value.mend
    assert caught.value.__cause__ is None
    return caught.value.message.removeprefix(f"{PLACE}: ")


def command(script: str) -> dict[str, object]:
    return {"command": [sys.executable, "-c", script]}


def test_a_secret_is_looked_up_when_it_is_revealed_only(tmp_path: Path) -> None:
    secret = secret_from({"file": "pw"}, PLACE, tmp_path, {})
    assert str(secret) == "***"
    (tmp_path / "pw").write_text("hunter2\n")
    assert secret.reveal() == "hunter2"


def test_the_environment_gives_a_secret() -> None:
    assert reveal({"env": "PW"}, PW=" hunter2 ") == " hunter2 "


@pytest.mark.parametrize(("environ", "state"), [({}, "is not set"), ({"PW": ""}, "is empty")])
def test_a_missing_or_empty_variable_is_refused(environ: dict[str, str], state: str) -> None:
    assert refusal({"env": "PW"}, HERE, **environ) == f"the environment variable PW {state}"


@pytest.mark.parametrize(
    ("data", "value"),
    [("x", "x"), ("x\n", "x"), ("x\r\n", "x"), ("x\n\n", "x\n"), (" x ", " x "), ("ü", "ü")],
)
def test_one_line_end_of_a_file_is_taken_off(tmp_path: Path, data: str, value: str) -> None:
    (tmp_path / "pw").write_bytes(data.encode())
    assert reveal({"file": "pw"}, tmp_path) == value


def test_a_path_with_a_tilde_begins_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "pw").write_text("x")
    assert reveal({"file": "~/pw"}) == "x"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none", "does not exist"),
        (".", "is no file"),
        ("empty", "is empty"),
        ("large", "is larger than 64 KiB"),
        ("latin", "is not UTF-8 text"),
        ("\0", "does not exist"),
        ("~nobody-by-that-name/x", "does not exist"),
    ],
)
def test_a_file_without_a_secret_is_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "large").write_text("x" * 70_000)
    (tmp_path / "latin").write_bytes(b"\xe9")
    message = refusal({"file": name}, tmp_path)
    assert words in message or "cannot be read: its name is not valid" in message


def test_a_file_behind_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert "the secret file" in refusal({"file": "a/b"}, tmp_path)


def test_a_file_that_fails_to_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    name = "x" * 300
    assert "File name too long" in refusal({"file": name}, tmp_path)


def test_a_file_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "pw").touch(mode=0o644)
    assert exposed_file_warning({"file": "pw"}, tmp_path) == (
        f"the secret file {tmp_path}/pw can be read by others; run: chmod 600 {tmp_path}/pw"
    )
    (tmp_path / "pw").chmod(0o600)
    assert exposed_file_warning({"file": "pw"}, tmp_path) is None


@pytest.mark.parametrize("reference", [{"env": "PW"}, {"file": "none"}])
def test_what_is_no_file_is_not_warned_of(reference: dict[str, object], tmp_path: Path) -> None:
    assert exposed_file_warning(reference, tmp_path) is None


def test_a_command_gives_a_secret_and_runs_in_the_pipelines_folder(tmp_path: Path) -> None:
    assert reveal(command("import os; print(os.getcwd())"), tmp_path) == str(tmp_path.resolve())


def test_a_command_runs_without_a_shell() -> None:
    assert reveal({"command": ["echo", "$HOME;", "`id`"]}, PATH="/bin:/usr/bin") == "$HOME; `id`"


def test_a_failed_command_does_not_show_what_it_said() -> None:
    script = "import sys; print('hunter2'); sys.exit('hunter2')"
    message = refusal(command(script))
    assert message.endswith("ended with status 1")
    assert "hunter2" not in message


def test_a_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT_S", 0.2)
    assert "gave no secret within 0.2 s" in refusal(command("import time; time.sleep(60)"))


def test_a_missing_program_is_refused() -> None:
    assert "cannot be run: No such file" in refusal({"command": ["/no/such/program"]})


def test_an_argument_with_a_zero_byte_is_refused() -> None:
    assert "an argument is not valid" in refusal({"command": ["echo", "a\0b"]})


def test_a_command_without_output_is_refused() -> None:
    assert "is empty" in refusal(command("pass"))


def test_commands_can_be_forbidden(tmp_path: Path) -> None:
    made = tmp_path / "made"
    script = f"open({str(made)!r}, 'w')"
    message = refusal(command(script), CALDAV_RUN_ALLOW_COMMANDS="0")
    assert message.startswith("CALDAV_RUN_ALLOW_COMMANDS=0 forbids to run ")
    assert not made.exists()


ENTRY: dict[str, object] = {"keyring": {"service": "dav", "username": "joe"}}


class LockedError(Exception):
    """Stands for the keyring's own error; the backend needs a desktop."""


def keyring_with(entries: dict[tuple[str, str], str], *, locked: bool = False) -> ModuleType:
    module = ModuleType("keyring")

    def get_password(service: str, username: str) -> str | None:
        if locked:
            raise LockedError("hunter2")
        return entries.get((service, username))

    errors = ModuleType("keyring.errors")
    errors.KeyringError = LockedError  # type: ignore[attr-defined]
    module.get_password = get_password  # type: ignore[attr-defined]
    module.errors = errors  # type: ignore[attr-defined]
    return module


def test_the_keyring_gives_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    module = keyring_with({("dav", "joe"): "hunter2"})
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", module.errors)
    assert reveal(ENTRY) == "hunter2"


def test_a_keyring_without_the_entry_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    module = keyring_with({})
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", module.errors)
    assert refusal(ENTRY) == "the keyring holds nothing for dav and joe"


def test_a_locked_keyring_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    module = keyring_with({}, locked=True)
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", module.errors)
    assert refusal(ENTRY) == "the keyring cannot be read: LockedError"


def test_a_missing_keyring_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert refusal(ENTRY) == "the keyring is not installed"
