"""What the suites feed to connectors: plain events that every known server takes."""

from datetime import UTC, datetime
from pathlib import Path

from caldav_run.connectors.protocol import Context
from caldav_run.model import Item, Provenance


def event(uid: str, summary: str = "Lunch", sequence: int = 0) -> bytes:
    """Return one event; another summary or sequence makes another version of it."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//caldav-run//contract//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:20260501T0800{sequence:02}Z",
        "DTSTART:20260504T110000Z",
        "DTEND:20260504T120000Z",
        f"SEQUENCE:{sequence}",
        f"SUMMARY:{summary}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines).encode()


def item(calendar: str, uid: str, summary: str = "Lunch", etag: str | None = None) -> Item:
    """Return an event as a source would give it, called `<uid>.ics`."""
    return Item(calendar, f"{uid}.ics", etag, event(uid, summary), Provenance.GET)


def context(state_dir: Path, name: str = "contract") -> Context:
    """Return a run's surroundings for a connector under test."""
    return Context(
        name=name,
        pipeline="contract",
        timezone=UTC,
        now=datetime(2026, 5, 1, 12, tzinfo=UTC),
        state_dir=state_dir,
    )
