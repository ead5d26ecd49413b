"""Measures what a server can do, in words for docs/servers.md; nothing here is expected of it."""

import secrets
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from lxml import etree
from tests.integration.servers.calendars import Made
from tests.integration.servers.raw import CALDAV, DAV, SERVER, Answer, Raw, resources

_DATA: Final = f"{CALDAV}calendar-data"
_ITEMS: Final = 3
_ALL: Final = '<c:filter><c:comp-filter name="VCALENDAR">{}</c:comp-filter></c:filter>'


def capabilities(raw: Raw) -> Mapping[str, str]:
    """Return the answers by what was asked for."""
    found: dict[str, str] = {}
    for name, measure in _MEASURES.items():
        calendar = Made(raw, f"caldav-run-{secrets.token_hex(4)}")
        calendar.make("Measured")
        try:
            for number in range(_ITEMS):
                calendar.put(f"{number}.ics", event(f"{calendar.name}-{number}"))
            found[name] = measure(calendar)
        finally:
            calendar.drop()
    return found


def event(uid: str, summary: str = "Lunch") -> bytes:
    """Return an event that every server takes."""
    lines = (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//caldav-run//test//EN", "BEGIN:VEVENT"),
        *(f"UID:{uid}", "DTSTAMP:20260101T000000Z", "DTSTART:20260501T120000Z"),
        *("DTEND:20260501T130000Z", f"SUMMARY:{summary}", "END:VEVENT", "END:VCALENDAR", ""),
    )
    return "\r\n".join(lines).encode()


def _well_known(calendar: Made) -> str:
    answer = calendar.raw.send("PROPFIND", "/.well-known/caldav", headers={"Depth": "0"})
    place = urlsplit(answer.headers.get("location", "")).path
    return f"{answer.status} {place}".strip()


def _home(calendar: Made) -> str:
    answer = calendar.raw.propfind(calendar.raw.account.home, 1, "d:resourcetype")
    home = calendar.raw.account.home.rstrip("/")
    others = sorted(
        _name(each.href)
        for each in resources(answer.body)
        if each.href.rstrip("/") != home
        and f"{CALDAV}calendar" not in each.kinds()
        and "caldav-run" not in each.href
    )
    return ", ".join(others) or "nothing"


def _scheduling(calendar: Made) -> str:
    answer = calendar.raw.propfind(calendar.raw.account.home, 1, "d:resourcetype")
    found = [
        _name(each.href)
        for each in resources(answer.body)
        if f"{CALDAV}calendar" in each.kinds() and any("schedule" in kind for kind in each.kinds())
    ]
    return ", ".join(sorted(found)) or "none"


def _sync(calendar: Made) -> str:
    answer = calendar.raw.sync(calendar.path, "")
    return _listing(answer) if answer.status == 207 else _refusal(answer)


def _sync_data(calendar: Made) -> str:
    answer = calendar.raw.sync(calendar.path, "", "<d:getetag/><c:calendar-data/>")
    if answer.status != 207:
        return _refusal(answer)
    given = sum(bool(each.text(_DATA)) for each in resources(answer.body))
    return "yes" if given == _ITEMS else "no" if not given else f"for {given} of {_ITEMS}"


def _bad_token(calendar: Made) -> str:
    answer = calendar.raw.sync(calendar.path, "http://example.org/never-issued/1")
    return _listing(answer) if answer.status == 207 else _refusal(answer)


def _unchanged(calendar: Made) -> str:
    return _since(calendar, lambda: None)


def _come_and_gone(calendar: Made) -> str:
    def change() -> None:
        calendar.put("short.ics", event(f"{calendar.name}-short"))
        calendar.remove("short.ics")

    return _since(calendar, change)


def _made_again(calendar: Made) -> str:
    def change() -> None:
        calendar.drop()
        calendar.make("Measured")
        calendar.put("again.ics", event(f"{calendar.name}-again"))

    return _since(calendar, change)


def _since(calendar: Made, change: Callable[[], None]) -> str:
    """Say what sync-collection tells after a change."""
    token = _token(calendar.raw.sync(calendar.path, ""))
    if not token:
        return "no sync-collection"
    change()
    answer = calendar.raw.sync(calendar.path, token)
    return _listing(answer) if answer.status == 207 else _refusal(answer)


def _renaming(calendar: Made) -> str:
    before = _state(calendar)
    answer = calendar.raw.rename(calendar.path, "Renamed")
    after = _state(calendar)
    moved = [name for name in ("ctag", "sync-token") if before[name] != after[name]]
    return f"{answer.status}, moves {' and '.join(moved) or 'neither'}"


