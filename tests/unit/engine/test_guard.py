from caldav_run.engine.guard import Expectation


def test_nothing_expected_never_trips() -> None:
    assert Expectation().objection(0, 100) is None


def test_too_few_items_trip() -> None:
    objection = Expectation(min_items=1).objection(0, None)
    assert objection == "0 items, but expect.min_items is 1"


def test_a_loss_within_the_limit_is_as_expected() -> None:
    assert Expectation(max_shrink=0.2).objection(80, 100) is None


def test_a_larger_loss_trips() -> None:
    objection = Expectation(max_shrink=0.2).objection(79, 100)
    assert objection == (
        "79 items where the last snapshot had 100 (-21%; expect.max_shrink allows 20%)"
    )


def test_without_an_earlier_snapshot_nothing_can_have_shrunk() -> None:
    assert Expectation(max_shrink=0.2).objection(0, None) is None
    assert Expectation(max_shrink=0.2).objection(0, 0) is None
