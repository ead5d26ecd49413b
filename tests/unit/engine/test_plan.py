from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.engine.judge import KEEP, Verdict
from caldav_run.engine.plan import (
    Action,
    Policy,
    Verb,
    calendar_row,
    changed_item,
    gone_items,
    order,
    plan,
    unread_item,
)
from caldav_run.model import Calendar, Change, Entry, Item, Op, Provenance, Stamp, Version

WORK = Calendar(id="work", display_name="Work", token="1")
LUNCH = Item("work", "lunch.ics", '"1"', b"BEGIN:VCALENDAR", Provenance.REPORT)
HELD = Entry('"1"', LUNCH.sha256)
DROP = Verdict(keep=False, valid_until=None)


def a_version(uid: str = "lunch", href: str = "lunch.ics", digest: bytes = b"1") -> Version:
    return Version(
        uid=uid,
        href=href,
        etag=None,
        digest=digest,
        stamp=Stamp(),
        scheduled=False,
        label=uid,
    )


def verbs(*actions: Action) -> list[Verb]:
    return [action.verb for action in actions]


# ------------------------------------------------------------------ sinks that append


def test_a_new_item_is_added() -> None:
    assert changed_item(None, LUNCH, Verdict(keep=True, valid_until=7.0), "lunch") == Change(
        op=Op.ADD,
        calendar="work",
        href="lunch.ics",
        item=LUNCH,
        etag='"1"',
        uid="lunch",
        valid_until=7.0,
    )


def test_an_item_that_the_history_holds_is_no_news() -> None:
    assert changed_item(HELD, LUNCH, KEEP, "lunch") is None


def test_a_new_etag_on_the_same_bytes_stores_no_bytes() -> None:
    change = changed_item(HELD._replace(etag='"0"'), LUNCH, KEEP, "lunch")
    assert change is not None
    assert change.op is Op.SAME


def test_other_bytes_are_added_even_under_the_same_etag() -> None:
    change = changed_item(HELD._replace(sha256="0" * 64), LUNCH, KEEP, "lunch")
    assert change is not None
    assert change.op is Op.ADD


def test_an_item_that_was_unread_and_is_as_before_is_said_to_be_the_same() -> None:
    change = changed_item(HELD._replace(unread=True), LUNCH, KEEP, "lunch")
    assert change is not None
    assert change.op is Op.SAME


def test_another_expiry_of_the_verdict_is_remembered() -> None:
    change = changed_item(HELD, LUNCH, Verdict(keep=True, valid_until=7.0), "lunch")
    assert change is not None
    assert (change.op, change.valid_until) == (Op.SAME, 7.0)


def test_an_item_that_was_left_out_and_now_stays_is_added_with_its_bytes() -> None:
    change = changed_item(HELD._replace(excluded=True), LUNCH, KEEP, "lunch")
    assert change is not None
    assert change.op is Op.ADD


def test_an_item_that_a_filter_drops_is_excluded_and_its_etag_kept() -> None:
    change = changed_item(HELD, LUNCH, DROP, "lunch")
    assert change is not None
    assert (change.op, change.etag, change.item) == (Op.EXCLUDED, '"1"', None)


def test_an_item_that_is_left_out_for_a_while_is_asked_for_again_when_that_ends() -> None:
    soon = Verdict(keep=False, valid_until=7.0)
    first = changed_item(None, LUNCH, soon, "lunch")
    assert first == Change(
        op=Op.EXCLUDED, calendar="work", href="lunch.ics", etag='"1"', valid_until=7.0
    )
    held = Entry('"1"', None, excluded=True, valid_until=7.0)
    assert changed_item(held, LUNCH, soon, "lunch") is None
    assert changed_item(held, LUNCH, DROP, "lunch") is not None


def test_an_item_that_stays_left_out_is_no_news() -> None:
    assert changed_item(Entry('"1"', None, excluded=True), LUNCH, DROP, "lunch") is None


def test_an_unread_item_is_carried_forward_once() -> None:
    first = unread_item(HELD, "work", "lunch.ics", "500", judged=True)
    assert first == Change(op=Op.UNREAD, calendar="work", href="lunch.ics", reason="500")
    held = HELD._replace(unread=True)
    assert unread_item(held, "work", "lunch.ics", "500", judged=True) is None


def test_an_item_that_never_was_read_is_named_as_unread() -> None:
    assert unread_item(None, "work", "new.ics", "500", judged=True) is not None


