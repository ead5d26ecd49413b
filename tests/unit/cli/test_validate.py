import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call


@pytest.fixture
def broken(here: Path) -> Path:
    path = here / "broken.yaml"
    path.write_text((here / "nightly.yaml").read_text().replace("repository:", "repositry:"))
    return path


@pytest.mark.usefixtures("here")
def test_a_valid_file_is_said_to_be_valid(call: "Call") -> None:
    status, out, err = call("validate", "nightly.yaml")
    assert (status, err) == (0, "")
    assert out


def test_all_problems_of_all_files_are_shown(call: "Call", broken: Path) -> None:
    status, out, err = call("validate", "nightly.yaml", broken.name, "none.yaml")
    assert (status, err) == (78, "")
    assert 'did you mean "repository"?' in out
    assert "file-missing" in out
    assert "in 3 files" in out


def test_problems_as_json(call: "Call", broken: Path) -> None:
    done = call("validate", broken.name, "--output", "json")
    assert done.status == 78
    assert json.loads(done.out)


def test_problems_as_annotations(call: "Call", broken: Path) -> None:
    assert call("validate", broken.name, "--output", "github").out.startswith("::error file=")
    assert call("validate", "nightly.yaml", "--output", "github") == (0, "", "")


@pytest.mark.usefixtures("here")
def test_variables_can_be_tried(call: "Call") -> None:
    assert call("validate", "nightly.yaml", "--set", "place=x").status == 0
    assert call("validate", "nightly.yaml", "--set", "plaice=x").status == 78


@pytest.mark.usefixtures("here")
def test_the_schema_is_one_document(call: "Call") -> None:
    schema = json.loads(call("schema").out)
    assert schema["$schema"].startswith("https://json-schema.org/")
