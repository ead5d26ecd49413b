"""Keeps what a destination refused, with its words, in a folder for a person to look at."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from caldav_run.connectors.vdir_folder import Folder, reason
from caldav_run.connectors.vdir_names import (
    SUFFIX,
    folder_name,
    hashed_item_name,
    plain_item_name,
)
from caldav_run.engine.events import Level
from caldav_run.engine.recipient import Tally
from caldav_run.model import Version

_WORDS: Final = ".txt"


@dataclass(slots=True)
class Rejected:
    """The folder of one sink: `<folder>/<sink>/<calendar>/<name>.ics`, and `.txt` beside it.

    It holds what the last run could not write; what an earlier one left there goes.

    Attributes:
        folder: Where it is; None where nothing is kept.
        tally: Where to tell that something cannot be kept.
    """

    folder: Path | None
    tally: Tally
    _broken: bool = False

    def clear(self) -> None:
        """Delete what an earlier run put there."""
        if self.folder is None or self._broken:
            return
        place = self.folder / folder_name(self.tally.step.name)
        for words in place.glob(f"*/*{_WORDS}"):
            item = words.with_suffix(SUFFIX)
            # Both are ours, or neither.
            if item.exists():
                self._try(item.unlink)
                self._try(words.unlink)

    def keep(self, calendar: str, item: Version, body: Callable[[], bytes], words: str) -> None:
        """Keep one item with what was said to it.

        Args:
            calendar: The id of its calendar at the destination.
            item: The item.
            body: Gives its bytes.
            words: Why it was not written.
        """
        if self.folder is not None and not self._broken:
            folder = self.folder
            self._try(lambda: self._write(folder, calendar, item, body(), words))

    def _write(self, root: Path, calendar: str, item: Version, body: bytes, words: str) -> None:
        name = plain_item_name(item.href) or hashed_item_name(item.href)
        root.mkdir(parents=True, exist_ok=True)
        with (
            Folder.open(root) as top,
            top.make(folder_name(self.tally.step.name)) as sink,
            sink.make(folder_name(calendar)) as folder,
        ):
            folder.write(name, [body])
            told = f"{item.label}\nUID {item.uid}\n{words}\n"
            folder.write(name.removesuffix(SUFFIX) + _WORDS, [told.encode()])

    def _try(self, act: Callable[[], None]) -> None:
        """Do it; a folder that cannot be used is told once, and stops nothing."""
        try:
            act()
        except OSError as error:
            self._broken = True
            text = f"what is refused cannot be kept in {self.folder}: {reason(error)}"
            self.tally.note(Level.WARNING, text)