def test_an_unread_item_that_a_filter_left_out_stays_left_out() -> None:
    held = HELD._replace(excluded=True)
    assert unread_item(held, "work", "lunch.ics", "500", judged=True) is None


def test_an_unread_item_that_another_filter_left_out_is_asked_for_again() -> None:
    held = HELD._replace(excluded=True)
    assert unread_item(held, "work", "lunch.ics", "500", judged=False) is not None


def test_what_was_not_named_is_gone() -> None:
    known = {"b.ics": HELD, "a.ics": HELD, "c.ics": HELD}
    gone = list(gone_items(known, {"c.ics"}, "work"))
    assert [change.href for change in gone] == ["a.ics", "b.ics"]
    assert {change.op for change in gone} == {Op.GONE}


def test_a_calendar_whose_token_alone_moved_is_no_news() -> None:
    assert calendar_row(WORK, replace(WORK, token="2")) is None


def test_a_calendar_with_another_colour_is_news() -> None:
    red = replace(WORK, color="#ff0000")
    assert calendar_row(WORK, red) == Change(op=Op.CALENDAR, calendar="work", properties=red)


# ------------------------------------------------------------------ sinks with a present state


def test_an_unchanged_item_is_not_written_again() -> None:
    lunch = a_version()
    assert list(plan([lunch], [lunch], Policy())) == [Action(Verb.SAME, lunch, lunch)]


def test_a_missing_item_is_added() -> None:
    lunch = a_version()
    assert list(plan([lunch], [], Policy())) == [Action(Verb.ADD, lunch)]


def test_what_only_the_destination_has_stays() -> None:
    assert list(plan([], [a_version()], Policy())) == []


def test_other_bytes_that_say_the_same_are_a_conflict_only_where_bytes_count() -> None:
    mine, theirs = replace(a_version(), etag='"a"'), replace(a_version(), etag='"b"')
    assert verbs(*plan([mine], [theirs], Policy("keep_source"))) == [Verb.SAME]
    assert verbs(*plan([mine], [theirs], Policy("identical"))) == [Verb.REPLACE]
    assert verbs(*plan([mine], [mine], Policy("identical"))) == [Verb.SAME]


def test_items_match_by_uid_wherever_they_lie() -> None:
    here, there = a_version(href="a.ics"), a_version(href="b.ics", digest=b"2")
    (action,) = plan([here], [there], Policy("keep_source"))
    assert (action.verb, action.present) == (Verb.REPLACE, there)


def test_doubled_uids_are_told_apart_by_their_names() -> None:
    present = [a_version(href="a.ics"), a_version(href="b.ics")]
    wanted = [a_version(href="b.ics"), a_version(href="c.ics", digest=b"2")]
    assert verbs(*plan(wanted, present, Policy())) == [Verb.SAME, Verb.ADD]


def test_items_without_a_uid_match_by_name_only() -> None:
    there = [a_version("", "b.ics", b"2")]
    assert verbs(*plan([a_version("", "a.ics")], there, Policy())) == [Verb.ADD]
    assert verbs(*plan([a_version("", "b.ics")], there, Policy("keep_source"))) == [Verb.REPLACE]


def test_items_without_a_uid_that_say_the_same_are_the_same() -> None:
    here, there = a_version("", "a.ics"), a_version("", "b.ics")
    assert verbs(*plan([here], [there], Policy())) == [Verb.SAME]


def test_the_newer_version_wins_by_default() -> None:
    old, new = a_version(), replace(a_version(digest=b"2"), stamp=Stamp(sequence=1))
    newer = "the destination's version is newer"
    assert list(plan([new], [old], Policy())) == [Action(Verb.REPLACE, new, old)]
    assert list(plan([old], [new], Policy())) == [Action(Verb.KEEP, old, new, newer)]


def test_the_destination_stays_where_neither_version_is_newer() -> None:
    mine, theirs = a_version(), a_version(digest=b"2")
    reason = "neither version is newer, the destination's is kept"
    assert list(plan([mine], [theirs], Policy())) == [Action(Verb.UNDECIDED, mine, theirs, reason)]


def test_the_later_change_wins_where_both_versions_name_one() -> None:
    old = replace(a_version(), stamp=Stamp(0, "20200101T000000Z", "20260101T000000Z"))
    new = replace(a_version(digest=b"2"), stamp=Stamp(0, "20260101T000000Z", "20200101T000000Z"))
    assert verbs(*plan([new], [old], Policy())) == [Verb.REPLACE]


