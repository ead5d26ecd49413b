import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.ical.search import TITLES, Search, folded

EVENT = (
    "BEGIN:VCALENDAR\r\nPRODID:-//Acme//Cal//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n"
    "X-LIC-LOCATION:Europe/Berlin\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:lunch-7\r\n"
    "DTSTART;TZID=Europe/Berlin:20260501T120000\r\nSUMMARY:Stra\r\n ße\\, lang\r\n"
    "DESCRIPTION:first line\\nsecond\\;\r\n  line with ﬁsh\r\n"
    'ATTENDEE;CN="Zoë Müller":mailto:zoe@example.org\r\n'
    "ATTACH;ENCODING=BASE64;VALUE=BINARY:Zm9vYmFy\r\nX-NOTE:C:\\\\new\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
).encode()


@pytest.mark.parametrize(
    "text",
    [
        "straße, LANG",
        "STRASSE",
        "line second; line",
        "second;\n line",
        "FISH",
        "\uff46\uff49\uff53\uff48",
        "zoë mü",
        "zoe\u0308 mu\u0308ller",
        "ZOE@example",
        "lunch-7",
        "c:\\new",
    ],
)
def test_a_text_is_found_unfolded_unescaped_and_in_any_case(text: str) -> None:
    assert Search(text).finds(EVENT)


@pytest.mark.parametrize(
    "text", ["berlin", "vevent", "20260501", "acme", "Zm9v", "zoe m", "lang first", "base64"]
)
def test_what_no_person_wrote_into_the_event_is_not_found(text: str) -> None:
    assert not Search(text).finds(EVENT)


def test_a_search_may_be_for_titles_only() -> None:
    assert Search("strasse", TITLES).finds(EVENT)
    assert not Search("zoë", TITLES).finds(EVENT)
    assert not Search("lunch-7", TITLES).finds(EVENT)


def test_the_nothing_is_everywhere() -> None:
    assert Search(" ").finds(EVENT)


@pytest.mark.parametrize("text", ["dentist, dr. who", "DENT", "; at 10", "dr. who; at"])
def test_a_text_is_found_in_plain_letters(text: str) -> None:
    body = b"BEGIN:VEVENT\r\nSUMMARY:Den\r\n tist\\, Dr. Who\\; at 10\r\nEND:VEVENT\r\n"
    assert Search(text).finds(body)
    assert not Search(f"{text}ö").finds(body)
    assert not Search(f"{text}x").finds(body)


@given(st.binary(), st.text())
def test_no_bytes_break_a_search(body: bytes, text: str) -> None:
    Search(text).finds(body)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)
