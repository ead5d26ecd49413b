"""Runs pipelines: plan, apply, report."""
