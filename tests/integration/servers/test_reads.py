"""What real servers gave of the corpora, held against what they were given; no server is needed."""

import pytest
from tests.integration.servers import known, reads
from tests.integration.servers.pairs import stem

from caldav_run.ical.deviations import Deviation, deviations


@pytest.fixture(params=reads.recorded())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_server_is_recorded() -> None:
    assert set(reads.recorded()) == known.SERVERS.keys() - {known.OWN.name}


def test_most_of_what_people_have_is_taken(name: str) -> None:
    events = {item for item, _ in reads.real_life()}
    assert len(reads.given(name).keys() & events) > 0.9 * len(events)


def test_whatever_is_no_known_loss_is_a_deviation_with_a_name(name: str) -> None:
    sent = reads.made()
    losses = {
        (stem(item), _property(loss))
        for item, body in reads.given(name).items()
        for loss in deviations(sent[item], body)
        if loss.rule is None
    }
    losing = known.SERVERS[name].losing.keys()
    assert {each for each in losses if losing.isdisjoint(each)} == set()


def _property(loss: Deviation) -> str:
    return (loss.before or loss.after or "").partition(":")[0].partition(";")[0]
