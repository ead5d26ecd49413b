"""The program `caldav-run`: which verb is meant, and errors as a person should meet them."""

import difflib
import gc
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from caldav_run.cli import console, logs, quick
from caldav_run.errors import CaldavRunError, UsageError

if TYPE_CHECKING:
    import typer

_OWN_OPTIONS: Final = ("-h", "--help", "--version", "--install-completion", "--show-completion")
_INTERRUPTED: Final = 130
_TRIED_AGAIN_AFTER: Final = 0.01  # seconds
_IMPORTING: Final = "<frozen importlib._bootstrap>"
_OBJECTS_BETWEEN_COLLECTIONS: Final = 100_000


def main() -> None:
    """Run the program and exit with its status."""
    _end_cleanly_when_told()
    # Next to nothing here is freed in cycles only: looking for some as often as is usual, and once
    # more at the end, takes a fifth of a short run.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    logs.start(verbose=False)
    status = guarded(lambda: run(sys.argv[1:]))
    _end_at_once_when_told()
    gc.freeze()
    # An interruption while a string of code ran, as in the making of a data class, is noted by
    # `python -m`, which would end by SIGINT in place of the status; another such run forgets it.
    exec("")  # noqa: S102 -- runs nothing
    sys.exit(status)


def with_verb(arguments: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the arguments with `run` in front where the first one is a file.

    Raises:
        UsageError: The first argument is neither a verb nor a file, or is an option of a verb.
    """
    if not arguments or arguments[0] in known:
        return list(arguments)
    first = arguments[0]
    if first.startswith("-"):
        return _option_first(arguments, known)
    close = difflib.get_close_matches(first, known, n=1)
    if _looks_like_file(first, wrong_verb=bool(close)):
        return ["run", *arguments]
    hint = f'did you mean "{close[0]}"?' if close else f"the verbs are: {', '.join(known)}"
    raise UsageError(f'"{first}" is neither a verb nor a file', mend=hint)


def _looks_like_file(argument: str, *, wrong_verb: bool) -> bool:
    if argument.endswith((".yaml", ".yml")) or os.sep in argument:
        return True
    # A folder called `plans` does not make a misspelt `plan` a pipeline.
    path = Path(argument)
    return path.is_file() or (path.exists() and not wrong_verb)


def _option_first(arguments: Sequence[str], known: Sequence[str]) -> list[str]:
    if arguments[0].split("=")[0] in _OWN_OPTIONS:
        return list(arguments)
    close = difflib.get_close_matches(arguments[0], _OWN_OPTIONS, n=1, cutoff=0.8)
    if close:
        raise UsageError(f"No such option: {arguments[0]}", mend=f'did you mean "{close[0]}"?')
    verb = next((each for each in arguments if each in known), "run")
    rest = [each for at, each in enumerate(arguments) if at != _index(arguments, verb)]
    raise UsageError(
        f'the option "{arguments[0]}" stands before the verb',
        mend=f"write: caldav-run {verb} {shlex.join(rest)}",
    )


def _index(arguments: Sequence[str], verb: str) -> int:
    return arguments.index(verb) if verb in arguments else -1


def guarded(program: Callable[[], int]) -> int:
    """Run a program and turn what it raises into a message and an exit status."""
    try:
        status = program()
    except CaldavRunError as error:
        console.error(error)
        return error.exit_status
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError as error:
        # Help and completion are printed by the library.
        console.lose_data(error)
        status = 0
    except Exception as error:  # noqa: BLE001 -- nobody is to meet a traceback unasked
        return _interrupted() if _by_interruption(error) else _ended(error)
    problem = console.lost()
    if problem is not None:
        console.error(problem)
        return status or problem.exit_status
    return status


def run(arguments: Sequence[str]) -> int:
    """Execute one command line and return its exit status.

    Raises:
        CaldavRunError: It cannot be done.
        typer.TyperException: The arguments do not fit the verb.
    """
    if quick.understood(arguments):
        return quick.run(arguments)
    from caldav_run.cli.app import make_app, verbs

    known = with_verb(arguments, verbs())
    status = make_app()(known, prog_name="caldav-run", standalone_mode=False)
    return status if isinstance(status, int) else 0


def _end_cleanly_when_told() -> None:
    # A service manager's stop and a lost connection end a run as cleanly as Ctrl-C does; who
    # started it with `nohup` wants the second one to be ignored.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(each, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)
    sys.unraisablehook = _not_lost


def _end_at_once_when_told() -> None:
    # Nothing catches an interruption any more, and nothing is left that it could harm.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        if signal.getsignal(each) is _interrupt:
            signal.signal(each, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    del frame
    if number != signal.SIGALRM:
        os._exit(_INTERRUPTED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Interrupt what runs; what a module runs as it is imported could not bear it."""
    del number
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            _try_again()
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _not_lost(unraisable: "sys.UnraisableHookArgs") -> None:
    """Interrupt once more where the interpreter swallows an interruption, as in a finaliser."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _try_again()
    else:
        sys.__unraisablehook__(unraisable)


def _try_again() -> None:
    signal.setitimer(signal.ITIMER_REAL, _TRIED_AGAIN_AFTER)


def _interrupted() -> int:
    _end_at_once_when_told()
    console.tell("interrupted")
    return _INTERRUPTED


def _by_interruption(error: BaseException | None) -> bool:
    """Return whether an error is what came of an interruption in the midst of something."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _ended(error: Exception) -> int:
    """Tell of an error that may be the library's way to say that a command line is done."""
    import typer

    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, typer.TyperException):
        return _misused(error)
    return _interrupted() if isinstance(error, typer.Abort) else _defect(error)


def _misused(error: "typer.TyperException") -> int:
    """Tell what is wrong with the arguments; without any, the usage is the answer."""
    context = getattr(error, "ctx", None)
    if context is not None and error.message == context.get_help():
        console.tell(error.message)
        return UsageError.exit_status
    # The library shows where it found the mistake in its own code.
    message = error.format_message().replace("Value error, ", "").rstrip(".")
    command = "caldav-run VERB" if context is None else context.command_path
    console.error(UsageError(message, mend=f"see {command} --help"))
    return UsageError.exit_status


def _defect(error: Exception) -> int:
    if os.environ.get("CALDAV_RUN_DEBUG"):
        console.tell("".join(traceback.format_exception(error)))
    problem = CaldavRunError(
        f"caldav-run failed where it should not: {type(error).__name__}: {error}",
        mend="this is a defect: please report it with what CALDAV_RUN_DEBUG=1 shows",
    )
    console.error(problem)
    return problem.exit_status
