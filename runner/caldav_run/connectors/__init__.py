"""Sources, filters and sinks, and the registry that names them."""
