"""Fuzz one target, or each in turn: python tests/fuzz/run.py SECONDS [TARGET].

What breaks a target is left in `build/fuzz/TARGET/`, beside the corpus that grows from run to run.
"""

import importlib
import subprocess
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "fuzz"
MAX_LENGTH = 4096
sys.path.insert(0, str(HERE))
with atheris.instrument_imports(include=["caldav_run.repository"], enable_loader_override=False):
    targets = importlib.import_module("targets")


def every(seconds: str) -> int:
    """Fuzz each target in a process of its own; return how many were broken."""
    broken = 0
    for name in targets.TARGETS:
        done = subprocess.run(
            [sys.executable, __file__, seconds, name],
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        last = [line for line in done.stderr.splitlines() if line.startswith(("Done", "#"))][-1:]
        verdict = "broken" if done.returncode else "holds"
        sys.stdout.write(f"{name}: {verdict}  {''.join(last)}\n")
        sys.stdout.flush()
        if done.returncode:
            broken += 1
            sys.stdout.write(done.stderr[-4000:])
    return broken


def one(seconds: str, name: str) -> None:
    """Fuzz one target; the process ends with it."""
    corpus = BUILD / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(targets.seeds()[name]):
        (corpus / f"seed-{number:04}").write_bytes(seed)
    options = (f"-max_total_time={seconds}", f"-max_len={MAX_LENGTH}", "-print_final_stats=0")
    atheris.Setup(
        [sys.argv[0], *options, f"-artifact_prefix={BUILD / name}/", str(corpus)],
        targets.TARGETS[name],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        one(*sys.argv[1:3])
    else:
        sys.exit(every(sys.argv[1]))
