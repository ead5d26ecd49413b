"""What a server will not take is said before, in words; nothing else is."""

import pytest

from caldav_run.connectors.caldav_fit import Slot, doubled
from caldav_run.dav.collections import Collection
from caldav_run.dav.products import PRODUCTS
from caldav_run.dav.profiles import UNKNOWN, Profile
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Version


def item(kind: str = "VEVENT", *lines: str, uid: str = "UID:a") -> Version:
    text = ("BEGIN:VCALENDAR", *lines, f"BEGIN:{kind}", uid, f"END:{kind}", "END:VCALENDAR", "")
    return version("\r\n".join(text).encode(), "a.ics", None)


def slot(profile: str, *components: str, largest: int | None = None) -> Slot:
    calendar = Calendar(id="w", components=components)
    found: Profile = PRODUCTS[profile]() if profile else UNKNOWN
    return Slot(found, calendar, Collection(calendar, "https://x/w/", largest=largest))


@pytest.mark.parametrize("profile", ["", *PRODUCTS])
def test_an_event_fits_every_server(profile: str) -> None:
    assert slot(profile, "VEVENT").unfit(item(), 1000) is None
    assert slot(profile).unfit(item(), 1000) is None


@pytest.mark.parametrize("profile", ["nextcloud", "cyrus", "fastmail", "baikal", "xandikos"])
def test_a_component_that_the_calendar_does_not_take_is_named(profile: str) -> None:
    said = slot(profile, "VEVENT").unfit(item("VTODO"), 100) or ""
    assert said == "it is a VTODO, and the calendar takes VEVENT only"
    assert slot(profile, "VEVENT", "VTODO").unfit(item("VTODO"), 100) is None


@pytest.mark.parametrize("profile", ["", "radicale", "davical", "sogo"])
def test_where_the_set_is_no_rule_the_server_decides(profile: str) -> None:
    assert slot(profile, "VEVENT").unfit(item("VTODO"), 100) is None


@pytest.mark.parametrize(
    ("profile", "kind"),
    [("sogo", "VJOURNAL"), ("nextcloud", "VFREEBUSY"), ("google", "VTODO"), ("icloud", "VJOURNAL")],
)
def test_a_component_that_the_server_has_nowhere_is_named(profile: str, kind: str) -> None:
    assert f"it is a {kind}, which" in (slot(profile, kind).unfit(item(kind), 100) or "")


def test_an_item_that_is_too_large_is_named_with_both_sizes() -> None:
    said = slot("", largest=1000).unfit(item(), 1001) or ""
    assert said == "it has 1,001 bytes, and an unknown server takes 1,000 at most"
    assert slot("", largest=1000).unfit(item(), 1000) is None


def test_what_a_server_really_takes_counts_more_than_what_it_says() -> None:
    said = slot("nextcloud", largest=10_000_000)
    assert said.unfit(item(), 10_485_760) is None
    assert "10,485,760 at most" in (said.unfit(item(), 10_485_761) or "")


@pytest.mark.parametrize("profile", ["cyrus", "radicale"])
def test_an_item_without_a_uid_is_named(profile: str) -> None:
    assert "no UID" in (slot(profile).unfit(item(uid="X-A:b"), 100) or "")
    assert slot("nextcloud").unfit(item(uid="X-A:b"), 100) is None


@pytest.mark.parametrize("profile", ["cyrus", "nextcloud"])
def test_a_message_of_scheduling_is_named(profile: str) -> None:
    assert "METHOD" in (slot(profile).unfit(item("VEVENT", "METHOD:PUBLISH"), 100) or "")
    assert slot("radicale").unfit(item("VEVENT", "METHOD:PUBLISH"), 100) is None


def test_a_calendar_that_is_not_there_yet_has_its_rules_too() -> None:
    planned = Slot(PRODUCTS["nextcloud"](), Calendar(id="w", components=("VEVENT",)), None)
    assert planned.unfit(item("VTODO"), 100) is not None


def test_a_doubled_uid_is_named_with_where_it_is() -> None:
    assert doubled("Cyrus", None, None) is None
    assert "b.ics has its UID already" in (doubled("Cyrus", "b.ics", "Work") or "")
    assert 'calendar "Work" has its UID' in (doubled("Cyrus", None, "Work") or "")
