from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.cli import rewriting
from caldav_run.repository import keys
from caldav_run.testing.vault import Vault

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

ERASE = ("rewrite", "nightly.yaml", "--erase-uid", "concert")


def test_check_shows_what_would_be_done_and_writes_nothing(call: "Call", vault: Vault) -> None:
    before = list(vault.local.list())
    done = call(*ERASE, "--check")
    assert done.status == 0
    assert done.out.splitlines()[1].split()[1:] == ["cloud", "2", "1"]
    assert list(vault.local.list()) == before


def test_an_item_is_erased_and_the_old_marked(call: "Call", vault: Vault) -> None:
    done = call(*ERASE, "--yes")
    assert done.status == 0
    assert "rewritten: 1 full backup\nmarked: 1 old full backup; `caldav-run expire`" in done.out
    assert "concert" not in call("show", "nightly.yaml", "latest~1", "--items").out
    assert len(vault.generations()) == 2
    waiting = call("expire", "nightly.yaml", "--check")
    assert "waits" in waiting.out
    assert "rewritten, marked" in waiting.out


def test_the_old_goes_at_once_when_asked(call: "Call", vault: Vault) -> None:
    done = call(*ERASE, "--yes", "--now")
    assert done.status == 0
    assert "deleted: 1 old full backup" in done.out
    assert len(vault.generations()) == 1
    assert call("check", "nightly.yaml", "--deep").status == 0


def test_what_was_only_marked_goes_when_asked_again(call: "Call", vault: Vault) -> None:
    assert call(*ERASE, "--yes").status == 0
    shown = call(*ERASE, "--check", "--now")
    assert "1 full backup that an earlier rewriting replaced will be deleted" in shown.err
    assert len(vault.generations()) == 2
    assert call(*ERASE, "--now").status == 2
    done = call(*ERASE, "--yes", "--now")
    assert (done.status, done.out) == (0, "deleted: 1 old full backup\n")
    assert len(vault.generations()) == 1


def test_what_a_renewed_key_left_is_said_to_need_more_than_expire(
    call: "Call", vault: Vault
) -> None:
    assert call("key", "rotate", "signer").status == 0
    done = call(*ERASE, "--yes")
    assert "marked: 1 old full backup of other writer keys, which only `--now`" in done.out
    assert "expire" not in done.out
    assert "which only `--now`" in call(*ERASE, "--yes").out
    assert call(*ERASE, "--yes", "--now").status == 0
    assert len(vault.generations()) == 1


def test_history_is_sealed_to_the_recipients_of_the_pipeline(
    call: "Call", vault: Vault, here: Path
) -> None:
    assert call("rewrite", "nightly.yaml", "--recipients", "--yes").status == 0
    assert len(vault.generations()) == 1
    made = keys.create_keys(here / "new")
    with (here / "keys" / "recipients.txt").open("a") as file:
        file.write(made.recipient + "\n")
    done = call("rewrite", "nightly.yaml", "--recipients", "--yes", "--now")
    assert done.status == 0
    signer = vault.writer.signer.fingerprint
    with (here / "new" / "identity.txt").open("a") as file:
        file.write(f"# trusted-signer: {signer}\n")
    shown = call("show", "nightly.yaml", "-i", str(here / "new" / "identity.txt"))
    assert shown.status == 0


def test_nothing_to_do_is_said(call: "Call", vault: Vault) -> None:
    del vault
    done = call("rewrite", "nightly.yaml", "--recipients")
    assert (done.status, done.out) == (0, "")
    assert "nothing to rewrite" in done.err


def test_nobody_is_asked_where_nobody_is(call: "Call", vault: Vault) -> None:
    done = call(*ERASE)
    assert done.status == 2
    assert "say --yes" in done.err
    assert len(vault.generations()) == 1


@pytest.mark.parametrize(("answer", "generations"), [(True, 2), (False, 1)])
def test_at_a_terminal_it_asks(
    call: "Call",
    vault: Vault,
    monkeypatch: pytest.MonkeyPatch,
    *,
    answer: bool,
    generations: int,
) -> None:
    def confirm(question: str, *, err: bool) -> bool:
        assert err
        assert str(vault.root) in question
        return answer

    monkeypatch.setattr(rewriting, "at_terminal", lambda: True)
    monkeypatch.setattr("typer.confirm", confirm)
    assert call(*ERASE).status == (0 if answer else 2)
    assert len(vault.generations()) == generations


def test_damage_stops_it_unless_asked(call: "Call", vault: Vault) -> None:
    pack = vault.packs()[0]
    path = vault.root / pack
    path.write_bytes(bytes(path.stat().st_size))
    done = call(*ERASE, "--yes")
    assert done.status == 1
    assert "--keep-damaged goes on without it" in done.err
    done = call(*ERASE, "--yes", "--keep-damaged")
    assert done.status == 1
    assert pack in done.err
    assert "rewritten: 1 full backup" in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("rewrite", "nightly.yaml"),
        (*ERASE, "--recipients"),
        ("rewrite", "--repository", "repository", "--recipients"),
    ],
)
def test_what_is_wanted_has_to_be_said(
    call: "Call", vault: Vault, arguments: tuple[str, ...]
) -> None:
    assert call(*arguments).status == 2
    assert len(vault.generations()) == 1


def test_a_uid_that_is_not_there_is_said(call: "Call", vault: Vault) -> None:
    del vault
    done = call("rewrite", "nightly.yaml", "--erase-uid", "nobody", "--yes")
    assert done.status == 2
    assert "no item in the history has the UID nobody" in done.err
