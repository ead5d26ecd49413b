import pytest

from caldav_run.errors import ItemError
from caldav_run.ical.tree import Component, Property, parse


def test_everything_is_kept_in_its_order() -> None:
    body = (
        b'BEGIN:VCALENDAR\nA:1\n\nBEGIN:VEVENT\nX;P="q":2\nno colon\nEND:VEVENT\nB:\nEND:VCALENDAR'
    )
    event = Component("VEVENT", (Property("X", (("P", '"q"'),), "2"), Property("", (), "no colon")))
    assert parse(body) == Component(
        "VCALENDAR", (Property("A", (), "1"), Property("B", (), "")), (event,)
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "line 1: there is no calendar component in it"),
        (b"\r\n\r\n", "line 1: there is no calendar component in it"),
        (b"garbage\nmore", "line 1: there is no calendar component in it"),
        (b"BEGIN:VCALENDAR\n", "line 1: the text ends inside VCALENDAR"),
        (
            b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nA:1\n 2\nEND:VCALENDAR",
            "line 5: END:VCALENDAR inside VEVENT",
        ),
        (b"END:VEVENT", "line 1: END:VEVENT outside of any component"),
        (b"BEGIN:A\n" * 60, "line 51: components nest too deep"),
    ],
)
def test_what_does_not_nest_is_an_error_with_its_line(body: bytes, message: str) -> None:
    with pytest.raises(ItemError) as caught:
        parse(body)
    assert caught.value.message == message


def test_two_calendars_lie_in_a_nameless_root() -> None:
    one = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n"
    root = parse(one + one.replace(b"VEVENT", b"VTODO"))
    assert root.name == ""
    assert [entry.name for entry in root.entries()] == ["VEVENT", "VTODO"]


def test_entries_are_neither_zones_nor_what_is_inside_an_entry() -> None:
    tree = parse(
        b"BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nEND:VTIMEZONE\n"
        b"BEGIN:VEVENT\nBEGIN:VALARM\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR"
    )
    assert [entry.name for entry in tree.entries()] == ["VEVENT"]
    assert [one.name for one in tree.walk()] == ["VCALENDAR", "VTIMEZONE", "VEVENT", "VALARM"]


def test_properties_are_found_by_name() -> None:
    tree = parse(b'BEGIN:X\nA;P="1":one\nA:two\nEND:X').children[0]
    assert tree.value("A") == "one"
    assert tree.value("B") == ""
    assert [prop.value for prop in tree.all("A")] == ["one", "two"]
    first = tree.first("A")
    assert first is not None
    assert (first.param("P"), first.param("Q")) == ("1", None)
