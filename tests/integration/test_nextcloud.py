"""A Nextcloud in a container, read and restored through the command line alone."""

import http.client
import json
import os
import secrets
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from lxml import etree
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from caldav_run.ical.canonical import Level, equal

IMAGE = "nextcloud:32-apache"
START_TIMEOUT_S = 180
COMMAND_TIMEOUT_S = 120
OCS = {"OCS-APIRequest": "true", "Content-Type": "application/x-www-form-urlencoded"}
CALENDAR_DATA = "{urn:ietf:params:xml:ns:caldav}calendar-data"

pytestmark = [pytest.mark.container, pytest.mark.timeout(START_TIMEOUT_S + 240)]


def event(uid: str, *lines: str, end: str = "\r\n") -> bytes:
    """One event in a calendar object, with the given lines besides what is required."""
    return end.join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//caldav-run//tests//EN",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20250101T000000Z",
            *lines,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    ).encode()


WORK: Mapping[str, bytes] = {
    "lunch.ics": event("lunch", "DTSTART:20250110T120000Z", "SUMMARY:Lunch"),
    "line-feeds.ics": event("line-feeds", "DTSTART:20250111T120000Z", "SUMMARY:LF", end="\n"),
    "täglich + 50%.ics": event(
        "daily/1",
        "DTSTART;TZID=Europe/Berlin:20250301T090000",
        "DURATION:P1W",
        "RRULE:FREQ=DAILY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20250302T090000",
        "SUMMARY:Täglich 🍰  ",
        "X-NOTE;X-SHAPE=round:kept\\, as it is",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:daily/1",
        "DTSTAMP:20250101T000000Z",
        "RECURRENCE-ID;TZID=Europe/Berlin:20250303T090000",
        "DTSTART;TZID=Europe/Berlin:20250303T113000",
        "SUMMARY:Moved",
    ),
    "folded.ics": event(
        "folded",
        "DTSTART;VALUE=DATE:20250401",
        "DESCRIPTION:a line that is folded",
        "  in odd",
        "\tplaces",
        "LOCATION:" + "and one that is not " * 12,
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "DESCRIPTION:soon",
        "END:VALARM",
    ),
    "task.ics": event("task").replace(b"VEVENT", b"VTODO"),
}
MEETINGS: Mapping[str, bytes] = {
    "board.ics": event(
        "board",
        "DTSTART:20250115T100000Z",
        "SUMMARY:Board",
        "ORGANIZER:mailto:alice@example.org",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:carol@example.org",
    )
}


