"""Arguments, printing and exit status: the only layer that prints."""
