import pytest

from caldav_run.engine.trail import Sure, Touched
from caldav_run.engine.undo import Way, decide
from caldav_run.model import Stamp, Version

OLD, NEW, OTHER = b"old", b"new", b"other"


def there(digest: bytes, href: str = "a.ics", etag: str | None = '"1"') -> Version:
    return Version(
        uid="a", href=href, etag=etag, digest=digest, stamp=Stamp(), scheduled=False, label="A"
    )


def touched(
    before: bytes | None,
    after: bytes | None,
    sure: Sure = Sure.DONE,
    *,
    href: str | None = "a.ics",
    etag: str | None = None,
) -> Touched:
    return Touched(
        calendar="c",
        href=href,
        was=None if before is None else href,
        uid="a",
        before=before,
        after=set() if after is None else {after},
        etag=etag,
        sure=sure,
    )


@pytest.mark.parametrize(
    ("item", "present", "way"),
    [
        # What the run added.
        (touched(None, NEW), [there(NEW)], Way.DELETE),
        (touched(None, NEW), [], Way.NOTHING),
        (touched(None, NEW), [there(OTHER)], Way.CONFLICT),
        (touched(None, NEW, etag='"1"'), [there(OTHER)], Way.DELETE),
        (touched(None, NEW, etag='"2"'), [there(OTHER)], Way.CONFLICT),
        (touched(None, NEW, Sure.UNKNOWN, href=None), [there(NEW, "b.ics")], Way.DELETE),
        (touched(None, NEW, Sure.UNKNOWN, href=None), [there(OTHER, "b.ics")], Way.NOTHING),
        (touched(None, NEW, Sure.FAILED), [there(OTHER)], Way.NOTHING),
        (touched(None, NEW, href="a@b.ics"), [there(NEW, "a%40b.ics")], Way.DELETE),
        (
            touched(None, NEW, href="a@b.ics"),
            [there(OTHER, "a%40b.ics"), there(NEW, "a@b.ics")],
            Way.DELETE,
        ),
        # What it replaced.
        (touched(OLD, NEW), [there(NEW)], Way.REPLACE),
        (touched(OLD, NEW), [there(OLD)], Way.NOTHING),
        (touched(OLD, NEW), [there(OTHER)], Way.CONFLICT),
        (touched(OLD, NEW), [], Way.CONFLICT),
        (touched(OLD, NEW, href="a%20b.ics"), [there(NEW, "a b.ics")], Way.REPLACE),
        (touched(OLD, NEW, Sure.UNKNOWN), [there(OLD)], Way.NOTHING),
        (touched(OLD, NEW, Sure.UNKNOWN), [there(NEW)], Way.REPLACE),
        (touched(OLD, NEW, Sure.FAILED), [there(NEW)], Way.REPLACE),
        (touched(OLD, NEW, Sure.FAILED), [there(OTHER)], Way.NOTHING),
        # What it deleted.
        (touched(OLD, None), [], Way.ADD),
        (touched(OLD, None), [there(OLD)], Way.NOTHING),
        (touched(OLD, None), [there(OTHER)], Way.CONFLICT),
        (touched(OLD, None), [there(OLD, "b.ics")], Way.NOTHING),
        (touched(OLD, None), [there(OTHER, "b.ics")], Way.ADD),
        (touched(OLD, None, Sure.UNKNOWN), [], Way.ADD),
        (touched(OLD, None, Sure.FAILED), [], Way.NOTHING),
    ],
)
def test_an_item_comes_back_unless_somebody_changed_it_since(
    item: Touched, present: list[Version], way: Way
) -> None:
    assert decide(item, present).way is way


def test_a_conflict_says_what_happened() -> None:
    assert decide(touched(OLD, NEW), []).reason == "it was deleted after the run"
    assert decide(touched(OLD, NEW), [there(OTHER)]).reason == "it was changed after the run"
