"""The command line that machines write: `run` and pipelines, read without the library.

The library and what it brings take 0.1 s, a fifth of a run that finds nothing new. All other
command lines go through it, those with a mistake too: what is read here has no words of its own.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from caldav_run.cli import logs
from caldav_run.cli.chosen import STATE_VARIABLE, Output, settings
from caldav_run.cli.execute import execute

_VERB: Final = "run"
_QUIET: Final = frozenset({"-q", "--quiet"})
_SUFFIXES: Final = (".yaml", ".yml")
_COMPLETION: Final = "_CALDAV_RUN_COMPLETE"


def understood(arguments: Sequence[str]) -> bool:
    """Return whether a command line is nothing but a run of pipelines, quiet or not."""
    if _COMPLETION in os.environ:
        return False
    files = _files(arguments)
    short = bool(arguments) and arguments[0].endswith(_SUFFIXES)
    plain = all(each and not each.startswith("-") for each in files)
    return bool(files) and plain and (short or arguments[0] == _VERB)


def run(arguments: Sequence[str]) -> int:
    """Do what `caldav_run.cli.run.run` does with such a command line."""
    logs.start(verbose=False)
    state = os.environ.get(STATE_VARIABLE)
    chosen = settings(state_dir=Path(state) if state else None)
    files = [Path(each) for each in _files(arguments)]
    quiet = not _QUIET.isdisjoint(arguments)
    return execute(files, {}, chosen, Output.TEXT, quiet=quiet).status


def _files(arguments: Sequence[str]) -> list[str]:
    words = [each for each in arguments if each not in _QUIET]
    return words[1:] if words and arguments[0] == _VERB else words
