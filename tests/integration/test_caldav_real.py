"""The caldav source and sink against real servers."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.mirroring import Order
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.errors import AccessError, CalendarError, ItemError
from caldav_run.ical.canonical import Level, equal
from caldav_run.ical.version import version
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    Changed,
    Item,
    Provenance,
    Unchanged,
)
from caldav_run.secret import Secret
from caldav_run.testing.contracts.mirrors import put
from caldav_run.testing.contracts.sources import Held
from caldav_run.testing.servers import Server


def event(uid: str, summary: str = "Lunch", *more: str) -> bytes:
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT"),
        *(f"UID:{uid}", "DTSTAMP:20260101T000000Z", "DTSTART:20260501T120000Z"),
        *("DTEND:20260501T130000Z", f"SUMMARY:{summary}", *more, "END:VEVENT"),
        *("END:VCALENDAR", ""),
    ]
    return "\r\n".join(lines).encode()


@pytest.fixture(params=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def items(source: CaldavSource) -> dict[str, Item]:
    return {
        each.item.href: each.item for each in source.read(Nothing()) if isinstance(each, Changed)
    }


def test_every_item_of_a_calendar_is_read(server: Server, context: Context) -> None:
    server.send("MKCALENDAR", "work/")
    for number in range(3):
        server.put(f"work/{number}.ics", event(f"u{number}", "Frühstück 🍰"))
    source = CaldavSource.from_options({**server.options, "calendars": ["work"]}, context)
    found = items(source)
    source.close()
    assert sorted(found) == ["0.ics", "1.ics", "2.ics"]
    assert equal(found["1.ics"].body, event("u1", "Frühstück 🍰"), Level.L2)
    assert found["1.ics"].provenance is Provenance.REPORT
    assert found["1.ics"].etag


def test_what_the_baseline_holds_is_not_read_again(server: Server, context: Context) -> None:
    server.send("MKCALENDAR", "work/")
    server.put("work/a.ics", event("a"))
    server.put("work/b.ics", event("b"))
    source = CaldavSource.from_options({**server.options, "calendars": ["work"]}, context)
    before = Held(items(source).values())
    server.put("work/b.ics", event("b", "Dinner"))
    after = list(source.read(before))
    source.close()
    assert Unchanged("work", "a.ics") in after
    changed = [each.item.href for each in after if isinstance(each, Changed)]
    assert changed == ["b.ics"]


def test_an_excluded_calendar_is_named_and_not_read(server: Server, context: Context) -> None:
    server.send("MKCALENDAR", "work/")
    server.put("work/a.ics", event("a"))
    source = CaldavSource.from_options(
        {**server.options, "calendars": {"exclude": ["work"]}}, context
    )
    readings = list(source.read(Nothing()))
    source.close()
    assert any(isinstance(each, CalendarExcluded) for each in readings)
    assert not any(isinstance(each, Changed) for each in readings)


def test_a_calendar_starts_and_ends(server: Server, context: Context) -> None:
    server.send("MKCALENDAR", "empty/")
    source = CaldavSource.from_options({**server.options, "calendars": ["empty"]}, context)
    start, end = [each for each in source.read(Nothing()) if not isinstance(each, CalendarExcluded)]
    source.close()
    assert isinstance(start, CalendarStart)
    assert start.calendar.id == "empty"
    assert "VEVENT" in start.calendar.components
    assert not start.calendar.read_only
    assert start.calendar.token
    assert isinstance(end, CalendarDone)
    assert end.mark is not None
    assert end.mark.token == start.calendar.token


@pytest.mark.parametrize(
    "name",
    ["a b.ics", "plus+and@at.ics", "ümlaut-🍰.ics", "100%.ics", "tilde~1.ics", "amp&lt<.ics"],
)
def test_odd_names_are_read_and_written_over(server: Server, context: Context, name: str) -> None:
    server.send("MKCALENDAR", "odd/")
    server.put(f"odd/{quote(name)}", event("odd"))
    sink = CaldavSink.from_options(server.options, context)
    target = sink.target("vault", Calendar(id="odd"))
    (present,) = sink.present(target)
    put(sink, target, version(b"", present.href, None), event("odd", "Dinner"), present)
    (after,) = sink.present(target)
    sink.close()
    assert after.href == present.href
    assert after.digest == version(event("odd", "Dinner"), "", None).digest


def test_the_account_is_found_from_host_principal_home_and_calendar(
    server: Server, context: Context
) -> None:
    server.send("MKCALENDAR", "work/")
    root = server.url.rstrip("/")
    urls = [root, root.removeprefix("http://"), f"{root}/{server.home.split('/')[1]}/"]
    urls += [root + server.home, f"{root}{server.home}work", f"{root}/.well-known/caldav"]
    found: list[tuple[str, list[str]]] = []
    for url in urls:
        source = CaldavSource.from_options({**server.options, "url": url}, context)
        ids = [
            each.calendar.id for each in source.read(Nothing()) if isinstance(each, CalendarStart)
        ]
        found.append((url, ids))
        source.close()
    assert [url for url, ids in found if "work" not in ids] == []


FAMILY = Calendar(
    id="family",
    display_name="Family & <friends>",
    color="#ff8800ff",
    order=7,
    description="Everything that\nconcerns us",
    timezone=(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\nBEGIN:VTIMEZONE\nTZID:Europe/Oslo\n"
        "BEGIN:STANDARD\nDTSTART:19701025T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n"
        "END:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR"
    ),
    components=("VEVENT", "VTODO"),
)


def test_a_missing_calendar_is_created_with_its_properties(
    server: Server, context: Context
) -> None:
    sink = CaldavSink.from_options(server.options, context)
    target = sink.target("vault", FAMILY)
    sink.create(target)
    again = CaldavSink.from_options(server.options, context)
    made = again.target("vault", FAMILY)
    sink.close()
    again.close()
    assert not target.exists
    assert made.exists
    assert made.calendar.display_name == FAMILY.display_name
    assert made.calendar.color == FAMILY.color
    assert made.calendar.order == FAMILY.order
    assert made.calendar.description == FAMILY.description
    assert made.calendar.components == FAMILY.components
    assert (made.calendar.timezone or "").replace("\r\n", "\n").strip() == FAMILY.timezone


def test_a_restored_item_reads_back_equal(server: Server, context: Context) -> None:
    body = event("u1", "Frühstück", "CATEGORIES:a,b", "RRULE:FREQ=DAILY;COUNT=3")
    sink = CaldavSink.from_options(server.options, context)
    target = sink.target("vault", FAMILY)
    sink.create(target)
    put(sink, target, version(body, "u1.ics", None), body, None)
    sink.close()
    source = CaldavSource.from_options({**server.options, "calendars": ["family"]}, context)
    found = items(source)
    source.close()
    assert list(found) == ["u1.ics"]
    assert equal(found["u1.ics"].body, body, Level.L2)


def test_a_new_item_never_overwrites_one_of_the_same_name(server: Server, context: Context) -> None:
    server.send("MKCALENDAR", "work/")
    server.put("work/a.ics", event("there"))
    sink = CaldavSink.from_options(server.options, context)
    target = sink.target("vault", Calendar(id="work"))
    sink.present(target)
    put(sink, target, version(event("new"), "a.ics", None), event("new"), None)
    uids = {each.uid for each in sink.present(target)}
    sink.close()
    assert uids == {"there", "new"}


@pytest.mark.parametrize(
    ("policy", "people"),
    [
        ("quiet", ["ATTENDEE:mailto:b@example.org", "ORGANIZER:mailto:a@example.org"]),
        (
            "rewrite",
            [
                "ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:b@example.org",
                "ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:a@example.org",
            ],
        ),
        ("strip", []),
    ],
)
def test_people_are_written_as_the_policy_says_and_what_is_meant_comes_back(
    server: Server, context: Context, policy: str, people: list[str]
) -> None:
    sink = CaldavSink.from_options({**server.options, "scheduling": policy}, context)
    target = sink.target("s", Calendar(id="work", components=("VEVENT",)))
    sink.create(target)
    meeting = event("a", "Lunch", "ORGANIZER:mailto:a@example.org", "ATTENDEE:mailto:b@example.org")
    wanted = version(meeting, "a.ics", None)
    order = Order(wanted, None, lambda: meeting)
    (outcome,) = sink.apply(target, [order])
    assert outcome.error is None
    (held,) = sink.reread(target, [outcome.href or ""])
    sink.close()
    lines = (held.body or b"").decode().splitlines()
    assert sorted(line for line in lines if "mailto" in line) == people
    assert equal(sink.meant(order), held.body or b"", Level.L2) is (policy != "rewrite")
    assert bool(outcome.notes) is (policy != "quiet")


@pytest.mark.parametrize(("policy", "edited"), [("rewrite", False), ("strip", True)])
def test_what_was_there_before_comes_back_with_its_bytes_or_says_that_it_does_not(
    radicale: Server, context: Context, policy: str, *, edited: bool
) -> None:
    sink = CaldavSink.from_options({**radicale.options, "scheduling": policy}, context)
    target = sink.target("s", Calendar(id="work", components=("VEVENT",)))
    sink.create(target)
    meeting = event("a", "Lunch", "ORGANIZER:mailto:a@example.org", "ATTENDEE:mailto:b@example.org")
    order = Order(version(meeting, "a.ics", None), None, lambda: meeting, gives_back=True)
    (outcome,) = sink.apply(target, [order])
    (held,) = sink.reread(target, [outcome.href or ""])
    sink.close()
    assert bool(outcome.notes) is edited
    assert equal(meeting, held.body or b"", Level.L2) is not edited


def test_an_item_that_changed_meanwhile_is_left_alone(server: Server, context: Context) -> None:
    server.send("MKCALENDAR", "work/")
    server.put("work/a.ics", event("a"))
    sink = CaldavSink.from_options(server.options, context)
    target = sink.target("vault", Calendar(id="work"))
    (seen,) = sink.present(target)
    server.put("work/a.ics", event("a", "Changed by hand"))
    with pytest.raises(ItemError, match="changed meanwhile"):
        put(sink, target, seen, event("a", "From the backup"), seen)
    (after,) = sink.present(target)
    sink.close()
    assert after.digest == version(event("a", "Changed by hand"), "", None).digest


def test_a_refused_item_is_told_with_the_servers_words(radicale: Server, context: Context) -> None:
    radicale.send("MKCALENDAR", "work/")
    sink = CaldavSink.from_options(radicale.options, context)
    target = sink.target("vault", Calendar(id="work"))
    sink.present(target)
    with pytest.raises(ItemError, match="400 Bad Request"):
        put(sink, target, version(b"nonsense", "a.ics", None), b"nonsense", None)
    sink.close()


def test_a_renamed_calendar_is_created_once_and_found_again(
    server: Server, context: Context
) -> None:
    options = {**server.options, "rename": {"Work": "Büro"}}
    source = Calendar(id="w", display_name="Work")
    sink = CaldavSink.from_options(options, context)
    target = sink.target("vault", source)
    sink.create(target)
    assert sink.target("vault", source).exists
    sink.close()
    again = CaldavSink.from_options(options, context)
    found = again.target("vault", source)
    again.close()
    assert found.exists
    assert found.mapped
    assert found.calendar.display_name == "Büro"


def test_calendars_of_one_name_come_back_as_two(server: Server, context: Context) -> None:
    both = [Calendar(id=each, display_name="Twin") for each in ("twin-1", "Twin 2")]
    for made in (False, True):
        sink = CaldavSink.from_options(server.options, context)
        for each in both:
            target = sink.target("vault", each, both)
            assert target.exists == made
            if not made:
                sink.create(target)
            body = event(each.id, each.id)
            present = next(iter(sink.present(target)), None)
            put(sink, target, version(body, "same.ics", None), body, present)
        sink.close()
    source = CaldavSource.from_options({**server.options, "calendars": ["Twin"]}, context)
    items = [each.item for each in source.read(Nothing()) if isinstance(each, Changed)]
    source.close()
    assert len({each.calendar for each in items}) == len(items) == 2
    uids = sorted(version(each.body, "", None).uid for each in items)
    assert uids == sorted(each.id for each in both)


def test_a_calendar_for_other_components_is_not_used(radicale: Server, context: Context) -> None:
    sink = CaldavSink.from_options(radicale.options, context)
    tasks = Calendar(id="tasks", components=("VTODO",))
    sink.create(sink.target("vault", tasks))
    with pytest.raises(CalendarError, match="takes VTODO only"):
        sink.target("vault", Calendar(id="tasks", components=("VEVENT",)))
    sink.close()


def test_a_wrong_password_is_an_access_error(radicale: Server, context: Context) -> None:
    options = {**radicale.options, "password": Secret.of("wrong")}
    source = CaldavSource.from_options(options, context)
    with pytest.raises(AccessError, match="refuses the password") as caught:
        source.origin()
    source.close()
    assert caught.value.exit_status == 77


def test_a_missing_login_is_an_access_error(radicale: Server, context: Context) -> None:
    source = CaldavSource.from_options({"url": radicale.url}, context)
    with pytest.raises(AccessError):
        source.origin()
    source.close()


def test_no_password_is_dumped_whatever_the_environment_asks_for(
    radicale: Server, tmp_path: Path
) -> None:
    radicale.send("MKCALENDAR", "work/")
    radicale.put("work/a.ics", event("a"))
    script = (
        "import os; from caldav_run.dav import discovery; from caldav_run.dav.settings import *\n"
        "from caldav_run.secret import Secret\n"
        "settings = Settings(url=os.environ['URL'], username=os.environ['USER'],"
        " password=Secret.of(os.environ['WORD']))\n"
        "print(len(list(discovery.find(settings).collections())))"
    )
    environment = {
        **os.environ,
        "PYTHON_CALDAV_COMMDUMP": "1",
        "TMPDIR": str(tmp_path),
        "URL": radicale.url,
        "USER": radicale.username,
        "WORD": radicale.password,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "1"
    assert radicale.password not in done.stderr
    assert list(tmp_path.iterdir()) == []
