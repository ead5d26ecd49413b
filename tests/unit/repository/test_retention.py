"""The rules of expiry, for any history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.repository import names, retention
from caldav_run.repository.names import GenerationName
from caldav_run.repository.retention import REST, Keep, Kept, Stage, decide
from caldav_run.repository.tombstone import Grave, Reason, Tombstone

NOW = datetime(2030, 1, 1, tzinfo=UTC)
STREAM = "0" * 20
DAYS = st.integers(0, 1500).map(lambda days: NOW - timedelta(days=days))


def name_of(number: int) -> GenerationName:
    begun = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number)
    return GenerationName(f"{names.compact(begun)}-abcdef01-000000", STREAM, "abcdef01", begun)


def grave(name: GenerationName, reason: Reason, stored: datetime) -> Grave:
    stone = Tombstone(repository="r", generation=name, time=stored, reason=reason)
    return Grave(stone, stored)


@st.composite
def generations(draw: st.DrawFn) -> list[Kept]:
    made = []
    for number in range(draw(st.integers(0, 8))):
        name = name_of(number)
        base, segment, newest = sorted(draw(DAYS) for _ in range(3))
        reason = draw(st.sampled_from([None, None, None, *Reason]))
        made.append(
            Kept(
                name=name,
                base=draw(st.sampled_from([base, base, None])),
                newest_segment=segment,
                newest_object=newest,
                whole=draw(st.booleans()),
                pinned_by=draw(st.sampled_from([None, None, "another"])),
                grave=reason and grave(name, reason, draw(DAYS)),
                unreplaced=draw(st.sampled_from([0, 0, 1])),
                stand_ins=draw(st.sampled_from([(), (name_of(9),)])),
            )
        )
    return made


KEEPS = st.builds(
    Keep,
    within=st.integers(1, 1000).map(lambda days: timedelta(days=days)),
    min_generations=st.integers(1, 4),
)


@given(known=generations(), keep=KEEPS)
def test_whatever_happened_what_goes_obeys_every_rule(known: list[Kept], keep: Keep) -> None:
    verdicts = decide(known, keep, NOW)
    assert [each.generation for each in verdicts] == known
    assert keep.within is not None
    horizon = NOW - keep.within
    going = {e.generation.name for e in verdicts if e.stage in {Stage.MARK, Stage.DELETE}}
    staying = [e for e in known if e.whole and e.grave is None and e.name not in going]
    for verdict in verdicts:
        each = verdict.generation
        if each.name not in going:
            continue
        assert (each.grave is None) == (verdict.stage is Stage.MARK)
        assert each.grave is None or NOW - each.grave.stored >= REST
        if each.grave and each.grave.tombstone.reason is Reason.REWRITTEN:
            assert (each.unreplaced, verdict.successors) == (0, each.stand_ins)
            continue
        assert each.newest_segment is not None
        assert each.newest_object is not None
        assert each.newest_segment <= horizon
        assert each.newest_object <= NOW - REST
        assert any(o.base and o.base <= horizon and o.name > each.name for o in known)
        assert each.pinned_by is None
        assert len(staying) >= keep.min_generations
        assert verdict.successors
        assert all(o in {e.name for e in staying} and o > each.name for o in verdict.successors)


@given(known=generations(), keep=KEEPS)
def test_a_listing_alone_never_overlooks_what_may_go(known: list[Kept], keep: Keep) -> None:
    stages = {each.stage for each in decide(known, keep, NOW)}
    assert Stage.MARK not in stages or retention.ripe(known, keep, NOW)


@given(known=generations(), keep=KEEPS)
def test_new_generations_however_many_push_nothing_out(known: list[Kept], keep: Keep) -> None:
    before = decide(known, Keep(within=keep.within, min_generations=100), NOW)
    burst = [
        Kept(name=name_of(20 + number), base=NOW, newest_segment=NOW, newest_object=NOW)
        for number in range(5)
    ]
    after = decide([*known, *burst], Keep(within=keep.within, min_generations=105), NOW)
    assert [e.stage for e in after] == [e.stage for e in before] + [Stage.KEPT] * 5


def test_what_is_left_of_a_rewritten_generation_goes_whatever_was_in_its_place() -> None:
    name = name_of(0)
    left = Kept(name=name, grave=grave(name, Reason.REWRITTEN, NOW - REST))
    assert decide([left], Keep(), NOW)[0].stage is Stage.DELETE
    whole = Kept(name=name, newest_segment=NOW, grave=left.grave)
    (verdict,) = decide([whole], Keep(), NOW)
    why = "rewritten, but stays: what it was rewritten to is not there"
    assert (verdict.stage, verdict.why) == (Stage.KEPT, why)


KEEP = Keep(within=timedelta(days=30))
HORIZON = NOW - timedelta(days=30)
SECOND = timedelta(seconds=1)
OLD = Kept(name=name_of(0), base=HORIZON, newest_segment=HORIZON, newest_object=NOW - REST)
NEXT = Kept(name=name_of(1), base=HORIZON, newest_segment=NOW, newest_object=NOW)
LAST = replace(NEXT, name=name_of(2))


def first(*generations: Kept, keep: Keep = KEEP) -> tuple[Stage, str, tuple[GenerationName, ...]]:
    verdict = decide(generations, keep, NOW)[0]
    return verdict.stage, verdict.why, verdict.successors


def test_what_is_just_old_enough_goes_and_the_next_one_takes_its_place() -> None:
    assert first(OLD, NEXT, LAST) == (Stage.MARK, "expired", (NEXT.name,))
    assert retention.ripe([OLD, NEXT, LAST], KEEP, NOW)
    assert not retention.ripe([OLD], KEEP, NOW)


@pytest.mark.parametrize(
    ("generations", "why"),
    [
        (
            (replace(OLD, newest_segment=HORIZON + SECOND), NEXT, LAST),
            "a snapshot of it is younger than 2029-12-02 00:00 UTC",
        ),
        (
            (OLD, replace(NEXT, base=HORIZON + SECOND), replace(LAST, base=None)),
            "no later full backup is older than 2029-12-02 00:00 UTC",
        ),
        (
            (replace(OLD, newest_object=NOW - REST + SECOND), NEXT, LAST),
            "something was stored in it less than 72 hours ago",
        ),
        ((OLD, NEXT), "min_generations: 2 complete full backups have to remain"),
        (
            (OLD, NEXT, replace(LAST, whole=False)),
            "min_generations: 2 complete full backups have to remain",
        ),
        (
            (replace(OLD, pinned_by="another"), NEXT, LAST),
            "another takes from it what could not be read when that was begun",
        ),
    ],
)
def test_what_keeps_a_generation_is_told(generations: tuple[Kept, ...], why: str) -> None:
    assert first(*generations) == (Stage.KEPT, why, (NEXT.name,))


def test_a_full_backup_that_is_damaged_is_no_reason_to_let_the_one_before_go() -> None:
    broken = replace(NEXT, whole=False)
    young = replace(LAST, base=HORIZON + SECOND)
    assert first(OLD, broken, young)[1] == "no later full backup is older than 2029-12-02 00:00 UTC"


def test_everything_is_kept_where_nothing_else_is_asked_for() -> None:
    assert first(OLD, NEXT, LAST, keep=Keep())[:2] == (Stage.KEPT, "everything is kept")
    assert not retention.ripe([OLD, NEXT, LAST], Keep(), NOW)


def test_what_has_gone_before_does_not_count_among_those_that_remain() -> None:
    second = replace(OLD, name=name_of(1))
    rest = [replace(NEXT, name=name_of(2)), replace(NEXT, name=name_of(3))]
    stages = [each.stage for each in decide([OLD, second, *rest], KEEP, NOW)]
    assert stages == [Stage.MARK, Stage.MARK, Stage.KEPT, Stage.KEPT]
    stages = [each.stage for each in decide([OLD, second, rest[0]], KEEP, NOW)]
    assert stages == [Stage.MARK, Stage.KEPT, Stage.KEPT]


def test_what_is_marked_goes_72_hours_later() -> None:
    ripe = replace(OLD, grave=grave(OLD.name, Reason.EXPIRED, NOW - REST))
    why = "expired, marked 2029-12-29 00:00 UTC"
    assert first(ripe, NEXT, LAST) == (Stage.DELETE, why, (NEXT.name,))
    early = replace(OLD, grave=grave(OLD.name, Reason.EXPIRED, NOW - REST + timedelta(minutes=1)))
    why = (
        "expired, marked 2029-12-29 00:01 UTC: "
        "goes once something is stored after 2030-01-01 00:01 UTC"
    )
    assert first(early, NEXT, LAST) == (Stage.WAITS, why, (NEXT.name,))


def test_what_is_marked_stays_when_a_rule_holds_it_again() -> None:
    marked = replace(OLD, grave=grave(OLD.name, Reason.EXPIRED, NOW - REST))
    assert first(marked, NEXT)[:2] == (
        Stage.KEPT,
        "marked for deletion, but stays: min_generations: 2 complete full backups have to remain",
    )


def test_what_was_rewritten_stays_until_all_of_it_was() -> None:
    grave_of_it = grave(OLD.name, Reason.REWRITTEN, NOW - REST)
    half = replace(OLD, grave=grave_of_it, unreplaced=2, stand_ins=(LAST.name,))
    assert first(half, NEXT, LAST) == (
        Stage.KEPT,
        "rewritten, but stays: 2 of its snapshots were not rewritten: run caldav-run rewrite again",
        (LAST.name,),
    )
    whole = replace(half, unreplaced=0)
    why = "rewritten, marked 2029-12-29 00:00 UTC"
    assert first(whole, NEXT, LAST) == (Stage.DELETE, why, (LAST.name,))
