"""Where calendars come from: one module a type."""
