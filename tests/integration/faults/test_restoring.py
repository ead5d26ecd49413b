"""What could not be read is named by every command, and comes back with its age."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.cli.conftest import Desk
from tests.integration.faults.catalogue import answers
from tests.integration.faults.places import Place, Strikes
from tests.integration.faults.stage import Stage

from caldav_run.testing.contracts.bodies import event

SINCE = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d")


@pytest.fixture
def desk(own: Stage, tmp_path: Path) -> Desk:
    """A desk whose account has changed since a healthy backup, and has a fault since then."""
    account = own.account
    made = Desk(tmp_path, replace(account.server, url=account.proxy.url))
    made.create()
    made.back_up()
    account.server.put("work/a.ics", event("a", "Supper"))
    account.server.put("home/x.ics", event("x", "Supper"))
    return made


@pytest.mark.parametrize(
    ("place", "unread"),
    [(Place.ITEM, ["work/a.ics"]), (Place.LISTING, ["work/b.ics"])],
)
def test_what_was_not_read_comes_back_with_its_age(
    own: Stage, desk: Desk, place: Place, unread: list[str]
) -> None:
    own.account.fault = Strikes(place, answers(403))
    done = desk.run("quickstart.yaml")
    assert done.status == 3
    assert "/work" in done.err
    assert "done in part" in done.out
    listed = desk.run("show", "quickstart.yaml", "--items").out.splitlines()
    for name in unread:
        (line,) = (each for each in listed if each.startswith(name))
        assert re.search(rf"\(last read {SINCE.pattern}", line)
        shown = desk.run("cat", "quickstart.yaml", name)
        assert re.search(rf"could not be read since {SINCE.pattern}", shown.err)
        assert "Supper" not in shown.out
    (line,) = (each for each in listed if each.startswith("home/x.ics"))
    assert "last read" not in line
    assert "Supper" in desk.run("cat", "quickstart.yaml", "home/x.ics").out
    desk.run("export", "quickstart.yaml", "--to", "out")
    assert len(list((desk.folder / "out").rglob("*.ics"))) == 7
    own.account.heal()
    desk.back_up()
    assert "last read" not in desk.run("show", "quickstart.yaml", "--items").out
