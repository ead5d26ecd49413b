"""What each server is known to refuse or to change of the corpus, and why.

`test_the_server_refuses_and_changes_only_what_is_known` holds every run against it, so that a new
release of a server that treats an item otherwise is noticed. The reasons go into `docs/servers.md`.
"""

from typing import Final

from tests.integration.servers.description import EVERY_OTHER, Deviation


def _because(reason: str, *items: str) -> Deviation:
    return Deviation(reason, frozenset(items))


_NO_XML: Final = ("vertical-tab", "start-of-heading", "escape")
_NO_UTF8: Final = ("latin-1", "surrogates")
_CUT_CHARACTERS: Final = ("folded", "fold-within")
_NO_OBJECT: Final = ("no-calendar", "empty", "nothing-in-it")
_NOT_FOR_MEMBERS: Final = ("free-busy", "availability")
_UID_TWICE: Final = _because("the same UID twice in a calendar is refused", "same-uid-2")


def _losing(*reasons: Deviation) -> dict[str, str]:
    """Return why something of an item is lost, by the name of the item or of the property."""
    return {name: each.reason for each in reasons for name in sorted(each.items)}


_CONTROLS: Final = (*_NO_XML, "null", "tab-and-delete", "bare-return")
_DROPPED: Final = _because("control characters are dropped or replaced", *_CONTROLS)
_LATIN: Final = _because(
    "what is no UTF-8 is read as Latin-1, also a character that a fold cuts in two",
    *(*_NO_UTF8, *_CUT_CHARACTERS, "noncharacter"),
)
_NO_LINE: Final = _because("a line that is none is dropped", "no-colon", "text-behind")
RADICALE_LOSES: Final = _losing(
    _because(
        "vobject cuts an X- property at a comma that is not escaped",
        *("X-APPLE-STRUCTURED-LOCATION", "X-PARAMETERS"),
    ),
    _DROPPED,
    _LATIN,
)
XANDIKOS_LOSES: Final = _losing(
    _because("icalendar escapes the semicolons of REQUEST-STATUS", "REQUEST-STATUS"),
    _because(
        "what SOGo has escaped where it has a meaning is spelled in yet another way",
        *("GEO", "X-APPLE-STRUCTURED-LOCATION"),
    ),
    _because("a lone carriage return is made something else", "bare-return"),
    _NO_LINE,
)
CYRUS_LOSES: Final = _losing(
    _because("libical keeps 500 of 2,000 dates", "dates-2000"),
    _because("libical drops blanks at the end of a text", "text", "line"),
    _because("libical drops components that it does not know", "nested"),
    _because("what is behind or missing at the end is mended", "no-calendar-end", "text-behind"),
    _DROPPED,
)
DAVICAL_LOSES: Final = _losing(
    _because("no XML can carry it, and its multiget has another character there", "noncharacter"),
    _because("the same for control characters", *_CONTROLS),
)
SABRE_LOSES: Final = _losing(
    _LATIN,
    _because("the same for what another server put for a control character", *_NO_XML),
    _because("a REPORT does not give what is behind a null", "null"),
)
NEXTCLOUD_LOSES: Final = _losing(
    _DROPPED, _LATIN, _because("a UID is added where there is none", "no-uid")
)
SOGO_LOSES: Final = _losing(
    _DROPPED,
    _NO_LINE,
    _because("a time without a zone becomes one in UTC", "focus"),
    _because("an end or a start is added or moved", "no-end", "no-start", "end-before-start"),
    _because("a value without meaning is made another one", "bad-start", "empty-values"),
    _because(
        "semicolons and backslashes are escaped where they have a meaning",
        *("GEO", "REQUEST-STATUS", "X-APPLE-STRUCTURED-LOCATION"),
    ),
    _because("of two calendars in one item the second is dropped", "two-calendars"),
    _because("what is missing at the end is mended", "no-calendar-end", "no-event-end"),
    _because("the version of the format is changed", "version-1"),
)
RADICALE: Final = (
    _because(
        "vobject takes only what it can write anew: one value for each property, known values,"
        " whole components of one UID",
        *("foreign-name", "periods", "chronicle", "mark", "end-and-duration", "bad-rule"),
        *("summary-twice", "no-colon", "empty-values", "two-uids", "event-and-task", "no-uid"),
        *("no-start", "no-calendar-end", "no-event-end", "bad-start", "two-calendars"),
        *("text-behind", *_NO_OBJECT, *_NOT_FOR_MEMBERS),
    ),
    _because("it looks for a file of the name", "semi;colon,comma=equal", "quote'\""),
    _UID_TWICE,
    _because(
        "vobject writes durations, quotes and escapes in its own way",
        *("order", "extensions", "markup", "plus+and&amp;"),
    ),
    _because("a VTIMEZONE for a known TZID is added", "zone-missing"),
    _because("control characters are dropped", *_NO_XML, "null", "bare-return"),
    _because(
        "what is no UTF-8 is read as Latin-1, also a character that a fold cuts in two",
        *(*_NO_UTF8, *_CUT_CHARACTERS),
    ),
    _because("what is missing is added", "no-prodid", "no-version", "no-stamp"),
)
XANDIKOS: Final = (
    _because(
        "icalendar refuses control characters, what is no UTF-8 (also where a fold cuts a character"
        " in two), a byte order mark, and what is not one whole calendar",
        *(*_NO_XML, "tab-and-delete", "null", "mark", *_NO_UTF8, *_CUT_CHARACTERS),
        *("no-calendar-end", "no-event-end", "two-calendars", "text-behind"),
        *("no-calendar", "empty"),
    ),
    _UID_TWICE,
    _because(
        "icalendar writes durations, the parts of rules, statuses and escapes in its own way",
        *("order", "extensions", "markup", "plus+and&amp;"),
        *("zone", "zone-only", "zone-unused", "zone-last"),
    ),
    _because("a lone carriage return ends a line", "bare-return"),
    _because("a line that is none is dropped", "no-colon"),
)
_CYRUS: Final = (
    _because(
        "libical refuses what it cannot parse, and what the standard allows once or not at all",
        *("extensions", "people", "chronicle", "end-before-start", "end-and-duration"),
        *("bad-rule", "summary-twice", "no-colon", "empty-values", "two-uids", "zone-only"),
        *("null", "no-uid", "no-event-end", "bad-start", "method", "two-calendars", *_NO_OBJECT),
    ),
    _because("the same UID twice in an account is refused", "same-uid-2"),
    _because(
        "libical splits lists into one property for each value",
        *("order", "recurring", "periods", "dates-2000"),
    ),
    _because(
        "libical writes the parts of rules in its own order", "zone", "zone-unused", "zone-last"
    ),
    _because(
        "libical drops empty properties, components that it does not know, `VALUE=URI`, and blanks"
        " at the end, and escapes in its own way",
        *("text", "nested", "alarms", "line", "markup", "plus+and&amp;", "bare-return"),
    ),
    _because("what is behind or missing at the end is mended", "no-calendar-end", "text-behind"),
)
CYRUS_36: Final = (
    *_CYRUS,
    _because("an event without an end is refused", "no-end"),
    _because("its file system refuses the name with 500", "quote'\""),
)
CYRUS_310: Final = (
    *_CYRUS,
    _because("control characters are dropped", *_NO_XML, "tab-and-delete"),
)
SABRE: Final = (
    _because(
        "VObject 2 refuses what it cannot parse, and what is not one object of one component kind",
        *("extensions", "foreign-name", "mark", "no-colon", "bare-return", "no-calendar-end"),
        *("no-event-end", "two-uids", "event-and-task", "zone-only", "no-uid"),
        *(*_NO_OBJECT, *_NOT_FOR_MEMBERS),
    ),
    _because(
        "a value that it cannot make a date or a rule of ends in an error of its own",
        *("bad-rule", "empty-values", "no-start", "bad-start", "far-years"),
    ),
    _because(
        "what is no UTF-8 is taken for Latin-1, also a character that a fold cuts in two",
        *(*_NO_UTF8, *_CUT_CHARACTERS, "noncharacter"),
    ),
)
DAVICAL: Final = (
    _because("what does not begin as a calendar with a component is refused", "mark", "zone-only"),
    _because("the same for what is no calendar object", *_NO_OBJECT),
    _because(
        "what its database cannot take ends in an error of its own: text that is no UTF-8, a null,"
        " a missing or malformed start, components without a table",
        *(*_NO_UTF8, *_CUT_CHARACTERS, "null", "no-start", "bad-start", *_NOT_FOR_MEMBERS),
    ),
)
SOGO: Final = (
    _because("it has neither journals nor these components", "journal", "chronicle", "zone-only"),
    _because("the same for what is no calendar object", *_NO_OBJECT, *_NOT_FOR_MEMBERS),
    _because(
        "what is no UTF-8 is refused, also a character that a fold cuts in two",
        *(*_NO_UTF8, *_CUT_CHARACTERS),
    ),
    _because("its database cannot take a null", "null"),
    _because("it stores the name in a way that it does not list", "quote'\""),
    _UID_TWICE,
    _because(
        "CLASS:PUBLIC is added, an end or a start where there is none, and a VTIMEZONE for a known"
        " TZID; empty properties are dropped, GEO and rules are written in its own way",
        EVERY_OTHER,
    ),
)
NEXTCLOUD: Final = (
    _because(
        "sabre/vobject refuses what it cannot parse, and what is not one object of one component"
        " kind that the server knows",
        *("foreign-name", "summary-twice", "no-colon", "two-uids", "event-and-task", "no-start"),
        *("no-event-end", "bad-start", "method", "version-1", "zone-only"),
        *(*_NO_OBJECT, *_NOT_FOR_MEMBERS),
    ),
    _because("a rule without any instance is refused", "no-instance"),
    _because(
        "a rule or duration without meaning is an error of its own", "bad-rule", "empty-values"
    ),
    _UID_TWICE,
    _because(
        "what is no UTF-8 is taken for Latin-1, and control characters are dropped",
        *(*_NO_UTF8, "vertical-tab", "start-of-heading", "null"),
    ),
    _because("what is missing is added", "no-prodid", "no-version", "no-stamp", "no-uid"),
)
