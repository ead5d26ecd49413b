import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.testing.vault import Vault, added, calendar_row

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call


def test_a_copy_is_made_told_and_looked_into(call: "Call", vault: Vault, here: Path) -> None:
    (vault.root / "notes.txt").write_text("mine")
    count = len(list(vault.local.list())) - 1
    done = call("copy", "nightly.yaml", "--to", "copy")
    assert done.status == 0
    assert done.out.startswith(f"{here / 'copy'}: {count} objects copied (")
    assert "1 files that are none of a repository were left" in done.err
    shown = call("snapshots", "--repository", "copy").out
    assert shown == call("snapshots", "nightly.yaml").out
    again = json.loads(call("copy", "nightly.yaml", "--to", "copy", "--output", "json").out)
    assert (again["copied"], again["present"], again["bytes"]) == (0, count, 0)


def test_no_key_is_needed(call: "Call", vault: Vault, here: Path) -> None:
    (here / "keys").rename(here / "elsewhere")
    done = call("copy", "--repository", str(vault.root), "--to", "copy")
    assert done.status == 0


def test_damage_is_told_and_makes_the_status(call: "Call", vault: Vault, here: Path) -> None:
    pack = vault.packs()[0]
    (vault.root / pack).write_bytes(b"")
    done = call("copy", "nightly.yaml", "--to", "copy")
    assert done.status == 1
    assert pack in done.err
    assert "1 damaged and left out" in done.out
    assert not (here / "copy" / pack).exists()


def test_what_the_copy_holds_is_read_when_asked(call: "Call", vault: Vault, here: Path) -> None:
    call("copy", "nightly.yaml", "--to", "copy")
    path = here / "copy" / vault.packs()[0]
    path.write_bytes(bytes(path.stat().st_size))
    assert ": 0 objects copied" in call("copy", "nightly.yaml", "--to", "copy").out
    assert ": 1 object copied" in call("copy", "nightly.yaml", "--to", "copy", "--verify").out


@pytest.mark.parametrize("key", ["writer.key", "identity.txt"])
def test_one_account_is_copied_with_either_key(
    call: "Call", vault: Vault, here: Path, key: str
) -> None:
    vault.run(calendar_row("work"), added("x", calendar="work"), account="office")
    for each in {"writer.key", "identity.txt"} - {key}:
        (here / "keys" / each).rename(here / each)
    done = call("copy", "nightly.yaml", "--to", "copy", "--account", "office")
    assert done.status == 0
    assert len(list((here / "copy" / "a").iterdir())) == 1


def test_one_account_without_any_key_is_not_found(call: "Call", vault: Vault, here: Path) -> None:
    (here / "keys").rename(here / "elsewhere")
    done = call("copy", "--repository", str(vault.root), "--to", "copy", "--account", "cloud")
    assert done.status == 2
    assert "needs the writer key" in done.err


def test_a_bare_identity_does_not_say_which_history_is_whose(
    call: "Call", vault: Vault, here: Path
) -> None:
    (here / "keys" / "writer.key").rename(here / "writer.key")
    lines = (here / "keys" / "identity.txt").read_text().splitlines()
    (here / "keys" / "identity.txt").write_text(lines[-1] + "\n")
    place = str(vault.root)
    assert call("copy", "--repository", place, "--to", "copy", "--account", "cloud").status == 2


def test_since_takes_a_time_in_words_of_a_day_its_start(
    call: "Call", vault: Vault, here: Path
) -> None:
    del vault
    done = call("copy", "nightly.yaml", "--to", "copy", "--since", "2026-05-01")
    assert done.status == 0
    assert (here / "copy" / "a").exists()
    done = call("copy", "nightly.yaml", "--to", "copy", "--since", "soon")
    assert done.status == 2
    assert '"soon" is no time' in done.err
