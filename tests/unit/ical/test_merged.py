from hypothesis import given
from hypothesis import strategies as st

from caldav_run.ical.canonical import form
from caldav_run.ical.merged import merge, split
from caldav_run.ical.tree import parse

HEAD = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Home\r\n"
FOOT = b"END:VCALENDAR\r\n"


def zone(name: str, more: str = "") -> bytes:
    return f"BEGIN:VTIMEZONE\r\nTZID:{name}\r\n{more}END:VTIMEZONE\r\n".encode()


def event(uid: str, more: str = "", end: str = "\r\n") -> bytes:
    lines = [
        "BEGIN:VEVENT",
        *([f"UID:{uid}"] if uid else []),
        *([more] if more else []),
        "END:VEVENT",
    ]
    return "".join(line + end for line in lines).encode()


def test_each_uid_becomes_an_item_with_its_zones_and_its_lines_as_they_were() -> None:
    berlin = event("a", 'DTSTART;TZID="Europe/Berlin":20260501T1\r\n 00000')
    override = event("a", "RECURRENCE-ID:20260508", "\n")
    other = event("b/ü", "DTSTART;TZID=Own:20260501T100000")
    data = HEAD + zone("Europe/Berlin") + berlin + zone("Own") + other + override + FOOT
    assert list(split(b"\xef\xbb\xbf" + data)) == [
        ("a.ics", HEAD + zone("Europe/Berlin") + berlin + override + FOOT),
        ("b%2F%C3%BC.ics", HEAD + zone("Own") + other + FOOT),
    ]


def test_an_item_without_a_uid_gets_a_name_from_its_bytes() -> None:
    data = HEAD + event("", "SUMMARY:x") + event("", "SUMMARY:y") + FOOT
    first, second = [href for href, _ in split(data)]
    assert first.startswith("no-uid-")
    assert first != second
    assert [href for href, _ in split(HEAD + event("", "SUMMARY:x") + FOOT)] == [first]


def test_a_long_uid_gets_a_short_name() -> None:
    ((href, _),) = split(HEAD + event("x" * 500) + FOOT)
    assert len(href) < 100


def test_one_uid_in_two_calendars_is_two_items() -> None:
    one = HEAD + event("a") + FOOT
    assert [href for href, _ in split(one + one)] == ["a.ics", "a-2.ics"]


def test_a_calendar_that_is_not_closed_is_closed() -> None:
    assert list(split(HEAD + event("a").removesuffix(b"\r\n"))) == [
        ("a.ics", HEAD + event("a") + FOOT)
    ]
    two = HEAD + event("a") + HEAD + event("b") + FOOT
    assert [body for _, body in split(two)] == [
        HEAD + event("a") + FOOT,
        HEAD + event("b") + FOOT,
    ]


def test_components_without_a_calendar_are_items_too() -> None:
    assert list(split(event("a") + b"END:X\r\n")) == [("a.ics", event("a") + b"END:X\r\n")]


def test_an_event_that_is_not_closed_takes_the_rest() -> None:
    broken = b"BEGIN:VEVENT\r\nUID:b\r\nSUMMARY:x"
    ((_, first), (href, second)) = split(HEAD + event("a") + broken)
    assert first == HEAD + event("a") + FOOT
    assert (href, second) == ("b.ics", HEAD + broken + b"\r\n" + FOOT)


@given(
    st.binary()
    | st.lists(st.sampled_from((HEAD, FOOT, event("a"), zone("Z"), b"BEGIN:X\n"))).map(b"".join)
)
def test_no_bytes_make_split_fail(data: bytes) -> None:
    list(split(data))


def test_a_merged_stream_has_each_zone_once() -> None:
    first = HEAD + zone("Z") + event("a", "DTSTART;TZID=Z:20260501T100000") + FOOT
    second = HEAD + event("b", "DTSTART;TZID=Z:20260501T100000", "\n") + zone("Z") + FOOT
    merged = b"".join(merge([first, second]))
    assert merged.count(b"BEGIN:VTIMEZONE") == 1
    assert event("b", "DTSTART;TZID=Z:20260501T100000", "\n") in merged
    assert [entry.value("UID") for entry in parse(merged).entries()] == ["a", "b"]
    assert parse(merged).name == "VCALENDAR"


def test_an_item_with_another_zone_of_one_name_stands_apart() -> None:
    first = HEAD + zone("Z") + event("a") + FOOT
    second = HEAD + zone("Z", "X:1\r\n") + event("b") + FOOT
    merged = b"".join(merge([first, second]))
    assert merged.endswith(FOOT + second)
    assert [href for href, _ in split(merged)] == ["a.ics", "b.ics"]


def test_what_is_broken_stands_last_and_what_hides_its_parts_stands_apart() -> None:
    broken = HEAD + event("c")
    hidden = HEAD + event("b").replace(b"BEGIN:VEVENT", b"BEG\r\n IN:VEVENT") + FOOT
    merged = b"".join(merge([broken, hidden, HEAD + event("a") + FOOT]))
    assert merged.endswith(FOOT + hidden + broken)


@given(
    st.lists(st.text("abc/ü", min_size=1), unique=True, max_size=5), st.sampled_from(("\n", "\r\n"))
)
def test_what_was_merged_can_be_taken_apart(uids: list[str], end: str) -> None:
    bodies = [HEAD + event(uid, "SUMMARY:x", end) + FOOT for uid in uids]
    found = [parse(body).entries() for _, body in split(b"".join(merge(bodies)))]
    assert [[form(one) for one in entries] for entries in found] == [
        [form(one) for one in parse(body).entries()] for body in bodies
    ]


def test_one_uid_in_very_many_calendars_takes_no_time() -> None:
    hrefs = [href for href, _ in split((HEAD + event("a") + FOOT) * 20_000)]
    assert len(set(hrefs)) == 20_000
    assert hrefs[-1] == "a-20000.ics"


def test_very_many_zones_take_no_time() -> None:
    data = b"".join(
        zone(f"Z{n}") + event(f"{n}", f"DTSTART;TZID=Z{n}:20260501T100000") for n in range(10_000)
    )
    assert sum(1 for _ in split(HEAD + data + FOOT)) == 10_000
