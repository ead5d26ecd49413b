import pytest

from caldav_run.engine.events import (
    Event,
    Level,
    Noted,
    Planned,
    Progress,
    RunFinished,
    RunStarted,
    State,
    Step,
    StepFinished,
    StepStarted,
)
from caldav_run.engine.report.text import Recap, line

READ, WRITE, FILTER = Step("read", "cloud"), Step("write", "vault"), Step("filter", "1 period")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (RunStarted("nightly", dry=False, steps=()), "nightly: running"),
        (RunStarted("nightly", dry=True, steps=()), "nightly: planning, nothing will be written"),
        (StepFinished(READ, State.OK, "3 items"), "read cloud [ok]: 3 items"),
        (Noted(READ, Level.INFO, "by the way"), "by the way"),
        (Noted(READ, Level.WARNING, "odd"), "warning: odd"),
        (Noted(READ, Level.ERROR, "lost\nall"), "error: lost all"),
        (Planned(WRITE, "Work", "+", "Lunch"), "+ Work: Lunch"),
        (Planned(WRITE, "Work", "-", ""), "- Work"),
        (Planned(WRITE, "A\n- B", "~", "C\r\n\tD"), "~ A - B: C D"),
        (StepStarted(READ), None),
        (Progress(READ, 1), None),
        (RunFinished("nightly", 0), None),
    ],
)
def test_an_event_is_at_most_one_line(event: Event, expected: str | None) -> None:
    assert line(event) == expected


def recap(*events: Event, status: int = 0, dry: bool = False) -> str:
    gathered = Recap()
    for each in (RunStarted("nightly", dry=dry, steps=()), StepStarted(READ), *events):
        gathered.take(each)
    return gathered.line(RunFinished("nightly", status))


def read(items: int) -> StepFinished:
    return StepFinished(READ, State.OK, "", {"items": items, "calendars": 2})


def written(state: State = State.CHANGED, **counts: int) -> StepFinished:
    return StepFinished(WRITE, state, "", counts)


def test_a_recap_says_what_was_read_and_written() -> None:
    assert recap(read(1), written(added=1)) == "nightly: done: 1 item read, 1 change written"
    assert recap(read(1200), read(34), written(added=3, gone=1), written(changed=2)) == (
        "nightly: done: 1,234 items read, 6 changes written"
    )
    assert recap(read(5), written(State.OK)) == "nightly: done: 5 items read, nothing written"


def test_what_is_undone_counts_as_written() -> None:
    undone = StepFinished(Step("undo", "cloud"), State.CHANGED, "", {"deleted": 1})
    assert recap(undone).endswith("0 items read, 1 change written")


def test_what_filters_count_is_no_change() -> None:
    kept = StepFinished(FILTER, State.OK, "", {"kept": 3, "dropped": 4})
    assert recap(read(7), kept, written(State.OK)).endswith("7 items read, nothing written")


def test_a_plan_says_what_would_be_written() -> None:
    plan = recap(read(5), written(State.WOULD_CHANGE, added=2), dry=True)
    assert plan == "nightly: planned: 5 items read, 2 changes to write"
    assert recap(read(5), dry=True) == "nightly: planned: 5 items read, nothing to write"
    assert recap(status=77, dry=True).startswith("nightly: failed, access was refused: ")


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (1, "failed"),
        (2, "failed"),
        (3, "done in part"),
        (4, "held back by a guard, nothing was destroyed"),
        (75, "failed for now, try again later"),
        (77, "failed, access was refused"),
        (78, "failed, the set-up is not right"),
        (130, "interrupted"),
    ],
)
def test_a_recap_says_what_an_exit_status_means(status: int, meaning: str) -> None:
    assert recap(status=status) == (
        f"nightly: {meaning}: 0 items read, nothing written, exit status {status}"
    )


def test_warnings_and_errors_are_counted() -> None:
    noted = [Noted(READ, level, "x") for level in (*[Level.WARNING] * 2, Level.ERROR, Level.INFO)]
    assert recap(*noted, status=3).endswith("written, 2 warnings, 1 error, exit status 3")


@pytest.mark.parametrize(
    ("state", "changed"),
    [(State.CHANGED, True), (State.WOULD_CHANGE, True), (State.OK, False), (State.FAILED, False)],
)
def test_whether_anything_changed_is_known(state: State, *, changed: bool) -> None:
    gathered = Recap()
    gathered.take(written(state))
    assert gathered.changed is changed
