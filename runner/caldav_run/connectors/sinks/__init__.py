"""Where calendars go: one module a type."""
