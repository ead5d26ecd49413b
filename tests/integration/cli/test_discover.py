"""`discover` on a real server."""

import json

from tests.integration.cli.conftest import Desk


def test_the_account_of_a_pipeline_is_shown(desk: Desk) -> None:
    done = desk.run("discover", "quickstart.yaml", "--output", "json")
    assert done.status == 0, done
    told = json.loads(done.out)
    assert told["profile"]["name"] == "radicale"
    (home,) = told["homes"]
    assert {each["items"] for each in home["calendars"]} == {3}
    assert all(each["sync_token"] and each["kind"] == "own" for each in home["calendars"])
    assert "sync-collection" in told["features"]["reports"]
