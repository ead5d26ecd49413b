"""The verbs as a whole: the help fits a terminal, and the manual leaves nothing out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from caldav_run.cli.app import make_app, verbs

MANUAL = Path(__file__).parents[3] / "docs" / "command-line.md"


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its words, the program itself first."""
    program: Any = typer.main.get_command(make_app())
    yield "", program
    for name, command in program.commands.items():
        inner = getattr(command, "commands", {})
        yield from ((f"{name} {each}", one) for each, one in inner.items())
        if not inner:
            yield name, command


COMMANDS = [pytest.param(*each, id=each[0] or "program") for each in commands()]


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """The manual's parts by the verbs that head them."""
    parts = re.split(r"^### `([a-z ]+)`$", MANUAL.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_manual_has_every_verb_and_no_other(sections: dict[str, str]) -> None:
    assert set(sections) == {name for name, _ in commands() if name}


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_the_manual_has_every_option(name: str, command: Any) -> None:
    manual = MANUAL.read_text("utf-8")
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("-"):
                assert re.search(rf"`{option}[` ]", manual), f"{name} {option}"


def test_the_manual_has_no_option_that_does_not_exist() -> None:
    known = {option for _, each in commands() for one in each.params for option in one.opts}
    named = set(re.findall(r"`(--?[a-z][a-z-]*)", MANUAL.read_text("utf-8")))
    assert named - {"-h", "--help"} <= known


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_a_verbs_first_sentence_fits_the_list_of_verbs(name: str, command: Any) -> None:
    del name
    assert len(command.help.split("\n\n")[0]) <= 70
    assert "..." not in command.get_short_help_str(limit=65)


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_every_option_and_argument_is_explained(name: str, command: Any) -> None:
    for parameter in command.params:
        assert parameter.help, f"{name}: {parameter.name}"


def test_the_help_shows_a_verbs_own_options_before_those_that_all_share() -> None:
    done = CliRunner().invoke(make_app(), ["show", "--help"])
    at = [done.output.index(each) for each in ("--items", "--help", "Which repository", "--trust")]
    assert at == sorted(at)
    assert "<str>" not in done.output


def test_a_verb_of_a_pipeline_has_no_heading_for_a_repository() -> None:
    done = CliRunner().invoke(make_app(), ["run", "--help"])
    assert "--identity" in done.output
    assert "Which repository" not in done.output


def test_the_verbs_of_the_hints_are_those_of_the_program() -> None:
    program: Any = typer.main.get_command(make_app())
    assert verbs() == sorted(program.commands)
