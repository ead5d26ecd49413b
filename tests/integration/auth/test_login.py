"""A login as a person has it: a browser opens by itself, and the keyring keeps the tokens."""

import json
import sys
from pathlib import Path

import pytest
from tests.integration.auth.conftest import CALENDARS, EVENTS, Person
from tests.integration.auth.provider import Provider

ALL = CALENDARS * EVENTS

# What a browser does that is allowed everything; it ends when it has seen the last page.
BROWSER = """\
#!{python}
import sys, urllib.request
page = urllib.request.urlopen(sys.argv[1], timeout=20).read()
open({seen!r}, "wb").write(page)
"""

# A backend of the library `keyring`, which keeps everything in one file.
KEYRING = """\
import json, pathlib
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

FILE = pathlib.Path({file!r})


class FileKeyring(KeyringBackend):
    priority = 1

    def _all(self):
        return json.loads(FILE.read_text()) if FILE.exists() else {{}}

    def get_password(self, service, username):
        return self._all().get(f"{{service}} {{username}}")

    def set_password(self, service, username, password):
        FILE.write_text(json.dumps(self._all() | {{f"{{service}} {{username}}": password}}))

    def delete_password(self, service, username):
        found = self._all()
        if found.pop(f"{{service}} {{username}}", None) is None:
            raise PasswordDeleteError("not there")
        FILE.write_text(json.dumps(found))
"""


@pytest.fixture
def seen(person: Person) -> Path:
    """Give the person a browser that keeps the last page it has seen in this file."""
    script, page = person.folder / "browser", person.folder / "page.html"
    script.write_text(BROWSER.format(python=sys.executable, seen=str(page)), "utf-8")
    script.chmod(0o755)
    person.environ = {"BROWSER": str(script), "DISPLAY": ":0"}
    return page


@pytest.fixture
def kept(person: Person) -> Path:
    """Give the person a keyring that keeps all in this file, and have the login kept there."""
    modules, file = person.folder / "modules", person.folder / "keyring.json"
    modules.mkdir()
    (modules / "file_keyring.py").write_text(KEYRING.format(file=str(file)), "utf-8")
    path = [str(modules), *filter(None, [person._environ().get("PYTHONPATH")])]
    person.environ = {
        "PYTHONPATH": ":".join(path),
        "PYTHON_KEYRING_BACKEND": "file_keyring.FileKeyring",
    }
    person.more = ", token_store: keyring"
    person.write()
    return file


def tokens(kept: Path) -> dict[str, object]:
    (text,) = json.loads(kept.read_text("utf-8")).values()
    found: dict[str, object] = json.loads(text)
    return found


def test_at_a_terminal_the_browser_opens_by_itself(person: Person, seen: Path) -> None:
    done = person.run_at_terminal("login", "auth.yaml", "cloud")
    assert done.status == 0, done.text
    assert b"caldav-run has its answer" in seen.read_bytes()
    assert person.run("run", "auth.yaml").status == 0
    assert person.backed_up() == ALL


def test_where_nobody_sits_or_nothing_can_be_shown_no_browser_opens(
    person: Person, seen: Path
) -> None:
    assert person.run("login", "auth.yaml", "cloud").status == 0
    assert not seen.exists()


def test_a_login_in_the_keyring_is_renewed_there_and_forgotten(
    person: Person, kept: Path, gate: Provider
) -> None:
    done = person.run("login", "auth.yaml", "cloud")
    assert done.status == 0, done.text
    assert "kept in the keyring, caldav-run " in done.out
    before = tokens(kept)
    gate.uses = 4
    done = person.run("run", "auth.yaml")
    assert done.status == 0, done.text
    assert person.backed_up() == ALL
    assert gate.renewals >= 2
    assert tokens(kept)["refresh_token"] != before["refresh_token"]
    assert not list((person.folder / "config" / "tokens").glob("*.json"))
    gate.uses = 10**9
    done = person.run("login", "auth.yaml", "cloud", "--forget")
    assert "deleted and revoked" in done.out
    assert json.loads(kept.read_text("utf-8")) == {}
    assert person.run("run", "auth.yaml").status == 77


def test_a_keyring_that_is_locked_or_missing_says_what_to_do(person: Person, kept: Path) -> None:
    del kept
    person.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    done = person.run("login", "auth.yaml", "cloud")
    assert done.status == 78
    assert "the keyring cannot be used for the login: NoKeyringError" in done.text
    assert "token_store: file" in done.text


def test_options_that_exclude_each_other_are_refused(person: Person) -> None:
    done = person.run("login", "auth.yaml", "cloud", "--paste", "--device")
    assert done.status == 2
    assert "exclude each other" in done.err


def test_a_login_that_is_not_there_is_not_forgotten(person: Person) -> None:
    done = person.run("login", "auth.yaml", "cloud", "--forget")
    assert done.status == 0
    assert "cloud has no login" in done.err


@pytest.mark.parametrize("damage", [b"{", b"\xff"])
def test_a_damaged_login_is_no_login(person: Person, damage: bytes) -> None:
    assert person.run("login", "auth.yaml", "cloud").status == 0
    (kept,) = (person.folder / "config" / "tokens").glob("*.json")
    kept.write_bytes(damage)
    assert person.run("login", "auth.yaml", "--status").status == 77
    assert person.run("login", "auth.yaml", "cloud").status == 0
    assert person.run("run", "auth.yaml").status == 0
    kept.write_bytes(damage)
    done = person.run("login", "auth.yaml", "cloud", "--forget")
    assert done.status == 0
    assert "the login of cloud is deleted" in done.out
    assert "was not revoked" in done.err
    assert not kept.exists()


def test_a_login_is_forgotten_here_though_the_provider_cannot_be_asked(
    person: Person, gate: Provider
) -> None:
    revoke = "http://127.0.0.1:1/revoke"
    person.write(
        f"token_url: {gate.url}token, authorize_url: {gate.url}authorize, revoke_url: '{revoke}'"
    )
    assert person.run("login", "auth.yaml", "cloud").status == 0
    done = person.run("login", "auth.yaml", "cloud", "--forget")
    assert done.status == 75
    assert "is deleted here, but not revoked" in done.out
    assert not list((person.folder / "config" / "tokens").glob("*.json"))


def test_where_nothing_signs_in_so_nothing_is_listed(person: Person) -> None:
    text = person.pipeline.read_text("utf-8")
    lines = [line for line in text.splitlines(keepends=True) if "oauth2" not in line]
    person.pipeline.write_text("".join(lines), "utf-8")
    done = person.run("login", "auth.yaml", "--status")
    assert done.status == 0
    assert "nothing in auth.yaml signs in by OAuth2" in done.err


def test_a_variable_that_is_not_set_is_told_with_its_place(person: Person) -> None:
    person.write("issuer: '${env.NOWHERE_SET}'")
    done = person.run("login", "auth.yaml", "cloud")
    assert done.status == 78
    assert "needs an environment variable that is not set" in done.text
