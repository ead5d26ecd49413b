import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.ical.lines import LIMIT, Line, fold, logical_lines, parse_line, unfold

LINES = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1).filter(
    lambda text: text[0] not in " \t"
)


@given(LINES)
def test_folding_is_undone_by_unfolding(text: str) -> None:
    line = b"X:" + text.encode()
    assert unfold(fold(line)) == line


@given(LINES)
def test_a_folded_line_has_at_most_75_octets_and_whole_characters(text: str) -> None:
    for line in fold(text.encode()).split(b"\r\n"):
        assert len(line) <= LIMIT
        line.decode()


@given(st.binary().filter(lambda line: b"\n" not in line))
def test_any_bytes_can_be_folded(line: bytes) -> None:
    assert b"".join(fold(line).split(b"\r\n ")) == b"".join(line.split(b"\r\n "))


@pytest.mark.parametrize("character", ["a", "ü", "€", "😀"])
def test_a_long_line_is_folded_between_characters(character: str) -> None:
    line = b"X:" + (character * 200).encode()
    folded = fold(line)
    assert unfold(folded) == line
    pieces = folded.split(b"\r\n ")
    assert len(pieces) > 2
    assert all(len(piece) <= LIMIT - 1 for piece in pieces[1:])
    assert all(piece.decode() for piece in pieces)


def test_a_line_feed_cannot_be_folded() -> None:
    with pytest.raises(ValueError, match="line feed"):
        fold(b"A\nB")


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"A:1\r\nB:2\r\n", [b"A:1", b"B:2"]),
        (b"A:1\nB:2", [b"A:1", b"B:2"]),
        (b"A:1\r\r\nB:2\r\n\r\n", [b"A:1", b"B:2"]),
        (b"\xef\xbb\xbfA:1\r\n", [b"A:1"]),
        (b"A:on\r\n e\r\n\ttwo\r\n", [b"A:onetwo"]),
        (b"SUM\r\n MARY:x\r\n", [b"SUMMARY:x"]),
        (b"A:\xc3\r\n \xbc\r\n", [b"A:\xc3\xbc"]),
        (b"A:bare\rreturn\x0btab\r\nB:2", [b"A:bare\rreturn\x0btab", b"B:2"]),
        (b"", [b""]),
    ],
)
def test_lines_are_told_apart_as_servers_write_them(body: bytes, lines: list[bytes]) -> None:
    assert logical_lines(body) == lines


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        (b"SUMMARY:a:b;c", Line("SUMMARY", (), "a:b;c")),
        (b"dtstart;tzid=Europe/Berlin:x", Line("DTSTART", (("TZID", "Europe/Berlin"),), "x")),
        (
            b'ATTENDEE;CN="a:b;c";X=1,"2":mailto:b',
            Line("ATTENDEE", (("CN", '"a:b;c"'), ("X", '1,"2"')), "mailto:b"),
        ),
        (b'X;CN="a:b', Line("X", (("CN", '"a'),), "b")),
        (b'X;CN="a;B="c":d:e', Line("X", (("CN", '"a'), ("B", '"c"')), "d:e")),
        (b"X;Y:1", Line("X", (("Y", ""),), "1")),
        (b"no colon at all", Line("", (), "no colon at all")),
        (b":value", Line("", (), ":value")),
        (b"A:\xff", Line("A", (), "\udcff")),
    ],
)
def test_a_line_is_taken_apart(line: bytes, parsed: Line) -> None:
    assert parse_line(line) == parsed


@given(st.binary())
def test_no_line_makes_the_parser_fail(line: bytes) -> None:
    parse_line(line)


def test_any_number_of_carriage_returns_ends_a_line_and_costs_no_more_than_reading_it() -> None:
    assert unfold(b"A\r\r\nB\r\n") == b"A\nB\n"
    returns = b"\r" * 1_000_000
    assert unfold(b"A" + returns + b"\nB" + returns) == b"A\nB" + returns
