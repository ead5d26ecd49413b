"""The list of faults in `docs/testing.md` is whole."""

from pathlib import Path

import pytest
from tests.integration.faults.cases import CASES

HERE = Path(__file__).parent
LIST = (HERE.parents[2] / "docs" / "testing.md").read_text("utf-8").partition("## Mutation")[0]


@pytest.mark.parametrize("case", CASES)
def test_each_case_is_in_the_list(case: str) -> None:
    assert f"`{case}`" in LIST


@pytest.mark.parametrize(
    "file", sorted(each.name for each in HERE.glob("test_*.py") if each.name != Path(__file__).name)
)
def test_each_file_of_tests_is_in_the_list(file: str) -> None:
    assert f"`{file}`" in LIST
