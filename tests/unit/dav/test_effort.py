"""Fewer writes at a time where a server breaks down, as many again when it has recovered."""

from caldav_run.dav.effort import Effort


def well(effort: Effort, count: int) -> None:
    for _ in range(count):
        effort.written(0.1, 0)


def test_it_gives_less_to_a_server_that_fails() -> None:
    effort = Effort()
    before = effort.width
    effort.refused()
    assert effort.width == before // 2
    for _ in range(9):
        effort.refused()
    assert effort.width == 1


def test_it_gives_as_much_again_when_all_goes_well() -> None:
    effort = Effort()
    before = effort.width
    effort.refused()
    well(effort, 1000)
    assert effort.width == before


def test_a_server_that_fails_again_is_trusted_later() -> None:
    effort = Effort()
    well(effort, 1)
    effort.refused()
    well(effort, 60)
    assert effort.width == 2
    well(effort, 60)
    assert effort.width == 4


def test_a_narrow_limit_is_kept() -> None:
    effort = Effort(2)
    assert effort.width == 2
    well(effort, 1000)
    assert effort.width <= 2


def timed(effort: Effort, count: int, seconds: float) -> None:
    """Have writes done that take as long whatever is under way beside them."""
    for _ in range(count):
        effort.written(seconds, effort.width)


def test_more_at_a_time_are_tried_while_that_helps() -> None:
    effort = Effort()
    timed(effort, 200, 0.1)
    assert effort.width == 8


def test_what_was_found_out_is_looked_at_anew_from_time_to_time() -> None:
    effort = Effort()
    for _ in range(400):
        # A server with one core: twice as many take twice as long.
        effort.written(0.1 * effort.width, effort.width)
    assert effort.width == 1
    timed(effort, 400, 0.1)
    assert effort.width == 8
