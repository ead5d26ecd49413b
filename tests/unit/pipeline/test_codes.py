"""The manual explains every code, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
CODE = re.compile(
    r"""(?:code=|_fatal\(\s*|_report\(\s*|_stop\(\s*|_bad\(\s*|_problem\(\s*)"([a-z0-9-]+)\""""
)


def test_every_code_is_explained_and_every_explained_code_exists() -> None:
    modules = (ROOT / "runner" / "caldav_run" / "pipeline").glob("*.py")
    used = {code for module in modules for code in CODE.findall(module.read_text("utf-8"))}
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    explained = {code for row in rows for code in re.findall(r"`([a-z0-9-]+)`", row)}
    assert used == explained
