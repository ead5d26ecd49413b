"""Completion in the shells that people use, as far as they are installed here."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

PATIENCE_S = 15.0


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """An own home, and the program under its name on the path."""
    program = tmp_path / "bin" / "caldav-run"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nfrom caldav_run.cli.main import main\n\nmain()\n", encoding="utf-8"
    )
    program.chmod(0o755)
    (tmp_path / "nightly.yaml").write_text("")
    return {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TERM": "dumb",
        "PYTHONSAFEPATH": "1",
    }


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"needs {shell}")


SHELLS = [pytest.param(each, marks=needs(each)) for each in ("bash", "zsh", "fish")]


def shell(name: str, script: str, environment: Mapping[str, str]) -> str:
    """Run a script by a shell, which stays the parent of what it runs."""
    done = subprocess.run(
        [name, "-c", f"{script}\ntrue"],
        cwd=environment["HOME"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", SHELLS)
def test_the_shell_takes_the_script(name: str, environment: Mapping[str, str]) -> None:
    script = shell(name, "caldav-run --show-completion", environment)
    assert f"complete_{name}" in script
    path = Path(environment["HOME"]) / "script"
    path.write_text(script)
    # As `compdef` is there once a person has switched completion on.
    known = "compdef() { true; }; " if name == "zsh" else ""
    shell(name, f"{known}source {path}", environment)


@pytest.mark.parametrize("name", SHELLS)
def test_installing_puts_it_where_the_shell_looks(
    name: str, environment: Mapping[str, str]
) -> None:
    home = Path(environment["HOME"])
    assert f"{name} completion installed" in shell(
        name, "caldav-run --install-completion", environment
    )
    installed = {
        "bash": home / ".bash_completions" / "caldav-run.sh",
        "zsh": home / ".zfunc" / "_caldav-run",
        "fish": home / ".config" / "fish" / "completions" / "caldav-run.fish",
    }[name]
    assert "caldav-run" in installed.read_text()


@needs("bash")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("sn", ["snapshots"]),
        ("ex", ["export", "expire"]),
        ("run --ad", ["--adopt-origin"]),
        ("key n", ["new"]),
        ("validate --output gi", ["github"]),
        ("run night", []),  # left to the shell, which completes files
    ],
)
def test_bash_completes(typed: str, expected: list[str], environment: Mapping[str, str]) -> None:
    words = ["caldav-run", *typed.split()]
    script = (
        f'eval "$(caldav-run --show-completion)"\nCOMP_WORDS=({" ".join(words)})\n'
        f"COMP_CWORD={len(words) - 1}\n_caldav_run_completion caldav-run\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\ncomplete -p caldav-run'
    )
    *found, how = shell("bash", script, environment).splitlines()
    assert [each for each in found if each] == expected
    assert "-o default" in how


@needs("fish")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [("sn", "snapshots"), ("run --ad", "--adopt-origin"), ("n", "nightly.yaml")],
)
def test_fish_completes(typed: str, expected: str, environment: Mapping[str, str]) -> None:
    script = f'caldav-run --show-completion | source\ncomplete -C "caldav-run {typed}"'
    found = shell("fish", script, environment).splitlines()
    assert expected in [each.split("\t")[0] for each in found]


@needs("zsh")
@pytest.mark.parametrize(("typed", "expected"), [("snap", "snapshots"), ("night", "nightly.yaml")])
def test_zsh_completes(typed: str, expected: str, environment: Mapping[str, str]) -> None:
    shell("zsh", "caldav-run --install-completion", environment)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(environment["HOME"])
        settings = {**environment, "PS1": "ready"}
        os.execvpe("zsh", ["zsh", "-i"], settings)  # noqa: S606 -- on the terminal that was forked
    text = b""
    typed_so_far = False
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and expected.encode() not in text:
        if select.select([terminal], [], [], 0.5)[0]:
            text += os.read(terminal, 65536)
        elif b"ready" in text:
            # The first tab of a session may only load the function.
            os.write(terminal, b"\t" if typed_so_far else f"caldav-run {typed}\t".encode())
            typed_so_far = True
    os.write(terminal, b"\x15exit\n")
    os.waitpid(child, 0)
    os.close(terminal)
    assert expected in text.decode(errors="replace")
