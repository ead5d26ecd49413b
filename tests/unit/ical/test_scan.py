from hypothesis import given
from hypothesis import strategies as st

from caldav_run.errors import ItemError
from caldav_run.ical.scan import scan
from caldav_run.ical.tree import parse
from caldav_run.model import Stamp


def calendar(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""]).encode()


def test_an_ordinary_event_is_seen_whole() -> None:
    seen = scan(
        calendar(
            "BEGIN:VEVENT",
            "UID:dentist@example.org",
            "DTSTAMP:20260402T101010Z",
            "LAST-MODIFIED:20260402T101011Z",
            "SEQUENCE:2",
            "SUMMARY:Dentist",
            "END:VEVENT",
        )
    )
    assert seen.uid == "dentist@example.org"
    assert seen.components == ("VEVENT",)
    assert not seen.recurring
    assert not seen.scheduled
    assert seen.stamp == Stamp(2, "20260402T101011Z", "20260402T101010Z")
    assert seen.summary == "Dentist"


def test_an_alarm_does_not_speak_for_its_event() -> None:
    body = calendar(
        "BEGIN:VEVENT",
        "BEGIN:VALARM",
        "UID:alarm",
        "ATTENDEE:mailto:a@example.org",
        "SUMMARY:Wake up",
        "END:VALARM",
        "UID:event",
        "END:VEVENT",
    )
    seen = scan(body)
    assert (seen.uid, seen.scheduled, seen.summary) == ("event", False, None)


def test_a_time_zone_does_not_make_an_item_recurring() -> None:
    body = calendar(
        "BEGIN:VTIMEZONE", "TZID:X", "BEGIN:STANDARD", "RRULE:FREQ=YEARLY", "END:STANDARD",
        "UID:zone", "END:VTIMEZONE", "BEGIN:VTODO", "UID:task", "END:VTODO",
    )  # fmt: skip
    seen = scan(body)
    assert (seen.uid, seen.components, seen.recurring) == ("task", ("VTODO",), False)


def test_text_that_looks_like_a_component_does_not_fool_it() -> None:
    body = calendar(
        "BEGIN:VEVENT", "DESCRIPTION:x\\nBEGIN:VEVENT\\nUID:no", " BEGIN:VTODO", "\tUID:no",
        "ATTACH;ENCODING=BASE64:QkVHSU46VkVWRU5U", " RUlEOm5v", "UID:yes", "END:VEVENT",
    )  # fmt: skip
    assert scan(body).uid == "yes"
    assert scan(body).components == ("VEVENT",)


def test_names_are_read_in_any_case_and_folded_anywhere() -> None:
    body = b'begin:vcalendar\nBegin:vEvent\nu\n id;x="a:b":1\n\t2\nrRule:FREQ=DAILY\nend:vevent\n'
    seen = scan(body)
    assert (seen.uid, seen.components, seen.recurring) == ("12", ("VEVENT",), True)


def test_the_master_decides_over_its_overrides() -> None:
    override = ("BEGIN:VEVENT", "UID:a", "RECURRENCE-ID:20260501", "SEQUENCE:9", "END:VEVENT")
    master = ("BEGIN:VEVENT", "UID:a", "SEQUENCE:1", "ORGANIZER:mailto:a@example.org", "END:VEVENT")
    seen = scan(calendar(*override, *master))
    assert seen.stamp.sequence == 1
    assert seen.recurring
    assert seen.scheduled


def test_without_a_master_the_earliest_override_decides() -> None:
    late = ("BEGIN:VEVENT", "RECURRENCE-ID:20260508", "SEQUENCE:2", "END:VEVENT")
    early = ("BEGIN:VEVENT", "RECURRENCE-ID:20260501", "SEQUENCE:1", "END:VEVENT")
    assert scan(calendar(*late, *early)).stamp.sequence == 1


def test_an_unreadable_sequence_counts_as_none() -> None:
    for text in ("soon", "-1", "9" * 30, ""):
        body = calendar("BEGIN:VEVENT", f"SEQUENCE:{text}", "END:VEVENT")
        assert scan(body).stamp.sequence == 0


def test_a_component_without_a_calendar_around_it_is_seen() -> None:
    assert scan(b"BEGIN:VEVENT\nUID:a\nEND:VEVENT\n").uid == "a"


def test_a_uid_that_is_no_utf_8_can_still_be_written_as_utf_8() -> None:
    uid = scan(b"BEGIN:VEVENT\nUID:\xe9\nEND:VEVENT\n").uid
    assert uid is not None
    assert uid.encode() == b"\\xe9"


NAMES = ("BEGIN", "END", "UID", "rrule", "RDATE", "ATTENDEE", "SUMMARY", "X-BEGIN", "DTSTAMP")
VALUES = ("VCALENDAR", "VEVENT", "VTODO", "VALARM", "VTIMEZONE", "x", "")
LINE = st.builds(
    lambda name, param, value: f"{name}{param}:{value}",
    st.sampled_from(NAMES),
    st.sampled_from(("", ";A=b", ';A="b:c"', ';A="b";C=d')),
    st.sampled_from(VALUES),
)


@st.composite
def components(draw: st.DrawFn, depth: int = 2) -> list[str]:
    name = draw(st.sampled_from(("VEVENT", "VTODO", "VALARM", "VTIMEZONE", "vevent")))
    lines = draw(st.lists(LINE.filter(lambda line: line[:3] not in {"BEG", "END"}), max_size=4))
    inner = draw(st.lists(components(depth - 1), max_size=2)) if depth else []
    return [f"BEGIN:{name}", *lines, *(line for part in inner for line in part), f"END:{name}"]


@given(st.lists(components(), max_size=3))
def test_scan_and_parse_agree(parts: list[list[str]]) -> None:
    body = calendar(*(line for part in parts for line in part))
    seen, entries = scan(body), parse(body).entries()
    names = {prop.name for one in entries for prop in one.properties}
    uids = [uid for one in entries if (uid := one.value("UID").strip())]
    assert seen.components == tuple(sorted({one.name for one in entries}))
    assert seen.recurring == bool(names & {"RRULE", "RDATE", "RECURRENCE-ID"})
    assert seen.scheduled == bool(names & {"ATTENDEE", "ORGANIZER"})
    assert seen.uid == (uids[0] if uids else None)


@given(st.lists(LINE).map("\n".join) | st.text())
def test_nothing_makes_a_scan_fail(text: str) -> None:
    body = text.encode()
    scan(body)
    try:
        parse(body)
    except ItemError as error:
        assert "line " in error.message  # noqa: PT017 - both outcomes are right


def test_a_quote_that_never_ends_hides_no_value_and_takes_no_time() -> None:
    assert scan(calendar("BEGIN:VEVENT", 'UID;X=":a:b', "END:VEVENT")).uid == "a:b"
    assert scan(calendar("BEGIN:VEVENT", 'UID;X=":":a:b', "END:VEVENT")).uid == "a:b"
    assert scan(calendar("BEGIN:VEVENT", 'ATTENDEE;X="' + ":" * 1_000_000, "END:VEVENT")).scheduled
