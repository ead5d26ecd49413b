"""Contract suites for connectors, and servers to run them against."""
