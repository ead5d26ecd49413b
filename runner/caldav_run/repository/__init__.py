"""The encrypted snapshot repository."""
