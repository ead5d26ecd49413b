"""Which store a location means, and what every store promises."""

import itertools
from pathlib import Path

import pytest

from caldav_run.errors import SetupError
from caldav_run.repository.local import LocalStore
from caldav_run.repository.storage import parse_address
from caldav_run.repository.store import Store
from caldav_run.repository.stores import open_store
from caldav_run.testing.contracts import StoreContract

_numbers = itertools.count()


class TestLocalStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return open_store(str(tmp_path / "new" / "store"))


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return open_store(f"memory://test-{next(_numbers)}/prefix")


def test_a_path_means_a_folder(tmp_path: Path) -> None:
    assert isinstance(open_store(str(tmp_path)), LocalStore)
    assert isinstance(open_store("s3:backups"), LocalStore)


def test_what_lies_in_memory_is_found_again_by_its_location() -> None:
    open_store("memory://shared/a/").put("x", b"1")
    assert open_store("memory://shared/a").get("x") == b"1"
    assert list(open_store("memory://shared/b").list()) == []


def test_a_location_has_one_spelling() -> None:
    for text in ("s3://backups/home", "S3://backups/home/", "s3://backups//home"):
        assert open_store(text).location == "s3://backups/home"
    assert open_store("s3://backups/").location == "s3://backups"


def test_an_unknown_kind_of_place_is_told_with_the_known_ones() -> None:
    with pytest.raises(SetupError, match=r"at ftp://.*s3://, gs://, az://, memory://"):
        open_store("ftp://example.org/x")


@pytest.mark.parametrize(
    "text",
    [
        "s3://",
        "s3:///x",
        "s3://b/x//y",
        "s3://b/../y",
        "s3://b/.",
        "s3://b?x=1",
        "s3://b/x#y",
        "s3://b b/x",
        "s3://alice:hunter2@b/x",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SetupError, match="s3://bucket/prefix") as caught:
        parse_address(text)
    assert "hunter2" not in str(caught.value)
