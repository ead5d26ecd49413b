"""What a made-up event is about, before any producer has spelled it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from benchmarks.corpus_texts import LANGUAGES, VOCABULARIES, Person, person
from benchmarks.corpus_zones import HOME_OF, ZONES, Zone

_FIRST_DAY: Final = datetime(2016, 1, 1)  # noqa: DTZ001 - a wall clock's, as in DTSTART
_DAYS: Final = 4000
_LENGTHS: Final = (15, 30, 30, 45, 60, 60, 60, 90, 120, 240)
_RULES: Final = (
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2",
    "FREQ=DAILY;COUNT=20",
    "FREQ=MONTHLY;BYMONTHDAY={day}",
    "FREQ=YEARLY",
    "FREQ=WEEKLY;UNTIL={until}",
)
_CATEGORIES: Final = ("Work", "Family", "Travel", "Health", "Sport", "School", "Blue Category")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One event.

    Attributes:
        start: When it starts, by the clock of its place.
        minutes: How long it is; whole days for `all_day`.
        text: Its description.
        alarms: Minutes before it.
        exceptions: Which of its repetitions do not take place.
        moved: Which one takes place later.
        sequence: How often it was changed.
    """

    zone: Zone
    start: datetime
    minutes: int
    all_day: bool
    title: str
    place: str
    text: str
    category: str
    people: tuple[Person, ...]
    alarms: tuple[int, ...]
    rule: str
    exceptions: tuple[datetime, ...]
    moved: datetime | None
    created: datetime
    modified: datetime
    sequence: int

    @property
    def end(self) -> datetime:
        """When it ends."""
        return self.start + timedelta(minutes=self.minutes)


def facts(random: Random) -> Facts:
    """Make an event up."""
    language = random.choices(LANGUAGES, (70, 9, 5, 5, 7, 4))[0]
    words = VOCABULARIES[language]
    zone = HOME_OF[language] if random.random() < 0.8 else random.choice(ZONES)
    all_day = random.random() < 0.15
    quarters = 0 if all_day else random.randint(7 * 4, 21 * 4)
    start = _FIRST_DAY + timedelta(days=random.randrange(_DAYS), minutes=15 * quarters)
    rule, exceptions, moved = _repetition(random, start)
    created = start - timedelta(seconds=random.randrange(86_400, 90 * 86_400))

    def maybe(chance: float, make: Callable[[], str]) -> str:
        return make() if random.random() < chance else ""

    return Facts(
        zone=zone,
        start=start,
        minutes=1440 * random.choice((1, 1, 1, 2, 7)) if all_day else random.choice(_LENGTHS),
        all_day=all_day,
        title=words.phrase(random, random.randint(1, 5)),
        place=maybe(0.4, lambda: f"{words.phrase(random, 2)} {random.randint(1, 400)}"),
        text=maybe(0.3, lambda: words.paragraphs(random, min(30, int(random.paretovariate(0.9))))),
        category=maybe(0.2, lambda: random.choice(_CATEGORIES)),
        people=_people(random),
        alarms=tuple(random.sample((5, 10, 15, 30, 60, 1440), random.choice((0, 0, 1, 1, 2)))),
        rule=rule,
        exceptions=exceptions,
        moved=moved,
        created=created,
        modified=created + timedelta(seconds=random.randrange(5, 40 * 86_400)),
        sequence=int(random.expovariate(1.2)),
    )


def changed(before: Facts, random: Random) -> Facts:
    """Return the event after somebody moved it and wrote something into it."""
    words = VOCABULARIES["latin"]
    return replace(
        before,
        minutes=before.minutes if before.all_day else random.choice(_LENGTHS),
        text=f"{before.text}\n{words.paragraphs(random, 1)}".strip(),
        place=words.phrase(random, 2),
        modified=before.modified + timedelta(seconds=random.randrange(60, 400 * 86_400)),
        sequence=before.sequence + 1,
    )


def _people(random: Random) -> tuple[Person, ...]:
    if random.random() > 0.2:
        return ()
    return tuple(dict.fromkeys(person(random) for _ in range(random.randint(2, 9))))


def _repetition(
    random: Random, start: datetime
) -> tuple[str, tuple[datetime, ...], datetime | None]:
    if random.random() > 0.18:
        return "", (), None
    until = start + timedelta(weeks=random.randint(8, 100))
    rule = random.choice(_RULES).format(day=start.day, until=f"{until:%Y%m%d}T235959Z")
    if "WEEKLY" not in rule:
        return rule, (), None
    weeks = random.sample(range(1, 8), random.choice((0, 0, 1, 2, 3)))
    others = [start + timedelta(weeks=2 * each) for each in weeks]
    return rule, tuple(sorted(others[1:])), others[0] if others else None
