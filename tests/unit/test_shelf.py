"""Where the files of managed attachments lie."""

import pytest

from caldav_run import shelf
from caldav_run.shelf import Place


@pytest.mark.parametrize(
    "place",
    [
        Place("family", "a.ics", "m1"),
        Place("/dav/team/work", "a b/c%2F.ics", "id/with?odd#signs"),
        Place("k\u00e4lender", "\udcff.ics", "\u00e4"),
    ],
)
def test_a_name_leads_back_to_its_place(place: Place) -> None:
    assert shelf.place(place.name) == place
    assert place.name.count("/") == 2


@pytest.mark.parametrize("name", ["", "a", "a/b", "a/b/c/d"])
def test_another_name_is_no_place(name: str) -> None:
    assert shelf.place(name) is None
