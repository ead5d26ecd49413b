import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run import __version__, secret
from caldav_run.cli import console, main
from caldav_run.cli.app import verbs
from caldav_run.errors import UsageError

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], []),
        (["plan", "x.yaml"], ["plan", "x.yaml"]),
        (["x.yaml", "-v"], ["run", "x.yaml", "-v"]),
        (["x.yml"], ["run", "x.yml"]),
        (["a/b"], ["run", "a/b"]),
        (["file"], ["run", "file"]),
        (["folder"], ["run", "folder"]),
        (["--version"], ["--version"]),
        (["-h"], ["-h"]),
        (["--show-completion"], ["--show-completion"]),
    ],
)
def test_a_file_in_the_verbs_place_is_run(
    arguments: list[str], expected: list[str], here: Path
) -> None:
    (here / "file").write_text("")
    (here / "folder").mkdir()
    assert main.with_verb(arguments, verbs()) == expected


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["rnu", "x.yaml"], 'did you mean "run"?'),
        (["snapshot"], 'did you mean "snapshots"?'),
        (["xyzzy"], "the verbs are: cat, check"),
        (["-v", "my file.yaml"], "write: caldav-run run -v 'my file.yaml'"),
        (["--output=json", "plan", "x.yaml"], "write: caldav-run plan --output=json x.yaml"),
        (["--verzion"], 'did you mean "--version"?'),
    ],
)
def test_a_slip_in_the_first_words_gets_a_hint(arguments: list[str], hint: str, here: Path) -> None:
    del here
    with pytest.raises(UsageError) as caught:
        main.with_verb(arguments, verbs())
    assert hint in str(caught.value)


def test_a_folder_does_not_make_a_misspelt_verb_a_file(here: Path) -> None:
    (here / "plans").mkdir()
    with pytest.raises(UsageError, match='did you mean "plan"'):
        main.with_verb(["plans"], verbs())


def test_the_version_is_told(call: "Call") -> None:
    assert call("--version") == (0, f"caldav-run {__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], ["key"]])
def test_without_arguments_the_usage_is_the_answer(call: "Call", arguments: list[str]) -> None:
    done = call(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(" ".join(["Usage: caldav-run", *arguments]))


@pytest.mark.parametrize(
    ("arguments", "message", "mend"),
    [
        (["plan"], "Missing argument 'PIPELINE'", "see caldav-run plan --help"),
        (["plan", "--nope"], "No such option: --nope", "see caldav-run plan --help"),
        (["key", "nwe"], "No such command 'nwe'. Did you mean 'new'?", "see caldav-run key --help"),
        (
            ["plan", "x.yaml", "--output", "yaml"],
            "Invalid value for '--output': 'yaml' is not one of 'text', 'json'",
            "see caldav-run plan --help",
        ),
        (["export", "x.yaml"], "Missing option '--to'", "see caldav-run export --help"),
    ],
)
def test_a_wrong_usage_names_the_mistake_and_the_help(
    call: "Call", arguments: list[str], message: str, mend: str
) -> None:
    assert call(*arguments) == (2, "", f"error: {message}\n  = {mend}\n")


def raising(error: BaseException) -> int:
    raise error


@pytest.mark.usefixtures("here")
def test_a_defect_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.guarded(lambda: raising(KeyError("x"))) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: caldav-run failed where it should not: KeyError: 'x'\n")
    assert "Traceback" not in told


@pytest.mark.usefixtures("here")
def test_a_traceback_that_is_asked_for_holds_no_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret.hide(["pass-word-8"])
    monkeypatch.setenv("CALDAV_RUN_DEBUG", "1")
    assert main.guarded(lambda: raising(ValueError("pass-word-8"))) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "pass-word-8" not in told


def test_an_interruption_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.guarded(lambda: raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_what_comes_of_an_interruption_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> int:
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("cannot join a thread")

    assert main.guarded(broken) == 130
    assert capsys.readouterr().err == "interrupted\n"


_SIGNALLED = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"


@pytest.mark.parametrize(
    "interrupted",
    [
        # As a data class is made.
        f"exec({_SIGNALLED!r})",
        # Python would wrap it in an error of its own there.
        "import wrapping",
        # As the import system's locks are released.
        f"weakref.finalize(Object(), exec, {_SIGNALLED!r})",
        "Finalised()",
    ],
)
def test_an_interruption_is_neither_lost_nor_takes_the_status(
    tmp_path: Path, interrupted: str
) -> None:
    program = f"""
        import time, weakref
        from caldav_run.cli import main

        class Object:
            pass

        class Finalised:
            def __del__(self):
                {_SIGNALLED}

        def work(arguments):
            {interrupted}
            time.sleep(30)
            return 0

        main.run = work
        main.main()
    """
    wrapping = f"""
        class Field:
            def __set_name__(self, *named):
                {_SIGNALLED}

        class Owner:
            field = Field()
    """
    (tmp_path / "wrapping.py").write_text(textwrap.dedent(wrapping), encoding="utf-8")
    (tmp_path / "interrupted.py").write_text(textwrap.dedent(program), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize(
    ("first", "place"), [("raise KeyboardInterrupt", "console.tell"), ("return 0", "gc.freeze")]
)
@pytest.mark.parametrize("again", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interruption_at_the_very_end_shows_no_traceback(
    tmp_path: Path, first: str, place: str, again: str
) -> None:
    program = f"""
        import os, signal
        from caldav_run.cli import main

        def work(arguments):
            {first}

        def struck(*told):
            os.kill(os.getpid(), signal.{again})

        main.run = work
        main.{place} = struck
        main.main()
    """
    (tmp_path / "late.py").write_text(textwrap.dedent(program), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "late"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")


def test_other_errors_in_a_finaliser_are_told_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("x")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", main._not_lost)
        Broken()
    assert "ValueError: x" in capsys.readouterr().err


def test_a_pipe_that_breaks_in_a_library_is_quiet(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "out").open("w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main.guarded(lambda: raising(BrokenPipeError(32, "Broken pipe"))) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("status", "expected"), [(0, 1), (3, 3)])
def test_lost_output_is_told_unless_something_worse_happened(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, status: int, expected: int
) -> None:
    monkeypatch.setattr(console, "_failures", [OSError(28, "No space left on device")])
    assert main.guarded(lambda: status) == expected
    assert "not all of the output" in capsys.readouterr().err


def test_a_stop_from_outside_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # As `nohup` does.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def stopped(arguments: list[str]) -> int:
        assert arguments == ["x.yaml"]
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        signal.raise_signal(signal.SIGTERM)
        return 0

    monkeypatch.setattr(main, "run", stopped)
    monkeypatch.setattr(sys, "argv", ["caldav-run", "x.yaml"])
    try:
        with pytest.raises(SystemExit) as caught:
            main.main()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert caught.value.code == 130
