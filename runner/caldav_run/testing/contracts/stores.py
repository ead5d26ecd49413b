"""The promises of `Store`: where a repository's objects lie."""

from datetime import timedelta

import pytest

from caldav_run.repository.store import MissingObjectError, Store

_NAMES = ("b", "a/2/x", "a/1", "a-b", "a/2/w")
_LARGE = 17 << 20


def names(store: Store, prefix: str = "", after: str = "") -> list[str]:
    """Return the names of a listing."""
    return [each.name for each in store.list(prefix, after)]


class StoreContract:
    """Inherit from this and give the fixture `store`."""

    @pytest.fixture
    def store(self) -> Store:
        """Return a store in a place where nothing is."""
        raise NotImplementedError

    def test_an_empty_place_lists_nothing(self, store: Store) -> None:
        """It need not be made before."""
        assert list(store.list()) == []
        assert list(store.list("a/")) == []

    def test_objects_are_listed_by_name_with_their_sizes(self, store: Store) -> None:
        """The order is that of the whole names, not of folders."""
        for name in _NAMES:
            store.put(name, name.encode())
        found = [(each.name, each.size) for each in store.list()]
        assert found == [(name, len(name)) for name in sorted(_NAMES)]

    def test_a_prefix_is_a_folder(self, store: Store) -> None:
        """What only begins with the same letters is not in it."""
        for name in _NAMES:
            store.put(name, b"1")
        assert names(store, "a/") == ["a/1", "a/2/w", "a/2/x"]
        assert names(store, "a/2/") == ["a/2/w", "a/2/x"]
        assert names(store, "none/") == []

    def test_names_up_to_a_given_one_are_passed_over(self, store: Store) -> None:
        """The given one need not exist."""
        for name in _NAMES:
            store.put(name, b"1")
        assert names(store, after="a/2/w") == ["a/2/x", "b"]
        assert names(store, after="a/2/") == ["a/2/w", "a/2/x", "b"]
        assert names(store, "a/", "a/2") == ["a/2/w", "a/2/x"]
        assert names(store, "a/", "a/1") == ["a/2/w", "a/2/x"]
        assert names(store, after="b") == []

    def test_a_listing_tells_when_an_object_was_stored(self, store: Store) -> None:
        """The store's clock says so, in a zone."""
        store.put("a", b"1")
        (found,) = store.list()
        assert found.modified.utcoffset() == timedelta(0)

    def test_an_object_is_given_back_byte_by_byte(self, store: Store) -> None:
        """The largest packs too, and an empty object."""
        large = bytes(range(256)) * (_LARGE >> 8)
        for name, data in {"a/empty": b"", "a/large": large}.items():
            store.put(name, data)
            assert store.get(name) == data
        assert [each.size for each in store.list()] == [0, _LARGE]

    def test_a_missing_object_is_named(self, store: Store) -> None:
        """A folder is no object."""
        store.put("a/b/c", b"1")
        with pytest.raises(MissingObjectError, match="a/d is missing"):
            store.get("a/d")

    def test_storing_again_changes_nothing(self, store: Store) -> None:
        """So that a lost answer may be followed by another attempt."""
        for _ in range(2):
            store.put("a/b", b"1")
            assert names(store) == ["a/b"]
            assert store.get("a/b") == b"1"

    def test_what_is_deleted_is_gone(self, store: Store) -> None:
        """Deleting what is not there is no error."""
        store.put("a/1", b"1")
        store.put("a/2", b"1")
        for _ in range(2):
            store.delete("a/1")
            store.delete("none/1")
            assert names(store) == ["a/2"]
        with pytest.raises(MissingObjectError):
            store.get("a/1")
