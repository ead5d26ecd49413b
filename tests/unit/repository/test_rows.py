import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.model import Calendar, Op
from caldav_run.repository import rows
from caldav_run.repository.broken import FormatError
from caldav_run.repository.rows import Row

TEXTS = st.none() | st.text(max_size=20)
ROWS = st.builds(
    Row,
    seq=st.integers(0, 1000),
    op=st.sampled_from(Op),
    calendar=st.text(max_size=20),
    href=TEXTS,
    etag=TEXTS,
    sha256=TEXTS,
    size=st.none() | st.integers(0),
    object=TEXTS,
    member=TEXTS,
    uid=TEXTS,
    provenance=TEXTS,
    extra=st.dictionaries(st.sampled_from(["reason", "read"]), st.text(max_size=9)),
)


@given(row=ROWS)
def test_a_row_is_read_back_from_one_line(row: Row) -> None:
    line = rows.encode(row)
    assert line.count(b"\n") == 1
    assert rows.decode(line) == row


def test_many_lines_are_read_in_their_order() -> None:
    held = [Row(0, Op.ADD, "c", "a.ics"), Row(1, Op.GONE, "c", "a.ics")]
    assert list(rows.decode_all(map(rows.encode, held))) == held


@pytest.mark.parametrize(
    "row",
    [
        Row(1, Op.ADD, "c", "h", provenance="get"),
        Row(1, Op.UNREAD, "c", "h", extra={"reason": "denied", "before": True}),
        Row(0, Op.CALENDAR, "c", extra={"properties": {"components": ["VEVENT"], "order": 3}}),
    ],
)
def test_a_row_that_a_writer_writes_passes_the_checks(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_known_shapes", set())
    assert rows.checked(rows.encode(row)) == row


def test_further_columns_are_ignored() -> None:
    line = b'[1,"+","c","h",null,null,null,null,null,null,"get",{},"news",[1]]'
    assert rows.decode(line) == Row(1, Op.ADD, "c", "h", provenance="get", extra={})


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b"[1]", b'[1,"?","c"]', b'[1,"+"]', b"[" * 100_000, b"\xff", b"7"]
)
def test_what_is_no_row_is_refused(line: bytes) -> None:
    with pytest.raises(FormatError):
        rows.decode(line)


@pytest.mark.parametrize(
    ("uid", "column", "read"),
    [("a@b", None, "a@b"), ("other", "other", "other"), (None, "", None), ("", "", None)],
)
def test_a_uid_is_written_where_the_href_does_not_tell_it(
    uid: str | None, column: str | None, read: str | None
) -> None:
    assert rows.uid_column("a%40b.ics", uid) == column
    assert Row(0, Op.ADD, "c", "a%40b.ics", uid=column).item_uid == read


def test_properties_are_read_back() -> None:
    calendar = Calendar(id="c", display_name="Ä", order=3, components=("VEVENT",), read_only=True)
    extra = {"properties": {**rows.properties_column(calendar), "future": 1}}
    row = rows.decode(rows.encode(Row(0, Op.CALENDAR, "c", extra=extra)))
    assert row.properties == calendar
