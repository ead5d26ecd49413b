"""The documentation says what is so: its links lead somewhere and its pipelines are valid."""

import re
import runpy
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from caldav_run.cli.app import verbs
from caldav_run.connectors.schemas import Schema, load_schemas
from caldav_run.model import Op
from caldav_run.pipeline.check import check_text
from caldav_run.pipeline.render import render_text
from caldav_run.repository import keys
from caldav_run.testing.vault import Vault, about, added, body_of

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("changelog.d/*.md")])
FENCE = re.compile(r"^(`{3,})([^\n]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
PLAIN_TOOLS = ("bash", "age", "zstd", "tar", "sha256sum", "python3", "ssh-keygen")
ELSEWHERE = ("http://", "https://", "mailto:")


def without_code(text: str) -> str:
    """Return a page's text without its code, where neither links nor headings are meant."""
    return re.sub(r"`[^`\n]*`", "code", FENCE.sub("", text))


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings make: lower case, hyphens, no punctuation."""
    headings = HEADING.findall(FENCE.sub("", page.read_text("utf-8")))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def links(page: Path) -> Iterator[str]:
    for target in LINK.findall(without_code(page.read_text("utf-8"))):
        if not target.startswith(ELSEWHERE):
            yield target


def properties(schema: Schema, where: str) -> Iterator[tuple[str, Schema]]:
    """Yield where each property of a schema stands, and what it may be, at every depth."""
    for name, option in schema.get("properties", {}).items():
        yield f"{where}.{name}", option
        yield from properties(option, f"{where}.{name}")
    for key in ("oneOf", "allOf"):
        for form in schema.get(key, ()):
            yield from properties(form, where)
    for name, part in schema.get("$defs", {}).items():
        yield from properties(part, f"{where} {name}")
    if isinstance(schema.get("items"), dict):
        yield from properties(schema["items"], f"{where}[]")


def snippets() -> Iterator[tuple[str, str]]:
    """Name and text of every block of YAML that is a whole pipeline."""
    for page in PAGES:
        for number, (_, info, text) in enumerate(FENCE.findall(page.read_text("utf-8")), start=1):
            if info.split()[:2] == ["yaml", "pipeline"]:
                yield f"{page.relative_to(ROOT)} block {number}", text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = unquote(target).partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.relative_to(ROOT)} links to {target}"
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked), f"{page.relative_to(ROOT)} links to {target}"


@pytest.mark.parametrize(("name", "text"), [pytest.param(*each, id=each[0]) for each in snippets()])
def test_every_pipeline_in_the_documentation_is_valid(name: str, text: str) -> None:
    checked = check_text(text, name, sets={}, environ={}, strict_env=False)
    assert not checked.problems, render_text(checked.problems)


@pytest.mark.skipif(not all(map(shutil.which, PLAIN_TOOLS)), reason=f"needs {PLAIN_TOOLS}")
def test_the_recovery_page_gets_the_newest_items_back_with_plain_tools(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    vault.run(added("a", 2), added("c"), about(Op.GONE, "b"))
    here = tmp_path / "here"
    here.mkdir()
    (here / "vault").symlink_to(vault.root)
    shutil.copy(vault.keys / keys.IDENTITY, here)
    page = FENCE.findall((ROOT / "docs" / "recovery.md").read_text("utf-8"))
    script = "".join(text for _, info, text in page if info == "sh recovery")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=here, check=True, capture_output=True
    )
    assert sum(line.startswith(b"cloud  2026-05-01T") for line in done.stdout.splitlines()) == 2
    assert b"damaged" not in done.stdout
    found = {each.name[-5:]: each.read_bytes() for each in (here / "newest").rglob("*.ics")}
    assert found == {"a.ics": body_of("a", 2), "c.ics": body_of("c")}
    assert len(list((here / "packs").rglob("*.ics"))) == 4


@pytest.mark.skipif(not all(map(shutil.which, PLAIN_TOOLS)), reason=f"needs {PLAIN_TOOLS}")
def test_the_recovery_page_gets_everything_back_with_rescue_py(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    here = tmp_path / "here"
    here.mkdir()
    (here / "vault").symlink_to(vault.root)
    shutil.copy(vault.keys / keys.IDENTITY, here)
    shutil.copy(ROOT / "rescue.py", here)
    page = FENCE.findall((ROOT / "docs" / "recovery.md").read_text("utf-8"))
    script = "".join(text for _, info, text in page if info == "sh rescue")
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=here, check=True)
    assert (here / "calendars/cloud/family/a.ics").read_bytes() == body_of("a")


@pytest.mark.skipif(not all(map(shutil.which, PLAIN_TOOLS)), reason=f"needs {PLAIN_TOOLS}")
def test_the_example_of_the_format_prints_what_it_shows() -> None:
    page = FENCE.findall((ROOT / "docs" / "repository-format.md").read_text("utf-8"))
    example = [(info, text) for _, info, text in page if info in {"sh example", "text"}]
    shown = [text for info, text in example if info == "text"]
    script = "\necho '----'\n".join(text for info, text in example if info == "sh example")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT / "tests/golden/small/repository",
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split("----\n") == shown


def test_a_block_that_is_a_whole_pipeline_is_marked_as_one() -> None:
    for page in PAGES:
        for _, info, text in FENCE.findall(page.read_text("utf-8")):
            if info == "yaml" and re.search(r"^version:", text, re.MULTILINE):
                pytest.fail(f"{page.relative_to(ROOT)}: mark as 'yaml pipeline':\n{text}")


def test_the_readme_lists_every_command_and_no_other() -> None:
    table = (ROOT / "README.md").read_text("utf-8").split("## Commands", 1)[1].split("##", 1)[0]
    cells = (line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    named = {name for cell in cells for name in re.findall(r"`(\w+)[^`]*`", cell)}
    assert named - {"caldav"} == set(verbs())


@pytest.mark.parametrize("file", load_schemas())
def test_every_property_of_a_schema_is_described(file: str) -> None:
    schema = load_schemas()[file]
    # The pipeline's schema describes `type`; a connector's own only repeats its value.
    found = [pair for pair in properties(schema, "") if pair[0] != ".type"]
    assert found
    assert not [where for where, option in found if not option.get("description")]


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / target).resolve() for target in links(index)}
    pages = {each.resolve() for each in (ROOT / "docs").rglob("*.md")}
    assert pages - listed == {index.resolve()}


def test_the_option_tables_are_those_of_the_schemas() -> None:
    script = ROOT / "docs" / "generate_options.py"
    options = runpy.run_path(str(script))
    written = (ROOT / "docs" / "options.md").read_text("utf-8")
    assert written == options["page"](load_schemas()), "run: make docs-tables"


def test_the_image_is_built_from_all_that_the_package_holds() -> None:
    page = (ROOT / "docs" / "automation.md").read_text(encoding="utf-8")
    copied = {
        word for line in page.splitlines() if line.startswith("COPY ") for word in line.split()
    }
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    assert copied >= set(hatch["build"]["targets"]["wheel"]["force-include"])


def test_the_page_of_servers_is_what_was_measured() -> None:
    servers = runpy.run_path(str(ROOT / "docs" / "generate_servers.py"))
    written = (ROOT / "docs" / "servers.md").read_text("utf-8")
    assert written == servers["page"](servers["load"]()), "run: docs/generate_servers.py"
