"""Turns the engine's events into text and JSON."""
