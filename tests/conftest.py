"""What all tests share."""

from hypothesis import settings

# A loaded machine is no defect: performance claims are benchmarks, not timed tests.
settings.register_profile("default", deadline=None)
settings.load_profile("default")
