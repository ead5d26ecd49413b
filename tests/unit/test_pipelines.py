"""The example pipelines are valid, and show every connector."""

import re
from pathlib import Path

import pytest

from caldav_run.connectors import registry
from caldav_run.pipeline.check import Checked, check_file
from caldav_run.pipeline.render import render_text

FOLDER = Path(__file__).parents[2] / "pipelines"
FILES = sorted(FOLDER.glob("*.yaml"))
PROVIDERS = FOLDER.parent / "docs/providers"
PAGES = sorted(set(PROVIDERS.glob("*.md")) - {PROVIDERS / "index.md"})
ENVIRON = {
    "CALDAV_URL": "https://cloud.example.org",
    "CALDAV_USERNAME": "alice",
    "GOOGLE_CLIENT_ID": "me",
}


def checked(path: Path) -> Checked:
    return check_file(path, sets={}, environ=ENVIRON, strict_env=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_valid_without_a_warning(path: Path) -> None:
    found = checked(path)
    assert not found.problems, render_text(found.problems)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_called_like_its_file(path: Path) -> None:
    value = checked(path).value
    assert value is not None
    assert value["name"] == path.stem


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_editor_finds_the_schema_of_an_example(path: Path) -> None:
    match = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text("utf-8"))
    assert match
    assert (path.parent / match[1]).is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_page_of_a_service_leads_to_its_example(page: Path) -> None:
    linked = re.findall(r"\]\(\.\./\.\./pipelines/([a-z-]+)\.yaml\)", page.read_text("utf-8"))
    assert set(linked) <= {path.stem for path in FILES}
    assert page.stem.replace(".", "-") in linked


def test_every_connector_has_an_example() -> None:
    shown: dict[str, set[str]] = {"sources": set(), "filters": set(), "sinks": set()}
    for path in FILES:
        value = checked(path).value or {}
        for kind in ("sources", "sinks"):
            shown[kind] |= {each["type"] for each in value[kind].values()}
        shown["filters"] |= {each["type"] for each in value.get("filters", [])}
    assert shown == {
        "sources": set(registry.SOURCES),
        "filters": set(registry.FILTERS),
        "sinks": set(registry.SINKS),
    }
