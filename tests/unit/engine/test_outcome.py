from itertools import product

from caldav_run.engine.outcome import combine, worst


def test_a_run_without_failures_is_done() -> None:
    assert combine([]) == 0


def test_item_failures_alone_are_partial() -> None:
    assert combine([3, 3]) == 3


def test_77_and_75_stand_only_where_all_failures_share_them() -> None:
    assert combine([77, 77]) == 77
    assert combine([75]) == 75
    assert combine([77, 75]) == 1
    assert combine([75, 3]) == 1


def test_interruption_then_setup_then_guard_win() -> None:
    assert combine([130, 78, 4, 1]) == 130
    assert combine([78, 4, 77]) == 78
    assert combine([4, 1, 3]) == 4


def test_the_worst_of_several_runs_counts_whatever_their_order() -> None:
    assert worst([0, 3, 1, 75]) == 1
    assert worst([]) == 0
    for one, other in product((0, 1, 3, 4, 10, 75, 77, 78, 130), repeat=2):
        assert worst([one, other]) == worst([other, one])
