"""Pipeline files: load, interpolate, check, build."""
