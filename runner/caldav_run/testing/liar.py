"""A calendar server in memory that lies the ways that servers in the field do.

It is a script for `scripted_server`: small, and exact about what it keeps to itself.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from html import escape

from caldav_run.testing.scripted import Answer, Asked, multistatus, response

HOME = "/dav/alice/"
_HREF = re.compile("<d:href>(.*?)</d:href>")
_TOKEN = re.compile("<d:sync-token>(.*?)</d:sync-token>")
_GONE = "<d:response><d:href>{}</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
_MORE = (
    "<d:response><d:href>{}</d:href>"
    "<d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>"
)
_NO_TOKEN = b'<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>'


class Lie(StrEnum):
    """What a server does that it should not.

    Attributes:
        NONE: It refuses a token that it does not know, and tells all else.
        PAGES: It gives one change an answer and says so.
        EMPTY: It takes a token that it does not know for today's (sabre/dav).
        FULL: It answers a token that it does not know with all that is there (DAViCal, SOGo).
        REPEATS: It names members that have not changed.
        NO_DELETIONS: It never names what was deleted.
        ONLY_DELETIONS: It calls deleted what was deleted and made again since (Nextcloud).
        RESET: It names the collection itself instead of refusing a token.
        NO_SYNC: It has a ctag only (sabre/dav 1.8).
        BROKEN: Its sync-collection ends in an internal error.
        CUT: Its reports give three members and no more (Zoho: 1,000).
        ALL_OR_NOTHING: Its report is 404 where one member is missing (sabre/dav 1.8).
    """

    NONE = "none"
    PAGES = "pages"
    EMPTY = "empty"
    FULL = "full"
    REPEATS = "repeats"
    NO_DELETIONS = "no deletions"
    ONLY_DELETIONS = "only deletions"
    RESET = "reset"
    NO_SYNC = "no sync"
    BROKEN = "broken"
    CUT = "cut"
    ALL_OR_NOTHING = "all or nothing"


@dataclass
class Shelf:
    """One calendar: what it holds, each change with its number, and when, where that is told."""

    title: str
    items: dict[str, bytes] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    deletions: dict[str, int] = field(default_factory=dict)
    written: dict[str, datetime] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """The number of the last change."""
        return len(self.log)


class Liar:
    """The script: an account of which tests change the calendars directly.

    Attributes:
        calendars: What there is, by id.
        lie: What it does wrong.
        sign: What its home says of where homes are while it is listed, as markup.
    """

    def __init__(self, lie: Lie = Lie.NONE) -> None:
        """Begin with no calendar."""
        self.calendars: dict[str, Shelf] = {}
        self.lie = lie
        self.sign = ""

    def put(self, calendar: str, name: str, body: bytes, when: datetime | None = None) -> None:
        """Store an item, in a new calendar where there is none; `when` is told in listings."""
        shelf = self.calendars.setdefault(calendar, Shelf(calendar))
        if when is not None:
            shelf.written[name] = when
        shelf.items[name] = body
        shelf.log.append(name)

    def delete(self, calendar: str, name: str) -> None:
        """Delete an item, if it is there."""
        shelf = self.calendars.get(calendar)
        if shelf is not None and shelf.items.pop(name, None) is not None:
            shelf.log.append(name)
            shelf.deletions[name] = shelf.now

    def __call__(self, asked: Asked) -> Answer:
        """Answer a request."""
        path = asked.path
        if asked.method == "PROPFIND" and path in {"/", HOME}:
            return self._home(asked)
        shelf = self.calendars.get(path.removeprefix(HOME).partition("/")[0])
        if shelf is None:
            return Answer(404)
        if asked.method == "PROPFIND":
            return self._listing(path, shelf)
        if asked.method == "GET":
            body = shelf.items.get(path.rpartition("/")[2])
            return Answer(404) if body is None else Answer(200, body, {"ETag": _etag(body)})
        text = asked.body.decode()
        if "sync-collection" in text:
            return self._changes(path, shelf, _TOKEN.findall(text)[0])
        return self._report(shelf, _HREF.findall(text))

    # ------------------------------------------------------------ answers

    def _home(self, asked: Asked) -> Answer:
        if asked.headers.get("depth") != "1":
            home = f"<c:calendar-home-set><d:href>{HOME}</d:href></c:calendar-home-set>"
            return multistatus(response(asked.path, home))
        itself = f"<d:resourcetype><d:collection/></d:resourcetype>{self.sign}"
        found = [response(HOME, itself)]
        for name, shelf in self.calendars.items():
            token = "" if self.lie is Lie.NO_SYNC else f"<d:sync-token>{shelf.now}</d:sync-token>"
            kind = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
            ctag = f'<x:getctag xmlns:x="http://calendarserver.org/ns/">{shelf.now}</x:getctag>'
            title = f"<d:displayname>{shelf.title}</d:displayname>"
            found.append(response(f"{HOME}{name}/", kind + title + token + ctag))
        return multistatus(*found)

    def _listing(self, path: str, shelf: Shelf) -> Answer:
        itself = response(path, "<d:resourcetype><d:collection/></d:resourcetype>")
        written = {name: _modified(when) for name, when in shelf.written.items()}
        members = (_member(path, each, written.get(each[0], "")) for each in shelf.items.items())
        return multistatus(itself, *members)

    def _changes(self, path: str, shelf: Shelf, token: str) -> Answer:
        if self.lie in {Lie.NO_SYNC, Lie.BROKEN}:
            return Answer(403 if self.lie is Lie.NO_SYNC else 500)
        known = token.isdecimal() and int(token) <= shelf.now
        if not known and self.lie is Lie.EMPTY:
            return _synced(shelf.now)
        if not known and self.lie is Lie.FULL:
            return _synced(shelf.now, *(_member(path, each) for each in shelf.items.items()))
        if not known and self.lie is Lie.RESET:
            return _synced(shelf.now, _GONE.format(path))
        if not known:
            return Answer(409, _NO_TOKEN, {"Content-Type": "application/xml"})
        return self._since(path, shelf, int(token))

    def _since(self, path: str, shelf: Shelf, number: int) -> Answer:
        last = number + 1 if self.lie is Lie.PAGES and shelf.now > number else shelf.now
        more = [_MORE.format(path)] if last < shelf.now else []
        names = dict.fromkeys(shelf.log[number:last])
        if self.lie is Lie.REPEATS:
            names |= dict.fromkeys(list(shelf.items)[:2])
        found = [
            _member(path, (name, shelf.items[name]))
            if name in shelf.items and not self._denies(shelf, name, number)
            else _GONE.format(path + name)
            for name in names
            if name in shelf.items or self.lie is not Lie.NO_DELETIONS
        ]
        return _synced(last, *found, *more)

    def _denies(self, shelf: Shelf, name: str, number: int) -> bool:
        """Return whether an item that is there is called deleted."""
        return self.lie is Lie.ONLY_DELETIONS and shelf.deletions.get(name, 0) > number

    def _report(self, shelf: Shelf, hrefs: list[str]) -> Answer:
        names = [href.rpartition("/")[2] for href in hrefs]
        if self.lie is Lie.ALL_OR_NOTHING and not shelf.items.keys() >= set(names):
            return Answer(404)
        most = 3 if self.lie is Lie.CUT else len(hrefs)
        return multistatus(*list(_bodies(shelf, hrefs))[:most])


def _bodies(shelf: Shelf, hrefs: list[str]) -> Iterator[str]:
    for href in hrefs:
        body = shelf.items.get(href.rpartition("/")[2])
        if body is not None:
            data = f"<c:calendar-data>{escape(body.decode())}</c:calendar-data>"
            yield response(href, f"<d:getetag>{_etag(body)}</d:getetag>{data}")


def _synced(token: int, *responses: str) -> Answer:
    return multistatus(*responses, f"<d:sync-token>{token}</d:sync-token>")


def _member(path: str, item: tuple[str, bytes], written: str = "") -> str:
    name, body = item
    length = f"<d:getcontentlength>{len(body)}</d:getcontentlength>"
    etag = f"<d:getetag>{_etag(body)}</d:getetag>"
    return response(path + name, f"<d:resourcetype/>{etag}{length}{written}")


def _modified(when: datetime) -> str:
    return f"<d:getlastmodified>{format_datetime(when)}</d:getlastmodified>"


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:12]}"'
