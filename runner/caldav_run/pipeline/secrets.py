"""Secret references: where a secret is found, looked up late and never shown."""

import os
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from caldav_run.errors import SetupError
from caldav_run.secret import Secret

COMMAND_TIMEOUT_S: Final = 60.0
"""A password manager may ask its user something first."""

MAX_BYTES: Final = 1 << 16
_SWITCH: Final = "CALDAV_RUN_ALLOW_COMMANDS"


def secret_from(
    reference: Mapping[str, object], place: str, folder: Path, environ: Mapping[str, str]
) -> Secret:
    """Return the secret that a checked reference means, without looking it up.

    Args:
        reference: One of `env`, `file`, `command` and `keyring` with its value.
        place: Where the reference stands, as `file:line:column: name`, for messages.
        folder: The pipeline's folder, where relative paths begin and commands run.
        environ: The environment.
    """
    (kind, value), *_ = reference.items()
    lookups = {
        "env": lambda: _from_environment(str(value), place, environ),
        "file": lambda: _from_file(folder / expanded(str(value)), place),
        "command": lambda: _from_command(_arguments(value), place, folder, environ),
        "keyring": lambda: _from_keyring(value, place),
    }
    return Secret(lookups[kind])


def exposed_file_warning(reference: Mapping[str, object], folder: Path) -> str | None:
    """Return a warning when a secret's file may be read by others than its owner."""
    if "file" not in reference:
        return None
    path = folder / expanded(str(reference["file"]))
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None  # the lookup says so when the secret is needed
    if not mode & (stat.S_IRGRP | stat.S_IROTH):
        return None
    return f"the secret file {path} can be read by others; run: chmod 600 {path}"


def expanded(text: str) -> str:
    """Return a path with `~` expanded where the system knows that home, else as it is."""
    # `Path.expanduser` raises for an unknown user.
    return os.path.expanduser(text)  # noqa: PTH111


def _from_environment(name: str, place: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if not value:
        state = "is not set" if value is None else "is empty"
        raise SetupError(f"{place}: the environment variable {name} {state}", mend="set it")
    return value


def _from_file(path: Path, place: str) -> str:
    try:
        if not path.is_file():
            what = "is no file" if path.exists() else "does not exist"
            raise SetupError(f"{place}: the secret file {path} {what}", mend="make it, mode 0600")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not valid"
        raise SetupError(
            f"{place}: the secret file {path} cannot be read: {reason}",
            mend="make it readable for this user",
        ) from None
    return _text(data, place, f"the secret file {path}")


def _from_command(
    arguments: Sequence[str], place: str, folder: Path, environ: Mapping[str, str]
) -> str:
    program = arguments[0]
    if environ.get(_SWITCH) == "0":
        raise SetupError(
            f"{place}: {_SWITCH}=0 forbids to run {program}",
            mend="take the secret from env, file or keyring",
        )
    try:
        # Its error output may hold the secret and is let go; a prompt reaches the terminal by
        # itself. The program is the user's own, run without a shell.
        done = subprocess.run(  # noqa: S603
            arguments,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"{place}: {program} gave no secret within {COMMAND_TIMEOUT_S:g} s",
            mend="try it in a shell",
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "an argument is not valid"
        raise SetupError(
            f"{place}: {program} cannot be run: {reason}", mend="install it or give its full path"
        ) from None
    if done.returncode != 0:
        raise SetupError(
            f"{place}: {program} ended with status {done.returncode}", mend="try it in a shell"
        )
    return _text(done.stdout[: MAX_BYTES + 1], place, f"the output of {program}")


def _from_keyring(entry: object, place: str) -> str:
    service, username = _entry(entry)
    try:
        import keyring
    except ImportError:
        raise SetupError(
            f"{place}: the keyring is not installed", mend="pip install 'caldav-run[keyring]'"
        ) from None
    try:
        value = keyring.get_password(service, username)
    except keyring.errors.KeyringError as error:
        # Its words may hold anything; its kind says enough.
        raise SetupError(
            f"{place}: the keyring cannot be read: {type(error).__name__}",
            mend="unlock it, or take the secret from env, file or command",
        ) from None
    if not value:
        raise SetupError(
            f"{place}: the keyring holds nothing for {service} and {username}",
            mend=f"run: keyring set {service} {username}",
        )
    return str(value)


def _arguments(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _entry(value: object) -> tuple[str, str]:
    entry = value if isinstance(value, Mapping) else {}
    return str(entry.get("service", "")), str(entry.get("username", ""))


def _text(data: bytes, place: str, what: str) -> str:
    if len(data) > MAX_BYTES:
        raise SetupError(f"{place}: {what} is larger than 64 KiB", mend="it should hold one secret")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise SetupError(f"{place}: {what} is not UTF-8 text", mend="save it as UTF-8") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise SetupError(f"{place}: {what} is empty", mend="it should hold one secret")
    return text
