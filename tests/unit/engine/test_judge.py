from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from caldav_run.connectors.protocol import Judgement
from caldav_run.engine.judge import KEEP, Link, Verdict, judge
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Item, Provenance

NOW = datetime(2026, 5, 4, tzinfo=UTC)
SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=2)
VIEW = ItemView(Item("work", "a.ics", None, b"", Provenance.FILE), Calendar(id="work"), "here")


@dataclass
class Answer:
    """A filter that answers the same for every item."""

    judgement: Judgement
    fingerprint: str = "answer"

    def judge(self, view: ItemView, now: datetime) -> Judgement:
        del view, now
        return self.judgement


def keeps(until: datetime | None = None) -> Link:
    return Link("keeps", Answer(Judgement(keep=True, valid_until=until)))


def drops(until: datetime | None = None) -> Link:
    return Link("drops", Answer(Judgement(keep=False, valid_until=until)))


def test_an_item_without_filters_is_kept_for_ever() -> None:
    assert judge([], VIEW, NOW) == KEEP


def test_a_kept_item_is_valid_until_the_first_answer_expires() -> None:
    found = judge([keeps(LATER), keeps(), keeps(SOON)], VIEW, NOW)
    assert found == Verdict(keep=True, valid_until=SOON.timestamp())


def test_a_dropped_item_is_valid_as_long_as_the_answer_that_dropped_it() -> None:
    found = judge([keeps(SOON), drops(LATER)], VIEW, NOW)
    assert found == Verdict(keep=False, valid_until=LATER.timestamp())


def test_an_answer_that_does_not_outlast_the_run_is_the_same_in_every_run() -> None:
    assert judge([keeps(NOW)], VIEW, NOW) == judge([keeps(SOON)], VIEW, SOON)
    assert judge([keeps(NOW)], VIEW, NOW) == Verdict(keep=True, valid_until=0.0)


def test_filters_after_one_that_drops_are_not_asked() -> None:
    last = keeps()
    judge([drops(), last], VIEW, NOW)
    assert (last.kept, last.dropped) == (0, 0)


def test_filters_count_what_they_did() -> None:
    first, second = keeps(), drops()
    judge([first, second], VIEW, NOW)
    assert (first.kept, first.dropped, second.kept, second.dropped) == (1, 0, 0, 1)


def test_a_sink_s_filters_go_on_from_the_common_ones() -> None:
    common = judge([keeps(SOON)], VIEW, NOW)
    assert judge([keeps(LATER)], VIEW, NOW, common).valid_until == SOON.timestamp()
    gone = judge([drops(SOON)], VIEW, NOW)
    assert judge([keeps()], VIEW, NOW, gone) == gone


def test_what_a_filter_could_not_tell_is_said_with_its_name() -> None:
    unsure = Link("1 where", Answer(Judgement(keep=True, problem="no such key")))
    assert judge([unsure], VIEW, NOW).problems == ("1 where: no such key",)
