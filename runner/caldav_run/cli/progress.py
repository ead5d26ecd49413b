"""How far something has come, for a person who watches; nothing is shown elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from caldav_run.cli import console


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Give what has to be called at each of `total` steps."""
    if not console.watched(sys.stderr):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, redirect_stdout=False) as shown:
        task = shown.add_task(what, total=total)
        yield lambda: shown.advance(task)
