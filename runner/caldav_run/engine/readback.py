"""Tells what was found when written items were read back."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from caldav_run.connectors.mirroring import Mirror, Outcome, Target
from caldav_run.engine.events import Deviated, Level
from caldav_run.engine.recipient import Tally
from caldav_run.engine.verify import Finding, verify
from caldav_run.errors import ItemError
from caldav_run.ical.deviations import RULES, Deviation

_MOST_LOSSES: Final = 3


@dataclass(slots=True)
class Readback:
    """What reading back has come to in one sink.

    Attributes:
        tally: Where everything is told.
        equal: How many items are equal at level L2.
        deviating: How many are equal at L3 only.
        lost: How many are neither, or not there.
        rules: How many deviations there are of each rule that L3 has.
    """

    tally: Tally
    equal: int = 0
    deviating: int = 0
    lost: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    _examples: dict[str, str] = field(default_factory=dict)

    def check(self, mirror: Mirror, target: Target, done: Iterable[Outcome]) -> Iterator[Finding]:
        """Read written items back, as the mirror's options say, tell and yield each finding.

        Raises:
            ConnectorError: The destination cannot be read any more.
        """
        for finding in verify(mirror, target, done, mirror.options.verify):
            self._take(target.calendar.title, finding)
            yield finding

    def finish(self) -> None:
        """Tell once for each rule what it did, and add what it all comes to."""
        for rule, count in self.rules.most_common():
            words = " and ".join(RULES[each] for each in rule.split(" + "))
            times = "once" if count == 1 else f"{count:,} times"
            self.tally.note(Level.INFO, f"{rule}, {times}: {words}, as in {self._examples[rule]}")
        if self.equal + self.deviating + self.lost:
            self.tally.remarks.append(self._summary())
            self.tally.verified = {
                "equal": self.equal,
                "deviating": self.deviating,
                "deviations": self.rules.total(),
                "lost": self.lost,
            }

    def _take(self, calendar: str, finding: Finding) -> None:
        label, href = finding.outcome.order.label, finding.outcome.href or ""
        for each in finding.deviations:
            self.tally.emit(Deviated(self.tally.step, calendar, href, label, *each))
            if each.rule is not None:
                self.rules[each.rule] += 1
                self._examples.setdefault(each.rule, f"{calendar}: {label}: {each}")
        if finding.loss is not None:
            self.lost += 1
            wanted = finding.outcome.order.wanted
            name = wanted.href if wanted else href
            self.tally.fail(ItemError(_lost(finding)), f"{calendar}: {label}", name)
        elif finding.deviations:
            self.deviating += 1
        else:
            self.equal += 1

    def _summary(self) -> str:
        parts = [f"{self.equal:,} equal"]
        if self.deviating:
            found = self.rules.total()
            parts.append(f"{self.deviating:,} with {found:,} deviation{'s' * (found != 1)}")
        if self.lost:
            parts.append(f"{self.lost:,} not as written")
        return f"read back: {', '.join(parts)}"


def _lost(finding: Finding) -> str:
    """Return what is lost of an item; all of it is in the report."""
    if finding.missing is not None:
        return finding.missing
    losses = finding.losses
    told = "; ".join(map(_told, losses[:_MOST_LOSSES]))
    more = len(losses) - _MOST_LOSSES
    return f"did not come back as written: {told}{f' and {more:,} more' if more > 0 else ''}"


def _told(loss: Deviation) -> str:
    inner = loss.place.rpartition(" > ")[2]
    return f"in {inner}: {loss}"