def test_writing_over_a_newer_version_is_said() -> None:
    old, new = a_version(), replace(a_version(digest=b"2"), stamp=Stamp(sequence=1))
    reason = "the destination's version is newer, the source's replaces it"
    policy = Policy("keep_source")
    assert list(plan([old], [new], policy)) == [Action(Verb.REPLACE, old, new, reason)]
    assert list(plan([new], [old], policy)) == [Action(Verb.REPLACE, new, old)]


def test_a_time_that_only_one_version_has_does_not_make_it_the_newer_one() -> None:
    old = replace(a_version(), stamp=Stamp(0, "20200101T000000Z", "20200101T000000Z"))
    new = replace(a_version(digest=b"2"), stamp=Stamp(0, "", "20260101T000000Z"))
    bare = replace(a_version(digest=b"3"), stamp=Stamp())
    assert verbs(*plan([old], [new], Policy())) == [Verb.KEEP]
    assert verbs(*plan([new], [old], Policy())) == [Verb.REPLACE]
    assert verbs(*plan([new], [bare], Policy())) == [Verb.UNDECIDED]


@pytest.mark.parametrize(
    ("policy", "verb", "reason"),
    [
        ("keep_source", Verb.REPLACE, "neither version is newer, the source's replaces it"),
        ("identical", Verb.REPLACE, None),
        ("keep_destination", Verb.KEEP, "the destination's version is kept"),
        ("fail", Verb.REFUSE, "the destination has another version"),
    ],
)
def test_each_policy_decides_a_conflict_its_own_way(
    policy: str, verb: Verb, reason: str | None
) -> None:
    mine, theirs = a_version(), a_version(digest=b"2")
    assert list(plan([mine], [theirs], Policy(policy))) == [Action(verb, mine, theirs, reason)]


def refuse_meetings(wanted: Version, _: Version | None) -> str | None:
    return "somebody is mailed" if wanted.scheduled else None


QUIET = Policy("keep_source", refuse_meetings)


def test_what_the_destination_objects_to_is_refused() -> None:
    meeting, lunch = replace(a_version(), scheduled=True), a_version(digest=b"2")
    said = "somebody is mailed"
    assert list(plan([meeting], [], QUIET)) == [Action(Verb.REFUSE, meeting, None, said)]
    assert list(plan([meeting], [lunch], QUIET)) == [Action(Verb.REFUSE, meeting, lunch, said)]
    assert verbs(*plan([lunch], [], QUIET)) == [Verb.ADD]


def test_what_would_not_be_written_anyway_is_not_refused() -> None:
    meeting = replace(a_version(), scheduled=True)
    newer = replace(a_version(digest=b"2"), stamp=Stamp(sequence=1))
    assert verbs(*plan([meeting], [newer], Policy("newest", refuse_meetings))) == [Verb.KEEP]
    assert verbs(*plan([meeting], [meeting], QUIET)) == [Verb.SAME]


# ------------------------------------------------------------------ exact

EXACT = Policy("keep_source", exact=True)
UNDECIDED = "neither version is newer, the source's replaces it"


def test_what_is_not_wanted_is_deleted_where_asked() -> None:
    lunch, other = a_version(), a_version("other", "other.ics")
    assert list(plan([lunch], [lunch, other], EXACT)) == [
        Action(Verb.SAME, lunch, lunch),
        Action(Verb.DELETE, None, other),
    ]
    assert list(plan([], [lunch], EXACT)) == [Action(Verb.DELETE, None, lunch)]


def test_what_is_kept_or_refused_is_not_deleted() -> None:
    mine, theirs = a_version(), a_version(digest=b"2")
    assert verbs(*plan([mine], [theirs], Policy("keep_destination", exact=True))) == [Verb.KEEP]
    assert verbs(*plan([mine], [theirs], Policy("fail", exact=True))) == [Verb.REFUSE]
    assert verbs(*plan([mine], [theirs], Policy("newest", exact=True))) == [Verb.UNDECIDED]


def test_one_of_several_with_the_same_uid_is_written_over_and_not_deleted_first() -> None:
    here = a_version(href="c.ics", digest=b"2")
    there = [a_version(href="a.ics"), a_version(href="b.ics")]
    assert list(plan([here], there, EXACT)) == [
        Action(Verb.REPLACE, here, there[0], UNDECIDED),
        Action(Verb.DELETE, None, there[1]),
    ]


