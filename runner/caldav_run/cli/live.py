"""A run as a person watches it: the steps on a terminal, plain lines elsewhere."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from caldav_run.cli import console
from caldav_run.engine.events import (
    Event,
    Level,
    Noted,
    Planned,
    Progress,
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

_COLORS = {
    State.OK: "green",
    State.CHANGED: "yellow",
    State.WOULD_CHANGE: "yellow",
    State.SKIPPED: "cyan",
    State.FAILED: "red",
    State.GUARDED: "magenta",
}


class Watcher(Protocol):
    """Shows events as they come."""

    def take(self, event: Event) -> None:
        """Show one event."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class PlainWatcher:
    """One line an event; with `quiet` only warnings and errors."""

    def __init__(self, *, quiet: bool) -> None:
        """Choose how much to say."""
        self._quiet = quiet

    def take(self, event: Event) -> None:
        """Print the event's line."""
        if self._quiet and not (isinstance(event, Noted) and event.level is not Level.INFO):
            return
        text = None if isinstance(event, Planned) else line(event)
        if text is not None:
            console.tell(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class LiveWatcher:
    """A table of the steps that fills while they run, notes above it."""

    def __init__(self) -> None:
        """Prepare the table; nothing is drawn yet."""
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=True, highlight=False)
        self._rows: dict[Step, tuple[str, str]] = {}
        self._live: Live = Live(console=self._console, get_renderable=self._table)

    def take(self, event: Event) -> None:
        """Bring the table up to date."""
        match event:
            case RunStarted():
                self._rows = dict.fromkeys(event.steps, ("", ""))
            case StepStarted(step):
                self._rows[step] = ("[blue]running", "")
            case Progress(step, items):
                self._rows[step] = ("[blue]running", f"{items:,} items")
            case StepFinished():
                state = f"[{_COLORS[event.state]}]{event.state}"
                self._rows[event.step] = (state, event.summary)
            case Noted():
                # Not markup: a calendar's name may hold brackets.
                self._console.print(redact(line(event) or ""), markup=False, soft_wrap=True)
            case _:
                pass

    def _table(self) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for step, (state, summary) in self._rows.items():
            table.add_row(Text(str(step)), state, Text(redact(summary)))
        return table

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def watcher(*, quiet: bool) -> Watcher:
    """Return what suits standard error."""
    if quiet or not console.on_terminal(sys.stderr):
        return PlainWatcher(quiet=quiet)
    return LiveWatcher()
