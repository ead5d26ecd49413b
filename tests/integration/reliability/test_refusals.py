"""Any call of the store and any statement of the cache fails, or its answer is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from caldav_run.testing.accidents import Play, Scene
from caldav_run.testing.tripwire import Harm


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("harm", [Harm.REFUSES, Harm.LIES], ids=lambda each: each.value)
def test_a_failure_at_any_step_loses_nothing_that_was_acknowledged(
    memory_folder: Path, scene: Scene, harm: Harm, record_property: Callable[[str, object], None]
) -> None:
    play = Play(memory_folder, scene)
    harmed = play.through(harm)
    record_property("refused runs", harmed)
    assert harmed >= play.steps
