"""What `discover` shows of an account, and what it never shows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from caldav_run.pipeline.check import check_text
from caldav_run.testing.scripted import (
    Answer,
    Asked,
    ScriptedServer,
    multistatus,
    response,
    scripted_server,
)

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

PASSWORD = "wörd-of-alice"
CALENDAR = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
OWNED = "<d:owner><d:href>/p/{}/</d:href></d:owner>"
PRINCIPAL = "<d:current-user-principal><d:href>/p/alice/</d:href></d:current-user-principal>"
APPLE = 'xmlns:x="http://calendarserver.org/ns/"'
LINK = (
    f"<d:resourcetype><d:collection/><x:subscribed {APPLE}/></d:resourcetype>"
    f"<x:source {APPLE}><d:href>https://feeds.example/a.ics?key=sesame</d:href></x:source>"
)
FOR = f"<x:calendar-proxy-write-for {APPLE}><d:href>/p/carol/</d:href></x:calendar-proxy-write-for>"
REPORTS = (
    "<d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report>"
    "</d:supported-report></d:supported-report-set>"
)


def home(path: str) -> str:
    return f"<c:calendar-home-set><d:href>{path}</d:href></c:calendar-home-set>"


BROKEN = "<d:response><d:href>/home/odd/</d:href><d:status>HTTP/1.1 500 No</d:status></d:response>"
PAGES = {
    "/": multistatus(response("/", PRINCIPAL)),
    "/p/alice/": multistatus(response("/p/alice/", home("/home/") + FOR)),
    "/p/carol/": multistatus(response("/p/carol/", home("/carols/"))),
    "/home/*": multistatus(
        response("/home/"),
        response(
            "/home/work/",
            f'{CALENDAR}{OWNED.format("alice")}<d:displayname>Work: "a"\n- b</d:displayname>'
            "<d:sync-token>t1</d:sync-token>",
        ),
        response("/home/team/", CALENDAR + OWNED.format("bob")),
        response("/home/feed/", LINK),
    ),
    "/home/work/*": multistatus(
        response("/home/work/"), response("/home/work/a.ics"), response("/home/work/b.ics")
    ),
    "/home/work/": multistatus(response("/home/work/", REPORTS)),
    "/home/team/*": multistatus(response("/home/team/")),
    "/carols/*": multistatus(response("/carols/"), response("/carols/hers/", CALENDAR)),
    "/carols/hers/*": multistatus(response("/carols/hers/")),
}


def account(asked: Asked) -> Answer:
    if asked.method == "OPTIONS":
        return Answer(200, b"", {"DAV": "1, 3, calendar-access", "Server": "Toy/1"})
    if asked.method == "REPORT":
        return Answer(403)
    members = "*" if asked.headers.get("depth") == "1" else ""
    return PAGES.get(asked.path + members, Answer(404))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("WORD", PASSWORD)
    with scripted_server(account) as running:
        yield running


def arguments(server: ScriptedServer) -> tuple[str, ...]:
    return ("discover", "--url", server.url, "--username", "alice", "--password-env", "WORD")


def told(call: "Call", server: ScriptedServer) -> dict[str, Any]:
    done = call(*arguments(server), "--output", "json")
    assert done.status == 0, done
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_calendars_are_listed_with_their_kind_and_how_many_items_they_hold(
    call: "Call", server: ScriptedServer
) -> None:
    own, delegated = told(call, server)["homes"]
    shown = [(each["id"], each["kind"], each["owner"], each["items"]) for each in own["calendars"]]
    assert shown == [
        ("work", "own", "alice", 2),
        ("team", "shared", "bob", 0),
        ("feed", "subscribed", None, None),
    ]
    assert delegated["delegated"] is True
    assert [each["kind"] for each in delegated["calendars"]] == ["delegated"]


def test_the_way_to_the_account_and_what_the_server_can_do_are_told(
    call: "Call", server: ScriptedServer
) -> None:
    found = told(call, server)
    ways = [(each["url"].removeprefix(server.url), each["status"]) for each in found["found_by"]]
    assert ways == [(".well-known/caldav", 404), ("", 207), ("p/alice/", 207)]
    assert found["principal"] == f"{server.url}p/alice/"
    assert "Toy/1" in found["features"].pop("software")
    assert found["features"] == {
        "classes": ["1", "3", "calendar-access"],
        "reports": ["sync-collection"],
    }
    assert found["profile"]["name"] == "standard"
    assert found["requests"] == len(server.asked)


def test_what_a_probe_has_shown_is_remembered_for_runs(
    call: "Call", server: ScriptedServer, here: Path
) -> None:
    told(call, server)
    (file,) = (here / "state" / "accounts").iterdir()
    assert json.loads(file.read_text())["sync"] == "trusted"


def test_a_person_reads_it_as_tables_without_secrets(call: "Call", server: ScriptedServer) -> None:
    done = call(*arguments(server))
    assert done.status == 0, done
    assert 'work  Work: "a" - b  own         alice  2' in done.out
    assert "feed: only a link to a calendar at feeds.example" in done.out
    assert f"delegated home  {server.url}carols/" in done.out
    assert PASSWORD not in done.out + done.err
    assert "sesame" not in done.out + done.err


def test_the_yaml_is_a_source_of_a_valid_pipeline(call: "Call", server: ScriptedServer) -> None:
    done = call(*arguments(server), "--yaml")
    assert done.status == 0, done
    text = f"version: 1\nname: x\n{done.out}sinks:\n  out: {{type: ics, path: out}}\n"
    assert not check_text(text, "x", sets={}, environ={}, strict_env=False).problems
    assert yaml.safe_load(done.out)["sources"]["cloud"] == {
        "type": "caldav",
        "url": server.url,
        "username": "alice",
        "password": {"env": "WORD"},
    }
    assert '    #   - "Work: \\"a\\"\\n- b"' in done.out


def test_the_chosen_calendars_may_be_taken_out_of_the_comment(
    call: "Call", server: ScriptedServer
) -> None:
    done = call(*arguments(server), "--yaml")
    text = done.out.replace("    # calendars", "    calendars").replace("    #   -", "      -")
    assert yaml.safe_load(text)["sources"]["cloud"]["calendars"] == ['Work: "a"\n- b', "team"]


def test_a_source_of_a_pipeline_is_looked_at_with_its_own_options(
    call: "Call", server: ScriptedServer, here: Path
) -> None:
    (here / "p.yaml").write_text(
        "version: 1\nname: p\nsources:\n"
        f"  a: {{type: caldav, url: {server.url}, username: alice, password: {{env: WORD}}}}\n"
        f"  b: {{type: caldav, url: {server.url}none/}}\nsinks: {{o: {{type: ics, path: o}}}}\n"
    )
    done = call("discover", "p.yaml", "a", "--output", "json")
    assert json.loads(done.out)["username"] == "alice"
    done = call("discover", "p.yaml")
    assert done.status == 2
    assert "which account of p.yaml?" in done.err
    assert "choose: " in done.err


def test_the_yaml_of_a_pipelines_source_keeps_its_options_and_no_secret(
    call: "Call", server: ScriptedServer, here: Path
) -> None:
    (here / "p.yaml").write_text(
        f"version: 1\nname: p\nsources:\n  a: {{type: caldav, url: {server.url}, username: alice,"
        " password: {env: WORD}, timeout: 7, calendars: [work]}\n"
        "sinks: {o: {type: ics, path: o}}\n"
    )
    done = call("discover", "p.yaml", "--yaml")
    assert yaml.safe_load(done.out)["sources"]["cloud"] == {
        "type": "caldav",
        "url": server.url,
        "username": "alice",
        "password": {"env": "CALDAV_PASSWORD"},
        "timeout": 7,
        "calendars": ["work"],
    }


def test_what_cannot_be_described_is_named_and_shows_in_the_exit_status(
    call: "Call", server: ScriptedServer
) -> None:
    usual = server.script
    odd = multistatus(response("/home/"), BROKEN)
    at_home = ("/home/", "1")
    server.script = lambda asked: (
        odd if (asked.path, asked.headers.get("depth")) == at_home else usual(asked)
    )
    done = call(*arguments(server))
    assert done.status == 3
    assert "! odd: the server does not describe it: 500" in done.out


def test_the_way_is_shown_as_well_where_it_leads_nowhere(
    call: "Call", server: ScriptedServer
) -> None:
    server.script = lambda _: Answer(301, b"", {"Location": "https://elsewhere.example/dav/"})
    done = call(*arguments(server))
    assert done.status == 1
    assert f"PROPFIND  {server.url}.well-known/caldav  301" in done.out
    assert "add: trust_hosts: [elsewhere.example]" in done.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((), 2, "give a pipeline file, or --url"),
        (("nightly.yaml", "--url", "x"), 2, "give a pipeline file, or --url"),
        (("nightly.yaml",), 2, "has no CalDAV account"),
        (("--url", "x.test", "--username", "a"), 78, "--password-env VARIABLE"),
        (("--url", "http://x.test/"), 78, "insecure"),
        (("--url", "http://127.0.0.1:1", "--username", "a", "--password-env", "NONE"), 78, "NONE"),
    ],
)
def test_what_is_missing_is_asked_for(
    call: "Call", words: tuple[str, ...], status: int, said: str
) -> None:
    done = call("discover", *words)
    assert done.status == status, done
    assert said in done.err


def test_refused_credentials_end_as_they_do_in_a_run(call: "Call", server: ScriptedServer) -> None:
    server.script = lambda _: Answer(401)
    assert call(*arguments(server)).status == 77


@pytest.mark.parametrize("address", ["https://example.org/dav", "http://127.0.0.1:9/"])
def test_an_address_in_the_place_of_a_pipeline_is_told_where_it_goes(
    call: "Call", address: str
) -> None:
    done = call("discover", address)
    assert done.status == 2
    assert "write --url before it" in done.err
