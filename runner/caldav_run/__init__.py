"""caldav-run: the declarative job runner for calendars."""

__version__ = "0.1.0"
