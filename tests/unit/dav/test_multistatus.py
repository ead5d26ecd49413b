"""Multistatus answers, cut into pieces anywhere."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.dav import multistatus, names
from caldav_run.dav.failures import MalformedAnswerError

XML_BLANKS = " \t\r\n"
URL = "https://example.org/w/"
# What XML 1.0 can carry; CR is left out because a parser must turn it into LF.
xml_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n")
)


def answer(*responses: str, namespace: str = "DAV:") -> bytes:
    inner = "".join(responses)
    return f'<multistatus xmlns="{namespace}">{inner}</multistatus>'.encode()


def response(href: str, etag: str = '"1"', status: str = "HTTP/1.1 200 OK") -> str:
    return (
        f"<response><href>{escape(href)}</href><propstat><prop><getetag>{escape(etag)}</getetag>"
        f"</prop><status>{status}</status></propstat></response>"
    )


def read(body: bytes) -> list[multistatus.Response]:
    return list(multistatus.parse([body], URL))


def test_a_property_that_was_found_is_there() -> None:
    (found,) = multistatus.parse([answer(response("/w/a.ics"))], URL)
    assert (found.href, found.status) == ("/w/a.ics", 200)


def test_texts_are_read_while_the_answer_goes_on() -> None:
    stream = multistatus.parse([answer(response("a", '"1"'), response("b", '"2"'))], URL)
    assert [each.text(names.GETETAG) for each in stream] == ['"1"', '"2"']


def test_a_property_that_was_refused_is_not_there() -> None:
    body = answer(response("/w/a.ics", status="HTTP/1.1 403 Forbidden"))
    assert [each.text(names.GETETAG) for each in multistatus.parse([body], URL)] == [None]


def test_a_propstat_without_a_status_counts() -> None:
    body = answer(
        "<response><href>a</href><propstat><prop><getetag>1</getetag></prop></propstat></response>"
    )
    assert [each.text(names.GETETAG) for each in multistatus.parse([body], URL)] == ["1"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("HTTP/1.1 404 Not Found", 404),
        (" HTTP/1.1 404", 404),
        ("nonsense", 0),
        ("HTTP/1.1 \u00b2", 0),
        ("HTTP/1.1 " + "4" * 5000, 0),
    ],
)
def test_the_status_of_a_whole_resource_is_read(line: str, status: int) -> None:
    body = answer(f"<response><href>a</href><status>{line}</status></response>")
    assert [each.status for each in read(body)] == [status]


def test_blanks_around_an_href_are_dropped() -> None:
    assert [each.href for each in read(answer(response("\n  /w/a b.ics \n")))] == ["/w/a b.ics"]


def test_a_relative_href_counts_from_the_answers_url() -> None:
    assert [each.url for each in read(answer(response("a.ics")))] == ["https://example.org/w/a.ics"]


def test_cdata_and_escaped_text_are_the_same() -> None:
    body = answer(
        "<response><href>a</href><propstat><prop><getetag><![CDATA[a&b]]>&lt;</getetag></prop>"
        "</propstat></response>"
    )
    assert [each.text(names.GETETAG) for each in multistatus.parse([body], URL)] == ["a&b<"]


def test_an_empty_answer_has_no_responses() -> None:
    assert read(answer()) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Welcome</body></html>",
        b"<html><br></html>",
        answer(response("a"))[:-5],
        answer(response("a\x0bb")),
        answer(response("a"), namespace="other"),
        b'<response xmlns="DAV:"><href>a</href></response>',
        answer("<response><propstat/></response>"),
        answer("<response><href> </href></response>"),
    ],
)
def test_what_is_no_multistatus_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedAnswerError, match=r"example\.org"):
        read(body)


def test_what_came_before_the_damage_is_still_given() -> None:
    stream = multistatus.parse([answer(response("a")), b"\x0b"], URL)
    assert next(stream).href == "a"
    with pytest.raises(MalformedAnswerError):
        next(stream)


def test_one_element_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multistatus, "ELEMENT_LIMIT", 1000)

    def endless() -> Iterator[bytes]:
        yield b'<multistatus xmlns="DAV:"><response><href>'
        while True:
            yield b"a" * 100

    with pytest.raises(MalformedAnswerError, match="64 MiB"):
        list(multistatus.parse(endless(), URL))


def test_entities_are_not_expanded() -> None:
    body = (
        b'<!DOCTYPE x [<!ENTITY a "secret">]><multistatus xmlns="DAV:"><response><href>a</href>'
        b"<propstat><prop><getetag>&a;</getetag></prop></propstat></response></multistatus>"
    )
    (found,) = read(body)
    assert found.text(names.GETETAG) is None


@pytest.mark.parametrize("inner", ["<!-- note -->", "<?note?>"])
def test_what_xml_does_not_count_as_text_does_not_end_a_text(inner: str) -> None:
    (found,) = read(answer(response("a", "x").replace(">x<", f">be{inner}fore<")))
    assert found.text(names.GETETAG) == "before"


@pytest.mark.parametrize("inner", ["&a;", "<b/>"])
def test_the_beginning_of_a_text_is_not_taken_for_the_whole(inner: str) -> None:
    body = answer(response("a", "x").replace(">x<", f">be{inner}fore<"))
    (found,) = read(b'<!DOCTYPE x [<!ENTITY a "secret">]>' + body)
    assert found.text(names.GETETAG) is None


def test_a_long_answer_is_let_go_while_it_is_read() -> None:
    body = answer(*(response(f"{number}.ics") for number in range(200)))
    chunks = [body[start : start + 100] for start in range(0, len(body), 100)]
    for each in multistatus.parse(chunks, URL):
        above = each.properties[names.GETETAG].getroottree().getroot()
        assert len(above) <= 3


@given(
    st.lists(st.tuples(xml_text.filter(lambda text: text.strip(XML_BLANKS)), xml_text)), st.data()
)
def test_texts_survive_every_way_of_cutting(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    body = answer(*(response(href, etag) for href, etag in pairs))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    found = [(each.href, each.text(names.GETETAG) or "") for each in multistatus.parse(chunks, URL)]
    assert found == [(href.strip(XML_BLANKS), etag) for href, etag in pairs]
