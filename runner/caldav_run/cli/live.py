"""A run as a person watches it: the steps on a terminal, plain lines elsewhere."""

import sys
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

from caldav_run.cli import console
from caldav_run.engine.events import (
    Event,
    Level,
    Noted,
    Planned,
    Progress,
    RunFinished,
    RunStarted,
    State,
    Step,
    StepFinished,
    StepStarted,
)
from caldav_run.engine.report.text import line
from caldav_run.secret import redact

if TYPE_CHECKING:
    from rich.table import Table

_COLORS: Final = {
    State.OK: "green",
    State.CHANGED: "yellow",
    State.WOULD_CHANGE: "yellow",
    State.SKIPPED: "cyan",
    State.FAILED: "red",
    State.GUARDED: "magenta",
}
_RUNNING: Final = "running"


class Watcher(AbstractContextManager["Watcher"], Protocol):
    """Shows events as they come.

    Attributes:
        redraws: Whether lines on the screen are drawn anew, so that others must go above them.
    """

    redraws: bool

    def take(self, event: Event) -> None:
        """Show one event."""


class PlainWatcher:
    """One line an event; with `quiet` only warnings and errors."""

    redraws = False

    def __init__(self, *, quiet: bool) -> None:
        """Choose how much to say."""
        self._quiet = quiet

    def take(self, event: Event) -> None:
        """Print the event's line."""
        important = isinstance(event, Noted) and event.level is not Level.INFO
        text = line(event)
        if text is None or isinstance(event, Planned) or (self._quiet and not important):
            return
        console.tell(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class LiveWatcher:
    """A table of the steps that fills while they run; notes and log records go above it."""

    redraws = True

    def __init__(self) -> None:
        """Prepare the table; nothing is drawn yet."""
        from rich.console import Console
        from rich.live import Live

        self._rows: dict[Step, tuple[str, str, str]] = {}
        # Standard output is not redirected: it may be a file, and what goes there is data.
        self._live: Live = Live(
            console=Console(stderr=True, highlight=False),
            get_renderable=self._table,
            redirect_stdout=False,
        )

    def take(self, event: Event) -> None:
        """Bring the table up to date."""
        match event:
            case RunStarted():
                console.tell(line(event) or "")
                self._rows = dict.fromkeys(event.steps, ("", "", ""))
            case StepStarted(step):
                self._rows[step] = (_RUNNING, "blue", "")
            case Progress(step, items):
                self._rows[step] = (_RUNNING, "blue", f"{items:,} items")
            case StepFinished(step, state, summary):
                self._rows[step] = (state, _COLORS[state], summary)
            case Noted():
                console.tell(line(event) or "")
            case RunFinished():
                self._stop_what_runs()
            case _:
                pass

    def _stop_what_runs(self) -> None:
        """Call a step stopped that an interruption left without an end."""
        for step, (state, _, summary) in self._rows.items():
            if state == _RUNNING:
                self._rows[step] = ("stopped", "red", summary)

    def _table(self) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for step, (state, color, summary) in tuple(self._rows.items()):
            # Not markup: a name may hold brackets.
            named, told = console.shown(redact(str(step))), console.shown(redact(summary))
            table.add_row(Text(named), Text(state, color), Text(told))
        return table

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()


def watcher(*, quiet: bool) -> Watcher:
    """Return what suits standard error."""
    if quiet or not console.watched(sys.stderr):
        return PlainWatcher(quiet=quiet)
    return LiveWatcher()
