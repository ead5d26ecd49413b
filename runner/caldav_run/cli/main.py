"""The program `caldav-run`: which verb is meant, and errors as a person should meet them."""

import difflib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import typer

# Imported for the verbs that they add to `app`.
from caldav_run.cli import compare, console, demo, keys, look, run, take, validate
from caldav_run.cli.app import app
from caldav_run.errors import CaldavRunError, UsageError

_OWN_OPTIONS = ("-h", "--help", "--version", "--install-completion", "--show-completion")
_MODULES = (compare, demo, keys, look, run, take, validate)


def verbs() -> list[str]:
    """Return the names of all commands."""
    named = [
        each.name or getattr(each.callback, "__name__", "") for each in app.registered_commands
    ]
    return sorted([*named, *(group.name or "" for group in app.registered_groups)])


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
    if _looks_like_file(first):
        return ["run", *arguments]
    close = difflib.get_close_matches(first, known, n=1)
    hint = f'did you mean "{close[0]}"?' if close else f"the verbs are: {', '.join(known)}"
    raise UsageError(f'"{first}" is neither a verb nor a file', mend=hint)


def _looks_like_file(argument: str) -> bool:
    return argument.endswith((".yaml", ".yml")) or os.sep in argument or Path(argument).exists()


def _option_first(arguments: Sequence[str], known: Sequence[str]) -> list[str]:
    if arguments[0].split("=")[0] in _OWN_OPTIONS:
        return list(arguments)
    verb = next((each for each in arguments if each in known), "run")
    raise UsageError(
        f'the option "{arguments[0]}" stands before the verb',
        mend=f"write: caldav-run {verb} {arguments[0]} …",
    )


def main() -> None:
    """Run the program and exit with its status."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(guarded(lambda: _run(sys.argv[1:])))


def _run(arguments: Sequence[str]) -> int:
    status = app(with_verb(arguments, verbs()), prog_name="caldav-run", standalone_mode=False)
    return status if isinstance(status, int) else 0


def _terminate(number: int, frame: FrameType | None) -> None:
    # A service manager's stop is to end a run as cleanly as Ctrl-C does.
    del number, frame
    raise KeyboardInterrupt


def guarded(program: Callable[[], int]) -> int:
    """Run a program and turn what it raises into a message and an exit status."""
    try:
        status = program()
        sys.stdout.flush()
    except CaldavRunError as error:
        console.error(error)
        return error.exit_status
    except typer.TyperException as error:
        console.error(UsageError(error.format_message(), mend="see caldav-run VERB --help"))
        return UsageError.exit_status
    except (KeyboardInterrupt, typer.Abort):
        console.tell("interrupted")
        return 130
    except BrokenPipeError:
        # The reader went away (`| head`): there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("CALDAV_RUN_DEBUG"):
            raise
        console.error(
            CaldavRunError(
                f"caldav-run failed where it should not: {type(error).__name__}: {error}",
                mend="this is a defect: please report what CALDAV_RUN_DEBUG=1 shows",
            )
        )
        return 1
    return status
