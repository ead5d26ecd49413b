"""The log: this program's and its libraries' records, on standard error, without secrets."""

import logging
from typing import Final

from caldav_run.cli import console
from caldav_run.secret import redact

_OWN: Final = "caldav_run"
_NAMES: Final = {logging.WARNING: "warning: ", logging.ERROR: "error: "}


class Redaction(logging.Filter):
    """Puts `***` in the place of every resolved secret, whichever handler comes after it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the record's message and its traceback; every record passes."""
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


class ConsoleHandler(logging.Handler):
    """Tells records as lines, in the way of the program's other messages."""

    def __init__(self) -> None:
        """Install the redaction, so that no formatter can go around it."""
        super().__init__()
        self.addFilter(Redaction())

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one record; a library's record names the library."""
        foreign = record.name.partition(".")[0] != _OWN
        who = f"{record.name}: " if foreign else ""
        console.tell(f"{_NAMES.get(record.levelno, '')}{who}{self.format(record)}")


def start(*, verbose: bool) -> None:
    """Send log records to where they belong; may be called again.

    This program's warnings are always told. What libraries warn of means nothing to most people
    and is told with `verbose` only, and so is what this program does, step by step.
    """
    handler = ConsoleHandler()
    own, everything = logging.getLogger(_OWN), logging.getLogger()
    own.handlers[:] = [handler]
    own.propagate = False
    own.setLevel(logging.INFO if verbose else logging.WARNING)
    # Without any handler Python would print warnings as they are.
    everything.handlers[:] = [handler if verbose else logging.NullHandler()]
    everything.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
