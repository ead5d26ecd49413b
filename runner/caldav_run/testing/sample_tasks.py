"""The sample account's calendar Tasks."""

from collections.abc import Sequence
from typing import Final

from caldav_run.model import Calendar
from caldav_run.testing.sample_text import Lines, Week, component, text, whole

TASKS: Final = Calendar(
    id="tasks",
    display_name="Tasks",
    color="#33B679FF",
    order=4,
    description="What is to be done",
    components=("VTODO",),
)


def tasks(week: Week) -> Sequence[tuple[str, bytes]]:
    """Return the calendar's items around a week."""
    return (
        _task(
            week,
            "tax",
            "Tax return",
            _due(week, 30),
            "PRIORITY:1",
            "STATUS:IN-PROCESS",
            "PERCENT-COMPLETE:40",
            "CATEGORIES:money",
        ),
        _task(
            week,
            "receipts",
            "Collect the receipts",
            _due(week, 9),
            "RELATED-TO:tax@sample.example",
            "PERCENT-COMPLETE:100",
            "STATUS:COMPLETED",
            f"COMPLETED:{week.at(-1, '18:20')}Z",
        ),
        _task(week, "present", "Buy a present for 王小明 🎁", _due(week, 6), "PRIORITY:5"),
        _task(
            week,
            "passport",
            "Renew the passport",
            (f"DUE;TZID=Europe/Berlin:{week.at(16, '12:00')}",),
            component(
                "VALARM",
                "ACTION:DISPLAY",
                "DESCRIPTION:Passport office closes at noon",
                "TRIGGER;RELATED=END:-PT2H",
            ),
        ),
        _task(
            week,
            "plants",
            "Water the plants",
            (
                f"DTSTART;VALUE=DATE:{week.day(-14):%Y%m%d}",
                f"DUE;VALUE=DATE:{week.day(-13):%Y%m%d}",
            ),
            "RRULE:FREQ=WEEKLY;BYDAY=MO,TH",
        ),
        _task(
            week,
            "slides",
            "Slides for the summit",
            _due(week, 13),
            "DESCRIPTION:" + text("Outline:\n1. why; 2. what; 3. how, with numbers"),
            "URL:https://files.example.org/summit?id=7",
        ),
        _task(week, "bike", "Fahrrad reparieren", ()),
        _task(week, "library", "Βιβλιοθήκη: return the books", _due(week, -2), "PRIORITY:9"),
        _task(week, "lamp", "Lamp in the hall", (), "STATUS:CANCELLED"),
        _task(week, "backup", "Try the backup: restore one event", _due(week, 5), "PRIORITY:2"),
    )


def _due(week: Week, offset: int) -> Lines:
    return (f"DUE;VALUE=DATE:{week.day(offset):%Y%m%d}",)


def _task(
    week: Week, slug: str, summary: str, when: Lines, *more: str | Lines
) -> tuple[str, bytes]:
    uid = f"UID:{slug}@sample.example"
    told = f"SUMMARY:{text(summary)}"
    return f"{slug}.ics", whole([component("VTODO", uid, week.stamp(), told, when, *more)])
