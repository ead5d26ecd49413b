"""A token is remembered only where nothing can still happen that it does not tell."""

import pytest

from caldav_run.dav.collections import Collection
from caldav_run.dav.marks import mark
from caldav_run.model import Calendar, Mark

NOW = 1_795_651_378.5


def collection(token: str) -> Collection:
    return Collection(Calendar(id="work"), "https://example.org/work/", token, token)


@pytest.mark.parametrize("token", ["1795651378", "1795651377", "1795651400"])
def test_a_second_that_is_hardly_over_is_not_remembered(token: str) -> None:
    assert mark(collection(token), token, 1.0, NOW) == Mark(None, None, 1.0)


def test_a_second_long_past_is_remembered() -> None:
    token = "1795651200"
    assert mark(collection(token), token, 1.0, NOW) == Mark(f"{token} {token}", token, 1.0)


@pytest.mark.parametrize("token", ["http://sabre.io/ns/sync/1795651378", "data:,7", "12"])
def test_a_token_that_is_no_time_is_remembered(token: str) -> None:
    assert mark(collection(token), token, 1.0, NOW).token == token


def test_a_calendar_without_tokens_has_nothing_to_remember() -> None:
    bare = Collection(Calendar(id="work"), "https://example.org/work/")
    assert mark(bare, None, 1.0, NOW) == Mark(None, None, 1.0)