def test_one_of_several_that_says_the_same_is_the_same_under_another_name() -> None:
    here = a_version(href="c.ics", digest=b"2")
    there = [a_version(href="a.ics"), a_version(href="b.ics", digest=b"2")]
    assert list(plan([here], there, Policy())) == [Action(Verb.SAME, here, there[1])]


def test_items_without_a_uid_are_not_written_over_for_one_of_another_name() -> None:
    here, there = a_version("", "a.ics"), a_version("", "b.ics", b"2")
    assert verbs(*plan([here], [there], EXACT)) == [Verb.ADD, Verb.DELETE]


def test_what_the_destination_made_of_an_item_is_the_same() -> None:
    mine, theirs = a_version(), a_version(digest=b"2")
    policy = Policy("keep_source", rewritten=lambda one, other: (one, other) == (mine, theirs))
    assert verbs(*plan([mine], [theirs], policy)) == [Verb.SAME]
    assert verbs(*plan([theirs], [mine], policy)) == [Verb.REPLACE]


versions = st.builds(
    a_version,
    uid=st.sampled_from(["", "a", "b", "c"]),
    href=st.sampled_from(["1.ics", "2.ics", "3.ics", "4.ics"]),
    digest=st.sampled_from([b"1", b"2"]),
)


def sorted_by_name(found: list[Version]) -> list[Version]:
    return sorted({each.href: each for each in found}.values(), key=order)


@given(st.lists(versions), st.lists(versions))
def test_every_wanted_item_gets_one_action_in_order(
    here: list[Version], there: list[Version]
) -> None:
    wanted, present = sorted_by_name(here), sorted_by_name(there)
    actions = list(plan(wanted, present, Policy("keep_source")))
    assert [action.wanted for action in actions] == wanted


@given(st.lists(versions), st.lists(versions))
def test_no_present_item_is_written_over_twice(here: list[Version], there: list[Version]) -> None:
    wanted, present = sorted_by_name(here), sorted_by_name(there)
    actions = plan(wanted, present, Policy("keep_source"))
    matched = [action.present.href for action in actions if action.present is not None]
    assert len(matched) == len(set(matched))


@given(st.lists(versions), st.lists(versions))
def test_a_merge_never_deletes(here: list[Version], there: list[Version]) -> None:
    wanted, present = sorted_by_name(here), sorted_by_name(there)
    assert Verb.DELETE not in verbs(*plan(wanted, present, Policy("keep_source")))


@given(st.lists(versions), st.lists(versions))
def test_each_present_item_is_matched_or_deleted_once_in_an_exact_plan(
    here: list[Version], there: list[Version]
) -> None:
    wanted, present = sorted_by_name(here), sorted_by_name(there)
    actions = list(plan(wanted, present, EXACT))
    assert [each.wanted for each in actions if each.wanted is not None] == wanted
    met = [each.present for each in actions if each.present is not None]
    assert sorted(met, key=order) == present


@given(st.lists(versions), st.lists(versions))
def test_an_event_is_never_deleted_and_added_in_one_exact_plan(
    here: list[Version], there: list[Version]
) -> None:
    wanted, present = sorted_by_name(here), sorted_by_name(there)
    actions = list(plan(wanted, present, EXACT))
    added = {each.wanted.uid for each in actions if each.verb is Verb.ADD and each.wanted}
    deleted = {each.present.uid for each in actions if each.verb is Verb.DELETE and each.present}
    assert added & deleted <= {""}


def applied(present: list[Version], actions: list[Action]) -> list[Version]:
    """What is there after a plan; a new item gets another name where its own is taken."""
    found = {each.href: each for each in present}
    for each in actions:
        if each.verb is Verb.DELETE and each.present is not None:
            del found[each.present.href]
    for each in actions:
        if each.wanted is None or each.verb not in {Verb.ADD, Verb.REPLACE}:
            continue
        href = each.present.href if each.present else each.wanted.href
        while each.present is None and href in found:
            href = f"x{href}"
        found[href] = replace(each.wanted, href=href)
    return sorted(found.values(), key=order)


@given(here=st.lists(versions), there=st.lists(versions), exact=st.booleans())
def test_a_second_plan_finds_nothing_to_do(
    here: list[Version], there: list[Version], *, exact: bool
) -> None:
    wanted, present = sorted_by_name(here), sorted_by_name(there)
    policy = Policy("keep_source", exact=exact)
    after = applied(present, list(plan(wanted, present, policy)))
    again = [each.verb for each in plan(wanted, after, policy)]
    assert set(again) <= {Verb.SAME}