def _state(calendar: Made) -> dict[str, str]:
    answer = calendar.raw.propfind(calendar.path, 0, "s:getctag", "d:sync-token")
    (found,) = resources(answer.body)[:1]
    return {"ctag": found.text(f"{SERVER}getctag"), "sync-token": found.text(f"{DAV}sync-token")}


def _tokens(calendar: Made) -> str:
    state = _state(calendar)
    return ", ".join(name for name, value in state.items() if value) or "neither"


def _missing(calendar: Made) -> str:
    hrefs = [calendar.path + name for name in ("0.ics", "missing.ics")]
    answer = calendar.raw.multiget(calendar.path, hrefs)
    if answer.status != 207:
        return f"{answer.status} for the whole report"
    named = [each.status for each in resources(answer.body) if "missing" in each.href]
    return str(named[0]) if named else "left out"


def _line_ends(calendar: Made) -> str:
    body = calendar.raw.multiget(calendar.path, [f"{calendar.path}0.ics"]).body
    if b"&#13;" in body or b"&#xd;" in body.lower():
        return "CRLF, as references"
    ends = "CRLF" if b"SUMMARY:Lunch\r\n" in body else "LF"
    return f"{ends}, CDATA" if b"<![CDATA[" in body else ends


def _query(calendar: Made) -> str:
    found = []
    for inner in ("", '<c:comp-filter name="VEVENT"/>'):
        wanted = f"<d:prop><d:getetag/></d:prop>{_ALL.format(inner)}"
        answer = calendar.raw.report(calendar.path, "c:calendar-query", wanted)
        found.append(_listing(answer) if answer.status == 207 else _refusal(answer))
    return f"{found[0]}; with VEVENT {found[1]}"


def _etags(calendar: Made) -> str:
    given = calendar.raw.put(f"{calendar.path}e.ics", event(f"{calendar.name}-e")).headers
    got = calendar.raw.get(f"{calendar.path}e.ics").headers.get("etag")
    listed = {
        _name(each.href): each.text(f"{DAV}getetag") for each in calendar.raw.members(calendar.path)
    }["e.ics"]
    by_put = "PUT gives it" if given.get("etag") == listed else "PUT does not give it"
    return f"{by_put}, GET gives {'the same' if got == listed else got or 'none'}"


def _etag_again(calendar: Made) -> str:
    def etag() -> str | None:
        return calendar.raw.get(f"{calendar.path}x.ics").headers.get("etag")

    calendar.put("x.ics", event(f"{calendar.name}-x"))
    first = etag()
    calendar.remove("x.ics")
    calendar.put("x.ics", event(f"{calendar.name}-y", "Dinner"))
    return "the SAME etag" if etag() == first else "another etag"


def _overwriting(calendar: Made) -> str:
    headers = {"Content-Type": "text/calendar; charset=utf-8", "If-None-Match": "*"}
    body = event(f"{calendar.name}-0", "Dinner")
    return str(calendar.raw.send("PUT", f"{calendar.path}0.ics", body, headers).status)


def _collection(calendar: Made) -> str:
    answer = calendar.raw.get(calendar.path)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    return f"{answer.status} {kind}".strip()


def _listing(answer: Answer) -> str:
    """Say which members a multistatus names."""
    members = [each for each in resources(answer.body) if not each.href.endswith("/")]
    gone = sum(each.status == 404 for each in members)
    return f"{len(members) - gone} there" + (f", {gone} gone" if gone else "")


def _refusal(answer: Answer) -> str:
    try:
        root = etree.fromstring(answer.body)
    except etree.XMLSyntaxError:
        return str(answer.status)
    names = [str(each.tag).rpartition("}")[2] for each in root]
    return f"{answer.status} {', '.join(name for name in names[:1])}".strip()


def _token(answer: Answer) -> str:
    if answer.status != 207:
        return ""
    return etree.fromstring(answer.body).findtext(f"{DAV}sync-token") or ""


def _name(href: str) -> str:
    return href.rstrip("/").rpartition("/")[2]


_MEASURES: Final[Mapping[str, Callable[[Made], str]]] = {
    "`.well-known/caldav`": _well_known,
    "in the home beside calendars": _home,
    "calendars typed as scheduling boxes too": _scheduling,
    "state of a calendar": _tokens,
    "renaming a calendar": _renaming,
    "sync-collection, empty token": _sync,
    "calendar-data in it": _sync_data,
    "a token that was never issued": _bad_token,
    "nothing has changed": _unchanged,
    "one item came and went": _come_and_gone,
    "old token, calendar deleted and made again with one item": _made_again,
    "multiget of a missing href": _missing,
    "line ends in a multiget": _line_ends,
    "calendar-query of VCALENDAR": _query,
    "etags": _etags,
    "an item deleted and made again with other content has": _etag_again,
    "`If-None-Match: *` on an item that is there": _overwriting,
    "GET of a calendar": _collection,
}
