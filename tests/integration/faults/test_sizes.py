"""Very many calendars, and very large items; see `docs/testing.md`.

On an account in memory: a real server would take minutes to be filled.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from tests.integration.cli.conftest import Desk
from tests.integration.faults.account import Account, Fault, Ran, empty_vault
from tests.integration.faults.stage import named

from caldav_run.dav.reply import Reply
from caldav_run.engine.ledger import fingerprint
from caldav_run.model import Item, Mark
from caldav_run.repository.keys import IDENTITY, load_keyring
from caldav_run.repository.local import LocalStore
from caldav_run.repository.reader import Reader
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.holding import sink
from caldav_run.testing.liar import HOME, Liar
from caldav_run.testing.scripted import Answer, scripted_server
from caldav_run.testing.servers import Server
from caldav_run.testing.vault import added, calendar_row

MANY = 10_000
BIG = 50_000_000
MIB = 1024 * 1024
# Runs a program, and tells what memory it took.
MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print("RSS", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, file=sys.stderr)
sys.exit(done.returncode)
"""


@contextmanager
def account(liar: Liar, folder: Path) -> Iterator[Account]:
    """Give an account in memory; its calendars may have faults."""
    with scripted_server(liar) as proxy:
        server = Server(proxy.url, "alice", "", HOME)
        made = Account(server, proxy, empty_vault(folder / "vault"))
        proxy.script = lambda asked: made.fault(asked, lambda: liar(asked))
        yield made


def many(liar: Liar) -> None:
    for number in range(MANY):
        liar.put(f"c{number}", "a.ics", event(f"u{number}"))


def held_already(made: Account, liar: Liar) -> None:
    """Have the vault hold a healthy backup, which by itself takes 20,000 requests."""
    vault, source = made.vault, made.source()
    archive = sink(vault)
    opened = archive.open_account("cloud", source.origin())
    source.close()
    marks = {}
    for name, shelf in liar.calendars.items():
        opened.append(calendar_row(name, display_name=name))
        change = added("a", calendar=name)
        assert change.item is not None
        opened.append(replace(change, item=replace(change.item, body=shelf.items["a.ics"])))
        marks[name] = Mark(f"{shelf.now} {shelf.now}", str(shelf.now), vault.clock.now.timestamp())
    opened.commit(fingerprint("cloud", source.selection, [], UTC), marks, guarded=False)
    archive.close({"cloud": "ok"})


def refuses(name: str) -> Fault:
    """Return a fault that strikes one calendar."""
    return lambda asked, answer: Answer(403) if f"/{name}/" in asked.path else answer()


def test_a_choice_of_10_000_calendars_is_read(tmp_path: Path) -> None:
    liar = Liar()
    many(liar)
    with account(liar, tmp_path) as made:
        made.options = {"calendars": ["c77*"]}
        made.fault = refuses("c777")
        ran = made.back_up()
        assert ran.status == 3
        assert named(ran, ["cloud/c777"])
        assert len(made.shown()) == 110
        made.fault = lambda _, answer: answer()
        ran = made.back_up()
        assert (ran.status, ran.errors) == (0, [])
        assert len(made.shown()) == 111


def test_an_incremental_run_over_10_000_calendars_asks_for_the_changed_ones(
    tmp_path: Path,
) -> None:
    liar = Liar()
    many(liar)
    with account(liar, tmp_path) as made:
        held_already(made, liar)
        for name in ("c5", "c7000", "c9999"):
            liar.put(name, "new.ics", event("new"))
        made.fault = refuses("c7000")
        ran = made.back_up()
        assert ran.status == 3
        assert named(ran, ["cloud/c7000"])
        assert read(ran) == 10_001
        shown = made.shown()
        assert len(shown) == MANY + 2
        assert [key for key, it in shown.items() if it.stale_since] == [("c7000", "a.ics")]
        made.fault = lambda _, answer: answer()
        ran = made.back_up()
        assert (ran.status, ran.errors) == (0, [])
        assert len(made.proxy.asked) < 12
        assert len(made.shown()) == MANY + 3


def read(ran: Ran) -> int:
    """Return how many items a run says that there are."""
    (line,) = (each for each in ran.said if each.startswith("read cloud"))
    found = re.search(r": ([\d,]+) items", line)
    assert found
    return int(found[1].replace(",", ""))


def big(size: int) -> bytes:
    """Return an event with an attachment."""
    attached = b"ATTACH;ENCODING=BASE64;VALUE=BINARY:" + b"QUJD" * (size // 4)
    return event("big").replace(b"SUMMARY", attached + b"\r\nSUMMARY")


@pytest.fixture
def liar() -> Liar:
    made = Liar()
    for name in "abc":
        made.put("work", f"{name}.ics", event(name))
    return made


def test_an_item_of_50_mb_is_read_in_bounded_memory(liar: Liar, tmp_path: Path) -> None:
    liar.put("work", "big.ics", big(BIG))
    with scripted_server(liar) as server:
        desk = Desk(tmp_path, Server(server.url, "alice", "word-1", HOME))
        desk.create()
        desk.wrapper = [sys.executable, "-c", MEASURED]
        done = desk.back_up()
        found = re.search(r"RSS (\d+)", done.err)
        assert found
        # What comes, its text, its bytes, and what is written of them.
        assert int(found[1]) < 350 * MIB
    keyring = load_keyring([tmp_path / "keys" / IDENTITY], [])
    reader = Reader(LocalStore(tmp_path / "vault"), keyring)
    bodies = list(reader.bodies(reader.items(reader.resolve("latest", "personal"))))
    sizes = {each.href: len(each.body) for each in bodies if isinstance(each, Item)}
    assert len(sizes) == 4
    assert sizes["big.ics"] > BIG


def test_an_item_beyond_all_measure_fails_alone(
    liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reply.read, "__defaults__", (MIB,))
    liar.put("work", "big.ics", event("big"))
    with account(liar, tmp_path) as made:
        assert made.back_up().status == 0
        before = made.shown()["work", "big.ics"]
        liar.put("work", "big.ics", big(2 * MIB))
        liar.put("work", "a.ics", event("a", "Dinner"))
        ran = made.back_up()
        assert ran.status == 3
        assert named(ran, ["cloud/work/big.ics"])
        assert "more than" in ran.errors[0]
        shown = made.shown()
        assert shown["work", "big.ics"].body == before.body
        assert shown["work", "big.ics"].stale_since is not None
        assert b"Dinner" in (shown["work", "a.ics"].body or b"")
        liar.put("work", "big.ics", event("big", "small again"))
        assert made.back_up().status == 0
        assert made.shown()["work", "big.ics"].stale_since is None
