"""Change the code in one small place after another, and count what the tests notice.

    python tests/mutation/run.py [--children N] [MODULE…]

A module is a path within the package (`repository/tar`, `repository/check/deep`); without any, all
are measured of which coverage wants 100 %. mutmut wants code in `src/`, so it works on a copy in
`build/mutation`, made anew each time. What is left alive is written to `build/mutants-alive`.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
COPY = TOP / "build" / "mutation"
REPORTS = TOP / "build" / "mutants-alive"
PACKAGE = Path("src/caldav_run")
COPIED = ("tests", "schemas", "pipelines", "docs", "benchmarks", "rescue.py", "README.md")
UNIT = Path("tests/unit")
# Which tests of the repository hold a module: fast and direct ones. `test_<name>.py` does always.
USE = "archive generation damage reader"
EXPIRY = "expire upkeep retention"
HELD_BY = {
    "account": f"{USE} cache",
    "bodies": "damage",
    "cache": "archive generation",
    "cachefile": "cache archive generation",
    "create": "sheet",
    "difference": "reader narrow",
    "durable": "local",
    "expire": EXPIRY,
    "fields": "damage",
    "generation": f"{USE} removed_signers keyfiles",
    "header": "fields",
    "keys": "keyfiles bundles",
    "lineage": f"{USE} removed_signers",
    "names": "tombstone bundles",
    "resume": f"{USE} cache",
    "rows": "fields",
    "segment": "generation fields damage",
    "sshsig": "plain_tools",
    "stock": f"{USE} {EXPIRY}",
    "versions": "tracks",
}

# mutmut writes plain `# type: ignore` behind what it adds.
FOR_THE_COPY = {'mypy_path = ["runner"]': 'mypy_path = ["src"]', '"ignore-without-code", ': ""}

# Beside the copy, what it knows of the other modules outlives the change of one.
MYPY = ("mypy", "--output=json", "--disable-error-code=unused-ignore", "--cache-dir=../mypy")
# mutmut's exit codes: what pytest said, and 37 for what mypy refused.
COLUMNS = ("killed", "timeout", "alive", "untested", "refused", "unmeasured")
LEFT = ("alive", "untested", "unmeasured")
VERDICTS = {
    0: "alive",
    1: "killed",
    3: "killed",
    5: "untested",
    33: "untested",
    37: "refused",
    None: "unmeasured",
}


def every_module() -> list[str]:
    """Return the modules that must not be wrong."""
    package = TOP / "runner" / "caldav_run"
    files = [file for file in package.glob("repository/**/*.py") if file.name != "__init__.py"]
    modules = [str(file.relative_to(package).with_suffix("")) for file in files]
    return ["engine/plan", "ical/canonical", *sorted(modules)]


def tests_of(module: str) -> list[str]:
    """Return the tests that have to notice a change of a module."""
    folder, name = UNIT / Path(module).parent, Path(module).name
    if folder.name == "check":
        return [str(folder)]
    own = folder / f"test_{name}.py"
    others = HELD_BY.get(name, "" if (TOP / own).exists() else USE).split()
    files = dict.fromkeys((own, *(folder / f"test_{other}.py" for other in others)))
    return [str(file) for file in files if (TOP / file).exists()]


def config(module: str) -> str:
    """Return mutmut's part of pyproject.toml."""
    file = f"{PACKAGE}/{module}.py"
    options = ["-p", "no:randomly", "-p", "no:cacheprovider", "-o", "pythonpath=", "--timeout=20"]
    values = {
        "source_paths": [str(PACKAGE)],
        "only_mutate": [file],
        # The words of an error are held by tests that ask for them, where they matter.
        "do_not_mutate_patterns": ["^ *raise "],
        "type_check_command": [*MYPY, file],
        "pytest_add_cli_args_test_selection": tests_of(module),
        "pytest_add_cli_args": [*options, "--hypothesis-profile=mutation"],
        "also_copy": list(COPIED),
        "timeout_constant": 3.0,
        "timeout_multiplier": 4.0,
        "track_dependencies": False,
        "use_git_change_detection": False,
    }
    lines = (f"{key} = {json.dumps(value)}" for key, value in values.items())
    return "\n".join(["", "[tool.mutmut]", *lines, ""])


def make_copy() -> None:
    """Lay out code, tests and data as mutmut wants them."""
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(TOP / "runner", COPY / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in COPIED:
        place = TOP / name
        if place.is_dir():
            shutil.copytree(place, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(place, COPY / name)


def measure(module: str, children: str) -> int:
    """Have mutmut change one module, and return its exit status."""
    settings = (TOP / "pyproject.toml").read_text()
    for here, there in FOR_THE_COPY.items():
        settings = settings.replace(here, there)
    (COPY / "pyproject.toml").write_text(settings + config(module))
    shutil.rmtree(COPY / "mutants", ignore_errors=True)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": ""}
    with (COPY / "mutmut.log").open("w") as log:
        done = subprocess.run(
            ("mutmut", "run", "--max-children", children),
            cwd=COPY,
            env=environment,
            check=False,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return done.returncode


def verdicts_of(module: str) -> dict[str, str]:
    """Return the verdict on each mutant of a module."""
    meta = COPY / "mutants" / PACKAGE / f"{module}.py.meta"
    codes = json.loads(meta.read_text())["exit_code_by_key"]
    return {mutant: VERDICTS.get(code, "timeout") for mutant, code in codes.items()}


def changes(module: str, mutants: list[str]) -> str:
    """Return mutants of a module as patches."""
    path = PACKAGE / f"{module}.py"
    with contextlib.chdir(COPY):
        return "\n".join(f"# {each}\n{get_diff_for_mutant(each, path=path)}\n" for each in mutants)


def row(module: str, counts: Counter[str]) -> str:
    """Return a line of the table of scores."""
    noticed = counts["killed"] + counts["timeout"]
    tried = noticed + counts["alive"] + counts["untested"]
    score = f"{100 * noticed / tried:.1f} %" if tried else "-"
    return f"| `{module}` | " + " | ".join(str(counts[name]) for name in COLUMNS) + f" | {score} |"


def main() -> int:
    """Measure each module that is named, and tell what is left alive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", default="1", help="processes at a time")
    parser.add_argument("modules", nargs="*", help="paths within the package, without .py")
    chosen = parser.parse_args()
    make_copy()
    broken = 0
    say(f"| Module | {' | '.join(COLUMNS)} | score |")
    for module in chosen.modules or every_module():
        broken |= measure(module, chosen.children)
        verdicts = verdicts_of(module)
        say(row(module, Counter(verdicts.values())))
        left = [name for name, verdict in verdicts.items() if verdict in LEFT]
        report = REPORTS / f"{module.replace('/', '-')}.txt"
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(changes(module, left))
    say(f"The changes that no test noticed: {REPORTS.relative_to(TOP)}")
    return broken


def say(line: str) -> None:
    """Print a line at once: a run takes long."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
