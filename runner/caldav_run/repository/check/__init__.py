"""Checks of a repository: pure functions over listings and opened objects that yield findings."""
