"""Keep items that take place in a period."""

import json
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Final

from caldav_run.connectors.bounds import Bound, FixedBound, MovingBound, parse_bound
from caldav_run.connectors.protocol import Context, Judgement
from caldav_run.errors import ItemError, SetupError
from caldav_run.ical.occurrences import Occurrences, occurrences
from caldav_run.ical.spans import FOREVER
from caldav_run.ical.steps import TooLongError
from caldav_run.ical.view import ItemView
from caldav_run.model import Options

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class PeriodFilter:
    """Keeps an item if any occurrence touches [start, stop).

    Attributes:
        start: Where the period starts.
        stop: Where it ends; that instant is outside.
        timezone: Where days begin, and where dates and floating times lie.
        fingerprint: See `caldav_run.connectors.protocol.Filter`.
    """

    start: Bound
    stop: Bound
    timezone: tzinfo
    fingerprint: str

    @classmethod
    def from_options(cls, options: Options, context: Context) -> "PeriodFilter":
        """Read the options of `schemas/filters/period.schema.json`.

        Raises:
            SetupError: A time cannot be read, or the period ends before it starts.
        """
        texts = [str(options[key]) if key in options else None for key in ("from", "to")]
        start = _bound(texts[0], -FOREVER, context.timezone)
        stop = _bound(texts[1], FOREVER, context.timezone)
        today = context.now.astimezone(context.timezone).date()
        if type(start) is type(stop) and start.at(today) >= stop.at(today):
            raise SetupError(
                f"the period from {texts[0]} to {texts[1]} ends before it starts",
                mend="change from and to",
            )
        text = json.dumps([*texts, str(context.timezone)], ensure_ascii=False)
        return cls(start, stop, context.timezone, f"period/{_VERSION} {text}")

    def judge(self, view: ItemView, now: datetime) -> Judgement:
        """Judge one item; it stays, with a problem, when its times cannot be told."""
        today = now.astimezone(self.timezone).date()
        start, stop = self.start.at(today), self.stop.at(today)
        try:
            times = occurrences(view.tree, self.timezone)
            touches = times.touches(start, stop)
        except ItemError as error:
            return _undecided(error.message)
        except (ValueError, TooLongError) as error:
            return _undecided(str(error))
        if times.problems:
            return _undecided(times.problems[0])
        return Judgement(keep=touches, valid_until=self._until(times, today, keep=touches))

    def _until(self, times: Occurrences, today: date, *, keep: bool) -> datetime | None:
        """Return when the answer can change: at the start of a day, if at all."""
        start, stop = self.start.at(today), self.stop.at(today)
        try:
            if not keep:
                begin = times.next_begin(start, stop)
                return None if begin is None else self.stop.reaches(begin + 1, today)
            if isinstance(self.start, FixedBound):
                return None
            end = times.last_end(start, stop)
            return None if end >= FOREVER else self.start.reaches(end, today)
        except (ValueError, TooLongError):
            # The answer is certain for today; how long it holds is too much work to tell.
            return MovingBound(0, 0, self.timezone).reaches(-FOREVER, today)


def _bound(text: str | None, default: int, timezone: tzinfo) -> FixedBound | MovingBound:
    return FixedBound(default) if text is None else parse_bound(text, timezone)


def _undecided(reason: str) -> Judgement:
    return Judgement(keep=True, problem=f"cannot tell when it takes place: {reason}")
