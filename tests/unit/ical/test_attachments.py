"""Managed attachments in the bytes of an item."""

import base64

from caldav_run.ical.attachments import Managed, inlined, managed, without
from caldav_run.ical.lines import LIMIT, logical_lines
from caldav_run.testing.contracts.bodies import event

PLAN = (
    b"ATTACH;MANAGED-ID=m-1;FILENAME=plan.png;SIZE=5120;FMTTYPE=image/png:\r\n"
    b" https://dav.example.org/Attachments/m-1\r\n"
)
NOTES = b'ATTACH;FILENAME="a;b.txt";MANAGED-ID=m-2:/notes\r\n'
LINK = b"ATTACH:https://example.org/agenda\r\n"
INLINE = b"ATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=\r\n"


def item(*lines: bytes) -> bytes:
    return event("a").replace(b"END:VEVENT", b"".join(lines) + b"END:VEVENT")


def test_what_a_server_keeps_is_told_from_links_and_inline_files() -> None:
    assert managed(item(PLAN, NOTES, LINK, INLINE)) == (
        Managed("m-1", "https://dav.example.org/Attachments/m-1", "plan.png", "image/png"),
        Managed("m-2", "/notes", "a;b.txt", "application/octet-stream"),
    )


def test_a_file_that_several_overrides_refer_to_is_one() -> None:
    assert len(managed(item(PLAN, PLAN))) == 1


def test_an_item_without_the_word_has_none() -> None:
    assert managed(event("a")) == ()


def test_files_are_taken_out_and_the_rest_stays_as_it_is() -> None:
    assert without(item(PLAN, NOTES, LINK, INLINE), {"m-1"}) == item(NOTES, LINK, INLINE)


def test_a_file_is_put_in_with_its_name_and_type() -> None:
    content = bytes(range(256))
    body = inlined(item(PLAN, NOTES, LINK), {"m-1": content})
    (line,) = (each for each in logical_lines(body) if b"plan.png" in each)
    head, _, value = line.rpartition(b":")
    assert head == b"ATTACH;FILENAME=plan.png;FMTTYPE=image/png;ENCODING=BASE64;VALUE=BINARY"
    assert base64.b64decode(value) == content
    assert max(map(len, body.split(b"\r\n"))) <= LIMIT
    assert without(body, ()) == body
    assert NOTES in body
    assert LINK in body
