"""What a source says of a calendar reaches the report."""

from datetime import UTC, datetime

from caldav_run.engine.account import AccountReading
from caldav_run.engine.events import Event, Level, Noted, Step
from caldav_run.model import Calendar, CalendarStart


def test_a_note_on_a_calendar_is_a_warning_that_names_it() -> None:
    events: list[Event] = []
    step = Step("read", "cloud")
    reading = AccountReading(
        "cloud", [], [], datetime(2026, 5, 1, tzinfo=UTC), (step, events.append)
    )
    reading.consume([CalendarStart(Calendar(id="t1", display_name="Team"), "it is a copy")])
    assert events == [Noted(step, Level.WARNING, "cloud/Team: it is a copy")]
    assert reading.failures == []
