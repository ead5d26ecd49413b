"""Items that broke off on their way."""

import pytest

from caldav_run.dav.cut import breaks_off

HALF = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Lun"


@pytest.mark.parametrize("size", [None, 100])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n"])
def test_an_item_without_its_end_breaks_off(before: bytes, size: int | None) -> None:
    assert breaks_off(before + HALF, size)


def test_what_lies_on_the_server_without_an_end_is_whole() -> None:
    assert not breaks_off(HALF, len(HALF))


@pytest.mark.parametrize("data", [HALF + b"\r\nend:vcalendar\r\n", b"no calendar at all", b""])
def test_what_has_an_end_or_no_beginning_is_whole(data: bytes) -> None:
    assert not breaks_off(data, None)
