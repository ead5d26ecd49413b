"""The machine stops before or after any call of the store and any statement of the cache."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from caldav_run.testing.accidents import Play, Scene
from caldav_run.testing.tripwire import Harm


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("harm", [Harm.DIES_BEFORE, Harm.DIES_AFTER], ids=lambda each: each.value)
def test_a_crash_at_any_step_loses_nothing_that_was_acknowledged(
    memory_folder: Path, scene: Scene, harm: Harm, record_property: Callable[[str, object], None]
) -> None:
    play = Play(memory_folder, scene)
    harmed = play.through(harm)
    record_property("crashed runs", harmed)
    assert harmed >= play.steps


@pytest.mark.usefixtures("small")
def test_the_scenes_make_at_least_5000_harmed_runs(
    memory_folder: Path, scenes: Mapping[str, Scene], record_property: Callable[[str, object], None]
) -> None:
    steps = 0
    for number, scene in enumerate(scenes.values()):
        folder = memory_folder / str(number)
        folder.mkdir()
        steps += Play(folder, scene).steps
    record_property("harmed runs", steps * len(Harm))
    assert steps * len(Harm) >= 5000, steps