@dataclass(frozen=True, slots=True)
class User:
    """One account of the server, reached by plain HTTP and by the command line."""

    port: int
    name: str
    password: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def exchange(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Send one request and give back the body of a good answer."""
        credentials = b64encode(f"{self.name}:{self.password}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                method, target, body, {"Authorization": f"Basic {credentials}", **headers}
            )
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, f"{method} {target}: {answer.status} {content!r}"
        return content

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Send one request below the user's calendar home."""
        target = f"/remote.php/dav/calendars/{self.name}/{quote(path)}"
        return self.exchange(method, target, body, headers)

    def make_calendar(self, name: str, display_name: str) -> None:
        body = (
            '<c:mkcalendar xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:">'
            f"<d:set><d:prop><d:displayname>{display_name}</d:displayname></d:prop></d:set>"
            "</c:mkcalendar>"
        )
        self.request("MKCALENDAR", f"{name}/", body.encode(), {"Content-Type": "application/xml"})

    def put(self, path: str, body: bytes) -> None:
        self.request("PUT", path, body, {"Content-Type": "text/calendar; charset=utf-8"})

    def delete(self, path: str) -> None:
        self.request("DELETE", path, b"", {})

    def report(self, calendar: str) -> dict[str, bytes]:
        """Return the calendar data of every member, by the last part of its href as spelt."""
        body = (
            b'<c:calendar-query xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:">'
            b"<d:prop><c:calendar-data/></d:prop>"
            b'<c:filter><c:comp-filter name="VCALENDAR"/></c:filter></c:calendar-query>'
        )
        headers = {"Content-Type": "application/xml", "Depth": "1"}
        answer = etree.fromstring(self.request("REPORT", f"{calendar}/", body, headers))
        return {
            response.findtext("{DAV:}href", "").rsplit("/", 1)[1]: response.findtext(
                f".//{CALENDAR_DATA}", ""
            ).encode()
            for response in answer.iterfind("{DAV:}response")
        }


@dataclass(frozen=True, slots=True)
class Nextcloud:
    """The server, and the account that may make others."""

    port: int
    admin_password: str

    def new_user(self, name: str) -> User:
        """Make an account with an app password: a login password costs 0.4 s on every request."""
        password = secrets.token_urlsafe(24)
        admin = User(self.port, "admin", self.admin_password)
        form = urlencode({"userid": name, "password": password}).encode()
        admin.exchange("POST", "/ocs/v2.php/cloud/users?format=json", form, OCS)
        answer = User(self.port, name, password).exchange(
            "GET", "/ocs/v2.php/core/getapppassword?format=json", b"", OCS
        )
        return User(self.port, name, json.loads(answer)["ocs"]["data"]["apppassword"])


def require_image() -> None:
    """Skip where no container engine answers or the image is neither here nor to be had."""
    # In a process of its own: the SDK leaves a socket open where nobody answers.
    knock = subprocess.run(
        [sys.executable, "-c", "import docker; docker.from_env().ping()"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )
    if knock.returncode:
        pytest.skip(f"no container engine answers: {knock.stderr.splitlines()[-1]}")
    client = docker.from_env()
    try:
        client.images.get(IMAGE)
    except ImageNotFound:
        try:
            client.images.pull(IMAGE)
        except DockerException as error:
            pytest.skip(f"the image {IMAGE} is not here and cannot be pulled: {error}")
    finally:
        client.close()


@pytest.fixture(scope="module")
def nextcloud() -> Iterator[Nextcloud]:
    require_image()
    # The clean-up container is one more image to pull, and the block below cleans up.
    testcontainers_config.ryuk_disabled = True
    admin_password = secrets.token_urlsafe(24)
    installed = LogMessageWaitStrategy("resuming normal operations")
    container = (
        DockerContainer(IMAGE)
        .with_exposed_ports(80)
        .with_env("SQLITE_DATABASE", "nextcloud")
        .with_env("NEXTCLOUD_ADMIN_USER", "admin")
        .with_env("NEXTCLOUD_ADMIN_PASSWORD", admin_password)
        .with_env("NEXTCLOUD_TRUSTED_DOMAINS", "127.0.0.1")
        .waiting_for(installed.with_startup_timeout(START_TIMEOUT_S))
    )
    try:
        with container:
            yield Nextcloud(int(container.get_exposed_port(80)), admin_password)
    finally:
        container.get_docker_client().client.close()


@pytest.fixture(scope="module")
def alice(nextcloud: Nextcloud) -> User:
    """The account that is backed up."""
    user = nextcloud.new_user("alice")
    for calendar, display_name, items in (
        ("work", "Work &amp; more", WORK),
        ("meetings", "Meetings", MEETINGS),
    ):
        user.make_calendar(calendar, display_name)
        for name, body in items.items():
            user.put(f"{calendar}/{name}", body)
    return user


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder with pipelines, and a home of its own for keys and caches."""

    folder: Path

    def pipeline(self, name: str, content: Mapping[str, object]) -> Path:
        """Write a pipeline; JSON is YAML."""
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps({"version": 1, "name": name, **content}), encoding="utf-8")
        return path

    def run(self, *arguments: str | Path, password: str = "", status: int = 0) -> str:
        """Run one command to its end and return what it printed."""
        outcome = subprocess.run(
            [sys.executable, "-m", "caldav_run", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "APP_PASSWORD": password},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        text = outcome.stdout + outcome.stderr
        assert outcome.returncode == status, text
        assert not password or password not in text
        return text


def caldav(user: User) -> dict[str, object]:
    """The options of a source or sink for this account."""
    return {
        "type": "caldav",
        "url": user.url,
        "username": user.name,
        "password": {"env": "APP_PASSWORD"},
    }


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def back_up(workplace: Workplace, user: User) -> Path:
    """Make a repository with a first snapshot of the account."""
    pipeline = workplace.pipeline(
        "backup",
        {
            "sources": {"cloud": caldav(user)},
            "sinks": {"vault": {"type": "snapshot", "repository": "vault"}},
        },
    )
    workplace.run("create", pipeline, "--yes")
    workplace.run("run", pipeline, password=user.password)
    return pipeline


def exported(workplace: Workplace, pipeline: Path, folder: str) -> dict[str, dict[str, bytes]]:
    """Export the newest snapshot; return calendar → href → bytes."""
    workplace.run("export", pipeline, "--to", folder)
    found: dict[str, dict[str, bytes]] = {}
    for path in (workplace.folder / folder).rglob(".calendar.json"):
        index = json.loads(path.read_text(encoding="utf-8"))
        found[index["id"]] = {
            item["href"]: path.with_name(item["name"]).read_bytes() for item in index["items"]
        }
    return found


def by_uid(items: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the bodies by UID: a restore gives hrefs that some servers refuse a plainer name."""
    return {body.split(b"UID:")[1].splitlines()[0].decode(): body for body in items.values()}


def restore(workplace: Workplace, user: User, calendars: list[str], status: int = 0) -> str:
    """Restore calendars of the newest snapshot into another account."""
    pipeline = workplace.pipeline(
        "restore",
        {
            "sources": {
                "vault": {
                    "type": "snapshot",
                    "repository": "vault",
                    "account": "cloud",
                    "calendars": calendars,
                }
            },
            "sinks": {"other": caldav(user)},
        },
    )
    return workplace.run("run", pipeline, password=user.password, status=status)


def test_a_backup_holds_the_very_bytes_that_the_server_gave(
    workplace: Workplace, alice: User
) -> None:
    pipeline = back_up(workplace, alice)
    found = exported(workplace, pipeline, "out")
    assert found["work"] == alice.report("work")
    assert found["meetings"] == alice.report("meetings")


def test_an_incremental_backup_follows_what_changed(
    workplace: Workplace, nextcloud: Nextcloud
) -> None:
    dora = nextcloud.new_user("dora")
    dora.make_calendar("work", "Work")
    for name in ("stays.ics", "changes.ics", "goes.ics"):
        dora.put(f"work/{name}", event(name, "DTSTART:20250110T120000Z", "SUMMARY:Before"))
    pipeline = back_up(workplace, dora)
    dora.put("work/changes.ics", event("changes.ics", "DTSTART:20250110T120000Z", "SUMMARY:After"))
    dora.put("work/comes.ics", event("comes", "DTSTART:20250111T120000Z"))
    dora.delete("work/goes.ics")
    workplace.run("run", pipeline, password=dora.password)
    assert exported(workplace, pipeline, "out")["work"] == dora.report("work")


def test_a_restore_into_another_account_is_equal_as_trees(
    workplace: Workplace, alice: User, nextcloud: Nextcloud
) -> None:
    bob = nextcloud.new_user("bob")
    back_up(workplace, alice)
    restore(workplace, bob, ["work"])
    before, after = by_uid(alice.report("work")), by_uid(bob.report("work"))
    assert before.keys() == after.keys()
    for uid, body in before.items():
        assert equal(body, after[uid], Level.L2), uid


def test_a_restore_refuses_what_the_server_would_mail_to_attendees(
    workplace: Workplace, alice: User, nextcloud: Nextcloud
) -> None:
    carol = nextcloud.new_user("carol")
    back_up(workplace, alice)
    told = restore(workplace, carol, ["meetings"], status=3)
    assert "board" in told.casefold()
    assert carol.report("meetings") == {}
