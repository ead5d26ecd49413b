"""CalDAV over HTTP: discovery, reading, writing."""
