"""`key passphrase`, and reading with one: real work, so few tests."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.cli import chosen, passphrases
from caldav_run.repository import age, keys
from caldav_run.testing.vault import Vault

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

PASSPHRASE = "seven tame otters knit"


@pytest.fixture(autouse=True)
def no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CALDAV_RUN_PASSPHRASE", raising=False)


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person at a terminal types, line by line; then the terminal ends."""
    lines: list[str] = []

    def typed(_: str) -> str:
        if not lines:
            raise EOFError
        return lines.pop(0)

    for module in (chosen, passphrases):
        monkeypatch.setattr(module, "at_terminal", lambda: True)
    monkeypatch.setattr(getpass, "getpass", typed)
    return lines


def bundles(here: Path) -> list[str]:
    return sorted(each.name for each in (here / "repository" / "keys").glob("*"))


@pytest.mark.usefixtures("vault")
def test_who_knows_the_passphrase_needs_nothing_else(
    call: "Call", here: Path, typing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typing += [PASSPHRASE, PASSPHRASE]
    done = call("key", "passphrase", "nightly.yaml")
    assert done.status == 0, done.err
    assert done.out.strip().removeprefix("keys/") in bundles(here)
    (here / "keys" / keys.IDENTITY).rename(here / "away.txt")
    typing.append(PASSPHRASE)
    asked = call("export", "nightly.yaml", "--to", "out")
    assert asked.status == 0, asked.err
    assert len(list((here / "out").rglob("*.ics"))) == 1
    assert PASSPHRASE not in asked.out + asked.err
    (here / "phrase").write_text(f"{PASSPHRASE}\n")
    (here / "phrase").chmod(0o600)
    # A default identity that opens something else does not stand in the way.
    call("key", "new", "other")
    (here / "other" / keys.IDENTITY).rename(here / "keys" / keys.IDENTITY)
    given = ["--passphrase-file", "phrase"]
    assert call("export", "nightly.yaml", "--to", "again", *given).status == 0
    (here / "keys" / keys.IDENTITY).unlink()
    monkeypatch.setenv("CALDAV_RUN_PASSPHRASE", "not the right one")
    wrong = call("snapshots", "nightly.yaml")
    assert wrong.status == 78
    assert "the passphrase does not open keys/" in wrong.err
    assert "not the right one" not in wrong.err


@pytest.mark.usefixtures("vault")
def test_the_older_ones_go_when_the_new_one_is_proven(
    call: "Call", here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALDAV_RUN_PASSPHRASE", PASSPHRASE)
    assert call("key", "passphrase", "nightly.yaml").status == 0
    old = bundles(here)
    assert call("key", "passphrase", "--repository", "repository", "--replace").status == 0
    assert len(bundles(here)) == 1
    assert bundles(here) != old


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (["short"], "the passphrase has 5 characters"),
        ([PASSPHRASE, "seven tame otters sew"], "the two passphrases differ"),
        ([PASSPHRASE], "the two passphrases differ"),
        ([], "the passphrase is empty"),
    ],
)
def test_a_passphrase_is_typed_twice_and_is_strong(
    call: "Call", here: Path, typing: list[str], typed: list[str], reason: str
) -> None:
    typing += typed
    done = call("key", "passphrase", "nightly.yaml")
    assert done.status == 78
    assert reason in done.err
    assert bundles(here) == []


@pytest.mark.usefixtures("vault")
def test_without_a_terminal_a_passphrase_has_to_be_given(call: "Call", here: Path) -> None:
    done = call("key", "passphrase", "nightly.yaml")
    assert done.status == 78
    assert "there is nobody to ask for a passphrase" in done.err
    (here / "weak").write_text("weak")
    (here / "weak").chmod(0o600)
    done = call("key", "passphrase", "nightly.yaml", "--passphrase-file", "weak")
    assert "the passphrase has 4 characters" in done.err


@pytest.mark.usefixtures("vault")
def test_without_an_identity_file_and_a_terminal_the_way_in_is_told(
    call: "Call", here: Path
) -> None:
    (here / "keys" / keys.IDENTITY).unlink()
    (here / "repository" / "keys").mkdir()
    (here / "repository" / "keys" / f"{'0' * 64}.age").write_bytes(b"")
    done = call("snapshots", "nightly.yaml")
    assert done.status == 78
    assert "nobody to ask for the passphrase" in done.err
    assert "--passphrase-file" in done.err


def test_an_identity_that_opens_nothing_there_is_not_put_there(
    call: "Call", here: Path, vault: Vault, typing: list[str]
) -> None:
    typing += [PASSPHRASE, PASSPHRASE]
    (here / "other.txt").write_text(f"{age.new_identity()[1]}\n")
    done = call("key", "passphrase", "nightly.yaml", "-i", "other.txt")
    assert done.status == 78
    assert "does not open" in done.err
    assert bundles(here) == []
    assert vault.segments()
