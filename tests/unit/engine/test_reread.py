from collections.abc import Iterator, Sequence
from datetime import datetime

from caldav_run.connectors.protocol import Baseline
from caldav_run.engine.reread import Reread
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarStart,
    Changed,
    Failed,
    Item,
    Provenance,
    Reading,
    Unchanged,
)
from caldav_run.repository.check.findings import Finding, Severity
from caldav_run.repository.snapshots import ItemInfo

BODY = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
SAME_WITH_LF = b"BEGIN:VCALENDAR\nEND:VCALENDAR\n"


class Scripted:
    """A source that gives what it is told to, and honours the baseline as every source does."""

    account = "cloud"
    selection = ""
    as_of: datetime | None = None

    def __init__(self, *items: Item | Failed) -> None:
        self.items = items
        self.fetched: list[str] = []

    def origin(self) -> str:
        return "here"

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        yield CalendarStart(Calendar(id="family"))
        for each in self.items:
            if isinstance(each, Failed):
                yield each
            elif baseline.etag(each.calendar, each.href) == each.etag:
                yield Unchanged(each.calendar, each.href)
            else:
                self.fetched.append(each.href)
                yield Changed(each)
        yield CalendarDone("family")

    def close(self) -> None:
        """Nothing is open."""


def item(href: str, body: bytes = BODY, etag: str = '"1"') -> Item:
    return Item("family", href, etag, body, Provenance.GET)


def held(href: str, body: bytes = BODY, provenance: Provenance = Provenance.GET) -> ItemInfo:
    sha256 = item(href, body).sha256
    return ItemInfo(calendar="family", href=href, etag='"1"', sha256=sha256, provenance=provenance)


def reread(
    source: Scripted, known: Sequence[ItemInfo], sample: set[str], body: bytes | None = None
) -> tuple[Reread, list[Finding]]:
    by_key = {(each.calendar, each.href): each for each in known}
    rereading = Reread(by_key, {("family", href) for href in sample}, lambda _: body)
    return rereading, list(rereading.check(source))


def test_only_the_sample_is_fetched_and_equal_bytes_are_fine() -> None:
    source = Scripted(item("a"), item("b"))
    done, found = reread(source, [held("a"), held("b")], {"b"})
    assert (source.fetched, found, done.compared, done.passed) == (["b"], [], 1, 0)


def test_other_bytes_under_the_same_etag_are_damage() -> None:
    _, (found,) = reread(Scripted(item("a", b"other")), [held("a")], {"a"})
    assert (found.severity, found.name) == (Severity.DAMAGE, "cloud/family/a")
    assert 'under the same etag, "1"' in found.what


def test_what_has_changed_since_is_not_compared() -> None:
    done, found = reread(Scripted(item("a", b"other", '"2"')), [held("a")], {"a"})
    assert (found, done.compared, done.passed) == ([], 0, 1)


def test_what_is_new_is_passed_over() -> None:
    done, found = reread(Scripted(item("new"), item("a")), [held("a")], {"a"})
    assert (found, done.compared) == ([], 1)


def test_bytes_that_came_another_way_are_compared_without_line_ends() -> None:
    known = [held("a", provenance=Provenance.REPORT)]
    source = Scripted(item("a", SAME_WITH_LF))
    done, found = reread(source, known, {"a"}, BODY)
    assert (found, done.compared) == ([], 1)
    _, (finding,) = reread(source, known, {"a"}, b"other")
    assert finding.severity is Severity.DAMAGE


def test_without_the_held_bytes_another_way_is_not_compared() -> None:
    known = [held("a", provenance=Provenance.REPORT)]
    done, found = reread(Scripted(item("a", SAME_WITH_LF)), known, {"a"})
    assert (found, done.compared, done.passed) == ([], 0, 1)


def test_what_the_source_does_not_give_is_a_warning() -> None:
    failures = (Failed("family", "a", "500"), Failed("work", None, "403"))
    _, found = reread(Scripted(*failures), [held("a")], {"a"})
    assert [(each.severity, each.name) for each in found] == [
        (Severity.WARNING, "cloud/family/a"),
        (Severity.WARNING, "cloud/work/"),
    ]
