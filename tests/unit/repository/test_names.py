import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.repository import names

TIME = datetime(2026, 5, 1, 8, 0, 0, tzinfo=UTC)
GENERATION = names.new_generation("0" * 20, "abcdef01", TIME)
HASH = "5" * 64


def test_names_are_read_back() -> None:
    segment = names.parse_segment(GENERATION.segment(7, TIME, HASH))
    assert segment is not None
    assert (segment.generation, segment.number, segment.time) == (GENERATION, 7, TIME)
    assert names.parse_pack(GENERATION.pack(HASH)) == GENERATION
    run = names.parse_run(names.run_name(TIME, "abcdef01", HASH))
    assert run is not None
    assert (run.time, run.writer) == (TIME, "abcdef01")
    assert names.sha256_of(segment.name) == HASH
    stone = names.parse_tombstone(GENERATION.tombstone(TIME, HASH))
    assert stone is not None
    assert (stone.generation, stone.time, stone.sha256) == (GENERATION, TIME, HASH)
    assert names.sha256_of(stone.name) == HASH


def test_a_new_generation_has_a_name_that_is_read_back() -> None:
    generation = names.new_generation("0" * 20, "abcdef01", TIME)
    assert names.parse_pack(generation.pack(HASH)) == generation
    assert generation != names.new_generation("0" * 20, "abcdef01", TIME)


def test_a_bundle_is_called_like_its_hash() -> None:
    assert names.bundle_name(HASH) == f"keys/{HASH}.age"
    assert names.parse_bundle(f"keys/{HASH}.age") == HASH
    assert names.parse_bundle(f"keys/{HASH}.age.tmp") is None


def test_a_writer_is_the_beginning_of_its_keys_hash() -> None:
    digest = hashlib.sha256(b"a public key")
    fingerprint = "SHA256:" + base64.b64encode(digest.digest()).decode().rstrip("=")
    assert names.writer_of(fingerprint) == digest.hexdigest()[:8]


@pytest.mark.usefixtures("elsewhere")
def test_a_name_holds_utc_whatever_zone_the_machine_is_in() -> None:
    assert names.compact(TIME) == "20260501T080000Z"


@pytest.mark.parametrize(
    "name",
    [
        "README.txt",
        f"a/{'0' * 20}/20261301T000000Z-abcdef01-000000/pack-{HASH}.tar.zst.age",
        (
            f"a/{'0' * 20}/20261301T000000Z-abcdef01-000000/seg-00000000-20260501T080000Z-{HASH}"
            ".tar.zst.age"
        ),
        f"a/{'0' * 20}/20261301T000000Z-abcdef01-000000/zz-expire-20260501T080000Z-{HASH}",
        f"runs/2026-13/20261301T000000Z-abcdef01-{HASH}.tar.zst.age",
    ],
)
def test_other_names_tell_nothing(name: str) -> None:
    assert names.parse_segment(name) is None
    assert names.parse_pack(name) is None
    assert names.parse_run(name) is None
    assert names.parse_tombstone(name) is None


@given(calendar=st.text(max_size=80), href=st.text(max_size=200))
def test_a_member_is_a_plain_path_in_one_folder(calendar: str, href: str) -> None:
    member = names.member(1, calendar, href)
    folder, _, name = member.partition("/")
    assert folder not in {"", ".", ".."}
    assert "/" not in name
    assert member.isascii()
    assert len(member) <= 40 + 1 + 7 + 60 + 4


@pytest.mark.parametrize(
    ("calendar", "href", "member"),
    [
        ("Work/Büro", "a%40b.ics", "Work-B-ro/000007-a@b.ics"),
        ("..", "..ics", "calendar/000007-item.ics"),
        ("XX", "-X.ICS", "XX/000007-X.ICS.ics"),
        ("c" * 50, "h" * 70, f"{'c' * 40}/000007-{'h' * 60}.ics"),
    ],
)
def test_a_member_is_readable(calendar: str, href: str, member: str) -> None:
    assert names.member(7, calendar, href) == member


@pytest.mark.parametrize(
    ("href", "stem"), [("a.ics", "a"), ("a%40b.ics", "a@b"), ("x/y", "y"), ("", "")]
)
def test_an_href_suggests_a_uid(href: str, stem: str) -> None:
    assert names.stem(href) == stem


def test_accounts_cannot_be_guessed_from_streams() -> None:
    assert names.stream_name(b"1" * 32, "cloud") != names.stream_name(b"2" * 32, "cloud")
    assert names.stream_name(b"1" * 32, "cloud") != names.stream_name(b"1" * 32, "home")
    hashed = hmac.digest(b"1" * 32, b"cloud", "sha256").hex()
    assert names.stream_name(b"1" * 32, "cloud") == hashed[:20]


def test_a_rewritten_generation_sorts_before_its_original_and_takes_no_name_twice() -> None:
    original = names.GenerationName("20260501T080000Z-abcdef01-001000", "0" * 20, "abcdef01", TIME)
    taken = {f"20260501T080000Z-abcdef01-{end:06x}" for end in range(0x1000)} - {
        "20260501T080000Z-abcdef01-000800"
    }
    found = names.rewritten_generation(original, "abcdef01", taken)
    assert found.name == "20260501T080000Z-abcdef01-000800"
    assert found < original
    assert found.begun == TIME
    assert names.parse_pack(found.pack(HASH)) == found
