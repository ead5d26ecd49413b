from datetime import UTC, datetime

import pytest

from caldav_run.errors import UsageError
from caldav_run.repository.references import is_reference, resolve
from caldav_run.repository.snapshots import SnapshotInfo

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)


def info(identity: str, day: int, account: str = "cloud") -> SnapshotInfo:
    return SnapshotInfo(
        id=identity.ljust(64, "0"),
        account=account,
        time=datetime(2026, 5, day, 8, tzinfo=UTC),
        generation="g",
        number=day,
        counts=None,
        guarded=False,
    )


KNOWN = [info("aa11", 1), info("aa22", 2), info("bb33", 3)]


@pytest.mark.parametrize(
    ("ref", "day"),
    [
        ("latest", 3),
        ("latest~2", 1),
        ("bb33", 3),
        ("BB33", 3),
        ("aa22".ljust(64, "0"), 2),
        ("2026-05-02", 2),
        ("20260502", 2),
        ("2026-05-02T12:00:00+02:00", 2),
        ("2026-05-02T09:00:00+02:00", 1),
        ("2026-05-02T08:00:00Z", 2),
        ("1 week ago", 3),
        ("8 days ago", 2),
        ("today", 3),
    ],
)
def test_a_snapshot_is_found_by_what_a_person_calls_it(ref: str, day: int) -> None:
    assert resolve(KNOWN, ref, NOW).number == day


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("latest~3", "there are 3 in all"),
        ("aa", "there is no snapshot aa; give latest, latest~2, an id or its first digits"),
        ("aaaa", "there is no snapshot aaaa"),
        ("2 weaks ago", "3 days ago, 2 weeks ago, 1 month ago"),
        ("2026-04-30", "no snapshot as old as 2026-04-30; the oldest is of 2026-05-01 08:00"),
        ("1 month ago", "no snapshot as old"),
    ],
)
def test_what_names_no_snapshot_is_an_error_that_helps(ref: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve(KNOWN, ref, NOW)


def test_an_ambiguous_beginning_of_an_id_lists_what_it_could_mean() -> None:
    twins = [info("aabb1", 1), info("aabb2", 2)]
    with pytest.raises(UsageError, match="2 snapshots") as caught:
        resolve(twins, "aabb", NOW)
    assert caught.value.mend == (
        "give more of it: aabb10000000 (cloud, 2026-05-01), aabb20000000 (cloud, 2026-05-02)"
    )
    ten = [info(f"aabb{number:02}", 1) for number in range(10)]
    with pytest.raises(UsageError, match=r"aabb09000000 \(cloud, 2026-05-01\)$"):
        resolve(ten, "aabb", NOW)
    many = [info(f"aabb{number:02}", 1) for number in range(12)]
    with pytest.raises(UsageError, match=r"aabb09000000 \(cloud, 2026-05-01\), 2 more$"):
        resolve(many, "aabb", NOW)


def test_digits_that_are_an_id_and_a_date_are_the_id() -> None:
    assert resolve([info("20260501", 2), info("aa11", 3)], "20260501", NOW).number == 2
    assert resolve([info("20260502", 1), info("aa11", 1)], "20260501", NOW).id.startswith("aa11")


def test_words_about_one_account_need_one() -> None:
    both = [*KNOWN, info("cc44", 4, "other")]
    assert resolve(both, "cc44", NOW).account == "other"
    for ref in ("latest", "2026-05-01"):
        with pytest.raises(UsageError, match="cloud, other"):
            resolve(both, ref, NOW)


def test_nothing_is_found_in_nothing() -> None:
    with pytest.raises(UsageError, match="there are 0 in all"):
        resolve([], "latest", NOW)
    with pytest.raises(UsageError, match="no snapshot as old as 2026-05-01;"):
        resolve([], "2026-05-01", NOW)
    with pytest.raises(UsageError, match=": there is 1 in all"):
        resolve(KNOWN[:1], "latest~1", NOW)


@pytest.mark.parametrize("text", ["latest", "latest~7", "abcd", "2026-05-01", "yesterday"])
def test_a_form_is_known_without_a_repository(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize("text", ["", "latest~", "latest~x", "abc", "2026-13-01", "soon"])
def test_another_form_is_refused_without_a_repository(text: str) -> None:
    assert not is_reference(text)


def test_a_safety_snapshot_is_not_meant_unless_it_is_named_or_alone() -> None:
    saved = info("cc44", 4, "before-cloud-1a2b3c4d")
    assert resolve([*KNOWN, saved], "latest", NOW).number == 3
    assert resolve([*KNOWN, saved], "cc44", NOW).number == 4
    assert resolve([saved], "latest", NOW).number == 4
