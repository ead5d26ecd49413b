"""What the tests of the pipeline language share."""

from collections.abc import Callable

import pytest

from caldav_run.pipeline.check import Checked, check_text
from caldav_run.pipeline.render import render_text


@pytest.fixture
def check() -> Callable[..., Checked]:
    """Check a text as the file `p.yaml`, with an environment."""

    def run(text: str, *, strict_env: bool = True, **environ: str) -> Checked:
        return check_text(text, "p.yaml", sets={}, environ=environ, strict_env=strict_env)

    return run


@pytest.fixture
def told(check: Callable[..., Checked]) -> Callable[..., str]:
    """Return what a user reads about a text."""
    return lambda text, **environ: render_text(check(text, **environ).problems)


@pytest.fixture
def codes(check: Callable[..., Checked]) -> Callable[..., list[str]]:
    """Return the codes of a text's problems."""
    return lambda text, **environ: [one.code for one in check(text, **environ).problems]
