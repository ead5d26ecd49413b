"""How much to ask for at a time, learnt from how the server bears it."""

from typing import Final

FIRST_BATCH: Final = 100
BATCH_BYTES: Final = 2 * 1024 * 1024
"""What the items of one report may add up to, as far as that is known before."""

_FAST_FIRST_BATCH: Final = 500
_FAST_MEMBER_S: Final = 0.0005
"""Where a listing takes less for a member, a first report of bodies may be a larger one."""

_FIRST_WIDTH: Final = 4
_GROWTH: Final = 10
_GOAL_S: Final = 5.0
"""How long a larger report may take, as far as the last one tells."""
_SLOW_S: Final = 15.0
"""A report that takes longer is asked for in smaller pieces next time."""
_SAMPLES: Final = 8
"""So many reports tell how fast a server is at some width."""
_CHOICES: Final = 8
_GAIN: Final = 1.15
"""How much faster twice as many requests at a time have to be."""


class Pace:
    """Decides the size of the next report, and how many requests may be under way.

    More at a time is no gain where a server has one core or locks its files; bigger reports are
    none where it builds them in memory.

    Attributes:
        width: How many requests may be under way.
        size: How many items the next report asks for.
        proven: Whether a report of the present size has come back whole.
    """

    def __init__(self, widest: int = 8, largest: int = 1000, samples: int = _SAMPLES) -> None:
        """Begin in the middle.

        Args:
            widest: How many requests may ever be under way.
            largest: How many items a report may ever ask for.
            samples: How many requests tell how fast the server is at some width.
        """
        self.width = min(_FIRST_WIDTH, widest)
        self.size = min(FIRST_BATCH, largest)
        self.proven = False
        self._widest = widest
        self._largest = largest
        self._samples = samples
        self._mean_bytes = 0
        self._speeds: dict[int, float] = {}
        self._spent = 0.0
        self._got = 0
        self._reports = 0
        self._choices = 0
        self._settled = False
        self._reported = False

    @property
    def mean_bytes(self) -> int:
        """How many bytes an item takes in a report, as far as is known; 0 when it is not."""
        return self._mean_bytes

    def listed(self, members: int, seconds: float) -> None:
        """Take notice of a listing: who lists fast may be asked for more at once.

        Args:
            members: How many were listed.
            seconds: How long it took.
        """
        fast = members >= FIRST_BATCH and seconds < members * _FAST_MEMBER_S
        if fast and not self._reported:
            self.size = next_size(_FAST_FIRST_BATCH, self._mean_bytes, self._largest)

    def went_well(self, asked: int, size: int, seconds: float, width: int) -> None:
        """Take notice of a report that came back whole.

        Args:
            asked: For how many items.
            size: Its length in bytes.
            seconds: How long it took.
            width: How many requests were under way beside it, and itself.
        """
        self._reported = True
        mean = size // max(asked, 1)
        self._mean_bytes = (self._mean_bytes + mean) // 2 if self._mean_bytes else mean
        if seconds > _SLOW_S:
            self.size = max(1, asked // 2)
        elif asked >= self.size or asked >= self._largest:
            self.proven = True
            growth = min(_GROWTH, int(_GOAL_S / max(seconds, 1e-6)))
            self.size = next_size(asked * max(1, growth), self._mean_bytes, self._largest)
        self._measure(asked, seconds, width)

    def went_badly(self, asked: int) -> None:
        """Take notice of a report that did not come, or not whole."""
        self._reported = True
        self.size = max(1, min(self.size, asked // 2))
        self.width = max(1, self.width // 2)
        self._settled = True

    def look_anew(self) -> None:
        """Forget how fast the server was, and find out again from where it is now."""
        self._speeds.clear()
        self._spent, self._got, self._reports = 0.0, 0, 0
        self._choices = 0
        self._settled = False

    def _measure(self, asked: int, seconds: float, width: int) -> None:
        """Look after some reports whether another width is faster."""
        if self._settled or width != self.width:
            return
        self._spent += seconds
        self._got += asked
        self._reports += 1
        if self._reports < self._samples:
            return
        self._speeds[width] = width * self._got / max(self._spent, 1e-6)
        self._spent, self._got, self._reports = 0.0, 0, 0
        self._choose()

    def _choose(self) -> None:
        here = self._speeds[self.width]
        half, double = self._speeds.get(self.width // 2), self._speeds.get(self.width * 2)
        self._choices += 1
        if double is not None and double >= here * _GAIN:
            self.width *= 2
        elif self.width > 1 and (half is None or here < half * _GAIN):
            self.width //= 2
        elif double is None and self.width * 2 <= self._widest:
            self.width *= 2
        else:
            self._settled = True
        # Where two widths are as fast as each other, looking on would not end.
        self._settled = self._settled or self._choices == _CHOICES


def next_size(wanted: int, mean_bytes: int, largest: int = 1000) -> int:
    """Return how many items to ask for next, where so many are wanted, of this mean length."""
    fitting = BATCH_BYTES // max(mean_bytes, 1)
    return max(1, min(wanted, largest, fitting))
