"""What is shipped: the wheel holds what it needs and works without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD_TIMEOUT_S = 60


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # The back end itself, without isolation: a build in a test downloads nothing.
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=BUILD_TIMEOUT_S,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content as an installer lays it out."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, folder: Path, *arguments: str) -> str:
    """Run the wheel's program far from the checkout; it is found before any other one."""
    program = (
        "import caldav_run, sys; from caldav_run.cli.main import main; "
        f"assert caldav_run.__file__.startswith({str(installed)!r}); main()"
    )
    outcome = subprocess.run(
        [sys.executable, "-P", "-c", program, *arguments],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(installed),
        },
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def test_it_holds_code_schemas_examples_types_and_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {
        "caldav_run/py.typed",
        "caldav_run/rescue.py",
        *(f"caldav_run/{_below(path)}" for path in (ROOT / "schemas").rglob("*.json")),
        *(f"caldav_run/{_below(path)}" for path in (ROOT / "pipelines").rglob("*.yaml")),
        *(path.relative_to(ROOT / "runner").as_posix() for path in (ROOT / "runner").rglob("*.py")),
    }
    assert wanted <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_holds_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top.split("-")[0] for top in tops} == {"caldav_run"}


def test_it_starts_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, "--version").startswith("caldav-run ")


def test_it_finds_its_schemas_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert '"sources-caldav"' in run(installed, tmp_path, "schema")


def _below(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
