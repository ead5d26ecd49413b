"""Object storages on real S3 endpoints: the promises of a store, and what can go wrong."""

import pytest

from caldav_run.repository.store import Store
from caldav_run.repository.stores import open_store
from caldav_run.testing.contracts import StoreContract


class TestS3(StoreContract):
    @pytest.fixture
    def store(self, s3_place: str) -> Store:
        return open_store(s3_place)

    def test_a_listing_is_whole_beyond_a_page(self, store: Store) -> None:
        wanted = [f"a/{number:04}" for number in range(1005)]
        for name in wanted:
            store.put(name, b"")
        assert [each.name for each in store.list("a/")] == wanted
        assert [each.name for each in store.list(after="a/0001")] == wanted[2:]
