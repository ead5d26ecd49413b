"""iCalendar bytes: scanning, comparing, describing; no input or output."""
