"""The encrypted, signed, append-only snapshot repository; see `docs/repository-format.md`."""
