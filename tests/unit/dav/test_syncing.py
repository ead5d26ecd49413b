"""Answers to a sync token that are of no use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from caldav_run.dav import syncing
from caldav_run.dav.multistatus import Response

if TYPE_CHECKING:
    from caldav_run.dav.connection import Connection


@dataclass
class Endless:
    """Calls more members gone than anybody listens to."""

    told: int = 0

    def multistatus(self, *asked: Any, **more: Any) -> Iterator[Response]:
        del asked, more
        for self.told in range(1, 100):
            yield Response(f"/w/{self.told}.ics", "http://127.0.0.1/w/", 404, {})


def test_more_members_that_are_gone_than_a_listing_has_are_not_listened_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(syncing, "_MOST", 10)
    endless = Endless()
    assert syncing.changes(cast("Connection", endless), "http://127.0.0.1/w/", "token") is None
    assert endless.told == 11
