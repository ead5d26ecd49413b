"""Runs the program and says how much of its processor time is its own.

Usage: python -m benchmarks.own_cpu OUTPUT ARGUMENT ...

Compressing (zstd), sealing (age) and parsing XML (lxml) are timed in the thread that does them and
taken off. OUTPUT gets both times as JSON, in seconds: of the process, and of the three.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from backports.zstd import ZstdCompressor, compress
from lxml import etree

from caldav_run.cli import main
from caldav_run.repository import age

_spent: list[float] = []


def _timed(work: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        begun = time.thread_time()
        try:
            return work(*args, **kwargs)
        finally:
            _spent.append(time.thread_time() - begun)

    return timed


class _Parser(etree.XMLPullParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.feed = _timed(super().feed)  # type: ignore[method-assign]
        self.close = _timed(super().close)  # type: ignore[method-assign]


class _Stream:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        stream = ZstdCompressor(*args, **kwargs)
        self.compress, self.flush = _timed(stream.compress), _timed(stream.flush)


_ZSTD = "caldav_run.repository.zstd"
_TIMED: Mapping[str, Callable[..., Any]] = {
    "caldav_run.dav.multistatus.etree.XMLPullParser": _Parser,
    f"{_ZSTD}.ZstdCompressor": _Stream,
    f"{_ZSTD}.compress": _timed(compress),
    "caldav_run.repository.age.seal": _timed(age.seal),
}


def run(output: str, *arguments: str) -> int:
    """Run the program, write the times, and return its exit status."""
    with ExitStack() as stack:
        for name, timed in _TIMED.items():
            stack.enter_context(patch(name, timed))
        status = main.run(arguments)
    Path(output).write_text(json.dumps([time.process_time(), sum(_spent)]))
    return status


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
