"""A restore drill: a snapshot goes onto a scratch CalDAV server, and is read back and compared."""
