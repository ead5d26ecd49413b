"""Items that broke off on their way, which HTTP does not tell where a length is wrong."""

from typing import Final

_BEGIN: Final = b"BEGIN:VCALENDAR"
_END: Final = b"END:VCALENDAR"
_BEFORE_TEXT: Final = b"\xef\xbb\xbf \r\n"


def breaks_off(data: bytes, size: int | None) -> bool:
    """Return whether this is only the beginning of an item.

    What lies on the server without its end is as long as the listing says.

    Args:
        data: What was given.
        size: How many bytes the item has, as far as that is known.
    """
    if _END in data:
        return False
    text = data.upper()
    beginning = text.lstrip(_BEFORE_TEXT).startswith(_BEGIN) and _END not in text
    return beginning and (size is None or len(data) < size)
