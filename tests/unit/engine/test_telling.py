"""What stays as it is at a destination is told, in words."""

from caldav_run.engine.events import Event, Level, Noted, Step
from caldav_run.engine.recipient import Tally
from caldav_run.engine.telling import tell_otherwise


def told(*names: str) -> list[Event]:
    events: list[Event] = []
    tally = Tally(Step("write", "there"), events.append, dry=False, detail=False)
    tell_otherwise(tally, "Work", names)
    return events


def test_other_properties_of_a_calendar_that_was_there_are_told() -> None:
    (event,) = told("display name", "color")
    assert isinstance(event, Noted)
    assert event.level is Level.INFO
    assert event.text == "Work: the destination has another display name and color, which stays"


def test_nothing_is_told_of_a_calendar_that_is_as_it_should_be() -> None:
    assert told() == []
