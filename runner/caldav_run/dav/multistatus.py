"""Multistatus answers, read as they arrive (RFC 4918 section 13)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final, cast

from lxml import etree

from caldav_run.dav import hrefs, names
from caldav_run.dav.failures import MalformedAnswerError

ELEMENT_LIMIT: Final = 64 * 1024 * 1024
"""Bytes that one DAV:response may take; `huge_tree` lifts the parser's own limits."""

_OK: Final = 200
_REFUSED: Final = 400
_FORBIDDEN: Final = bytes({*range(32)} - {*b"\t\n\r"})
_LACKING: Final = frozenset({404, 410})
_NONE: Final[Mapping[str, int]] = MappingProxyType({})
_STATUS_LINE: Final = re.compile(r"\s*\S+\s+([0-9]{3})\b")


@dataclass(frozen=True, slots=True)
class Response:
    """What a multistatus says of one resource.

    Attributes:
        href: The resource, as the server spells it.
        base: The URL whose answer this is; a relative `href` counts from there.
        status: The status of the resource as a whole; 200 when only properties are listed.
        properties: The properties that were found, by Clark name.
        refused: The status of each property that is not given though it may be there, by name.
    """

    href: str
    base: str
    status: int
    properties: Mapping[str, etree._Element]
    refused: Mapping[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The resource's whole URL."""
        return hrefs.resolve(self.base, self.href)

    def text(self, name: str) -> str | None:
        """Return a property's text; None when it is missing, empty, or more than a text."""
        element = self.properties.get(name)
        # What stands before an entity or another element is only the beginning.
        return None if element is None or len(element) else element.text


def parse(
    chunks: Iterable[bytes], url: str, about: dict[str, str] | None = None
) -> Iterator[Response]:
    """Yield each response while the answer arrives; memory does not grow with the answer.

    Args:
        chunks: The body in pieces of any size.
        url: Where the answer comes from.
        about: Gets what the answer says of itself: the text of its DAV:sync-token, by name.

    Raises:
        MalformedAnswerError: The body is not well-formed XML, is no multistatus, or one response
            is larger than `ELEMENT_LIMIT`.
    """
    parser = etree.XMLPullParser(
        events=("end",),
        tag=(names.RESPONSE, names.MULTISTATUS, names.SYNC_TOKEN),
        resolve_entities=False,
        no_network=True,
        huge_tree=True,
        # A text would end at the first one.
        remove_comments=True,
        remove_pis=True,
    )
    complete = False
    pending = 0
    try:
        for chunk in chunks:
            parser.feed(chunk)
            pending += len(chunk)
            for _, found in parser.read_events():
                element = cast("etree._Element", found)  # noqa: SLF001 - lxml names its type so
                if element.tag == names.SYNC_TOKEN:
                    _note(element, about)
                    continue
                pending = 0
                complete = element.tag == names.MULTISTATUS
                if not complete:
                    yield _response(element, url)
                    _drop(element)
            if pending > ELEMENT_LIMIT:
                raise MalformedAnswerError(f"{url} gave one element of more than 64 MiB")
        parser.close()
    except etree.XMLSyntaxError as error:
        raise MalformedAnswerError(f"{url} gave XML that cannot be read: {error}") from error
    if not complete:
        raise MalformedAnswerError(f"{url} gave XML that is no multistatus")


def without_controls(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield an answer without the characters that XML forbids (XML 1.0 section 2.2).

    For lists only: one such character in a calendar's name is no reason to read none of them. An
    item's text must stay as it is, and is asked for alone.
    """
    for chunk in chunks:
        yield chunk.translate(None, _FORBIDDEN)


def _note(element: etree._Element, about: dict[str, str] | None) -> None:
    """Keep the answer's own token, which is no property of a resource."""
    parent = element.getparent()
    if about is not None and parent is not None and parent.tag == names.MULTISTATUS:
        about[names.SYNC_TOKEN] = (element.text or "").strip()


def _response(element: etree._Element, url: str) -> Response:
    href = ""
    status, refused = _OK, _NONE
    found: dict[str, etree._Element] = {}
    # Children one by one: a search by name costs twice as much, for each of 50,000 members.
    for child in element:
        if child.tag == names.PROPSTAT:
            if held_back := _collect(child, found):
                refused = {**refused, **held_back}
        elif child.tag == names.HREF:
            # Only what XML calls blank: a name may begin with any other space.
            href = href or (child.text or "").strip(" \t\r\n")
        elif child.tag == names.STATUS:
            status = _number(child.text or "")
    if not href:
        raise MalformedAnswerError(f"{url} gave a response without a name")
    return Response(href, url, status, found, refused)


def _collect(propstat: etree._Element, found: dict[str, etree._Element]) -> dict[str, int]:
    """Take over the properties of a DAV:propstat whose status is good; return refused ones."""
    # Some servers leave the status out where all is well.
    status = _OK
    props: list[etree._Element] = []
    for child in propstat:
        if child.tag == names.PROP:
            props.append(child)
        elif child.tag == names.STATUS:
            status = _number(child.text or "")
    if status == _OK:
        found.update((str(each.tag), each) for prop in props for each in prop)
    if status < _REFUSED or status in _LACKING:
        return {}
    return {str(each.tag): status for prop in props for each in prop}


@lru_cache(maxsize=64)
def _number(line: str) -> int:
    """Return the number in a DAV:status such as `HTTP/1.1 404 Not Found`; 0 when it has none."""
    found = _STATUS_LINE.match(line)
    return int(found[1]) if found else 0


def _drop(element: etree._Element) -> None:
    """Let a finished response go, and what stands before it in its parent."""
    parent = element.getparent()
    element.clear()
    if parent is not None:
        while parent[0] is not element:
            del parent[0]
