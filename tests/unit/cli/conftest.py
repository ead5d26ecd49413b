"""The program in this process, on a folder with a real repository."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from caldav_run import secret
from caldav_run.cli import main
from caldav_run.model import Change, Item, Op, Provenance
from caldav_run.testing.vault import Vault, calendar_row


class Called(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


Call = Callable[..., Called]

PIPELINE = """\
version: 1
name: nightly
vars: {place: repository}
sources:
  cloud: {type: ics, path: calendars}
sinks:
  vault:
    type: snapshot
    repository: ${vars.place}
    signer: {file: keys/writer.key}
    recipients: [{file: keys/recipients.txt}]
"""


def event(uid: str, summary: str, hour: int = 10) -> bytes:
    """Return an event of an hour on 8 May 2026."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//tests//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260501T080000Z\r\nDTSTART:20260508T{hour:02}0000Z\r\n"
        f"DURATION:PT1H\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def row(href: str, body: bytes, calendar: str = "family", uid: str | None = None) -> Change:
    """Return the row of a new or changed item."""
    item = Item(calendar, href, '"1"', body, Provenance.REPORT)
    uid = uid or href.removesuffix(".ics")
    return Change(op=Op.ADD, calendar=calendar, href=href, item=item, etag=item.etag, uid=uid)


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests have called a secret, a letter perhaps, would be masked here."""
    monkeypatch.setattr(secret, "_revealed", set())


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A verb sets the logging of its whole process."""
    loggers = [logging.getLogger(), logging.getLogger("caldav_run")]
    before = [(each, each.handlers[:], each.level, each.propagate) for each in loggers]
    yield
    logging.captureWarnings(capture=False)
    for each, handlers, level, propagate in before:
        each.handlers[:] = handlers
        each.setLevel(level)
        each.propagate = propagate


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a pipeline, and an environment that leads nowhere else."""
    monkeypatch.chdir(tmp_path)
    for name in ("CALDAV_RUN_IDENTITY", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "CALDAV_RUN_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CALDAV_RUN_CONFIG_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("CALDAV_RUN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "nightly.yaml").write_text(PIPELINE)
    return tmp_path


@pytest.fixture
def call(here: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the program with arguments, as from the current folder."""

    def call(*arguments: str) -> Called:
        assert Path.cwd() == here
        capsys.readouterr()
        status = main.guarded(lambda: main.run(arguments))
        printed = capsys.readouterr()
        return Called(status, printed.out, printed.err)

    return call


@pytest.fixture
def vault(here: Path) -> Vault:
    """A repository with two snapshots: lunch moves, a concert goes, a calendar gets a name."""
    vault = Vault(here)
    vault.run(
        calendar_row("family"),
        row("lunch.ics", event("lunch", "Lunch")),
        row("concert.ics", event("concert", "Concert")),
    )
    vault.run(
        calendar_row("family", display_name="Familie", color="#ff0000", read_only=True),
        row("lunch.ics", event("lunch", "Lunch", hour=12)),
        Change(op=Op.GONE, calendar="family", href="concert.ics"),
    )
    return vault
