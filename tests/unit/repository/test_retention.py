"""The rules of expiry, for any history."""

from datetime import UTC, datetime, timedelta

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
    assert (verdict.stage, "is not there" in verdict.why) == (Stage.KEPT, True)
