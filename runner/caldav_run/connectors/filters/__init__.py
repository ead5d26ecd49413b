"""Which items stay: one module a type."""
