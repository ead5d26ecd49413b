"""How many writes at a time: as many as help, and fewer where a server breaks down under them."""

from typing import Final

from caldav_run.dav.pace import Pace

_SAMPLES: Final = 20
"""So many writes tell how fast a server is at some width; they differ more than reports do."""
_WORTH: Final = 1.03
"""How much faster twice as many writes at a time have to be."""
_GLANCE: Final = 500
"""After so many writes all widths are looked at anew: a server has other work at other times."""
_TRUST: Final = 50
"""So many writes in a row have to go well before a server is given more of them again."""


class Effort(Pace):
    """Decides how many writes may be under way; see `Pace`."""

    def __init__(self, widest: int = 8) -> None:
        """Begin in the middle.

        Args:
            widest: How many writes may ever be under way.
        """
        super().__init__(widest, largest=1, samples=_SAMPLES)
        self._wanted = 0
        self._writes = 0
        self._good = 0
        self._trust = _TRUST

    def written(self, seconds: float, width: int) -> None:
        """Take notice of a write that was done, or refused for its own sake.

        Args:
            seconds: How long it took, with all attempts.
            width: How many writes were under way beside it, and itself.
        """
        self._writes += 1
        if self._writes % _GLANCE == 0 and self.width >= self._wanted:
            self.look_anew()
        self.went_well(1, 0, seconds, width)
        self._good += 1
        if self.width < self._wanted and self._good >= self._trust:
            self.width = min(self._wanted, self.width * 2)
            self._good = 0

    def refused(self) -> None:
        """Take notice of a server that fails, or wants to be left alone."""
        self._wanted = max(self._wanted, self.width)
        # Those that were under way beside the first one say the same once more.
        if self._good:
            self._trust *= 2
        self._good = 0
        self.went_badly(1)

    def _choose(self) -> None:
        """Try twice as many, then half as many as long as that is no loss; keep the best."""
        here = self._speeds[self.width]
        more, fewer = self.width * 2, self.width // 2
        if more <= self._widest and more not in self._speeds and here == self._best():
            self.width = more
        elif fewer and fewer not in self._speeds and here * _WORTH >= self._best():
            self.width = fewer
        else:
            best = self._best()
            self.width = min(each for each, speed in self._speeds.items() if speed * _WORTH >= best)
            untried = {self.width // 2, self.width * 2} - {0, *self._speeds}
            self._settled = not any(each <= self._widest for each in untried)
            if not self._settled:
                self.width = min(untried)

    def _best(self) -> float:
        return max(self._speeds.values())
