"""Keep or drop items by an expression over what they say."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from caldav_run.connectors.expression import Expression, Value, compile_expression
from caldav_run.connectors.protocol import Context, Judgement
from caldav_run.errors import ItemError
from caldav_run.ical.facts import NEVER, Facts
from caldav_run.ical.steps import TooLongError
from caldav_run.ical.view import ItemView
from caldav_run.model import Options

_VERSION: Final = 1

# The variables that are about the item's place and need no parse.
_OUTER: Final[Mapping[str, Callable[[ItemView], Value]]] = {
    "uid": lambda view: view.scan.uid or "",
    "calendar": lambda view: view.calendar.title,
    "source": lambda view: view.source,
    "href": lambda view: view.item.href,
    "size": lambda view: len(view.item.body),
}
_INNER: Final[Mapping[str, Callable[[Facts], Value]]] = {
    "component": lambda facts: facts.component,
    "summary": lambda facts: facts.text("SUMMARY"),
    "description": lambda facts: facts.text("DESCRIPTION"),
    "location": lambda facts: facts.text("LOCATION"),
    "categories": lambda facts: facts.categories,
    "status": lambda facts: facts.text("STATUS"),
    "class": lambda facts: facts.text("CLASS"),
    "organizer": lambda facts: facts.organizer,
    "attendees": lambda facts: facts.attendees,
    "start": lambda facts: facts.start or NEVER,
    "has_start": lambda facts: facts.start is not None,
    "end": lambda facts: facts.end or NEVER,
    "has_end": lambda facts: facts.end is not None,
    "duration": lambda facts: facts.duration,
    "all_day": lambda facts: facts.all_day,
    "recurring": lambda facts: facts.recurring,
    "alarms": lambda facts: facts.alarms,
    "created": lambda facts: facts.time("CREATED") or NEVER,
    "has_created": lambda facts: facts.time("CREATED") is not None,
    "modified": lambda facts: facts.time("LAST-MODIFIED") or NEVER,
    "has_modified": lambda facts: facts.time("LAST-MODIFIED") is not None,
}


@dataclass(frozen=True, slots=True)
class WhereFilter:
    """Judges by CEL expressions; only what they name is worked out of an item.

    Attributes:
        keep: What must hold for an item to stay; None asks for nothing.
        drop: What must not hold for an item to stay; None asks for nothing.
        timezone: Where dates and floating times lie.
        fingerprint: See `caldav_run.connectors.protocol.Filter`.
    """

    keep: Expression | None
    drop: Expression | None
    timezone: tzinfo
    fingerprint: str

    @classmethod
    def from_options(cls, options: Options, context: Context) -> "WhereFilter":
        """Read the options of `schemas/filters/where.schema.json`.

        Raises:
            ExpressionError: An expression does not compile.
        """
        sources = [str(options[key]) if key in options else None for key in ("keep", "drop")]
        keep, drop = (None if one is None else compile_expression(one) for one in sources)
        text = json.dumps([*sources, str(context.timezone)], ensure_ascii=False)
        return cls(keep, drop, context.timezone, f"where/{_VERSION} {text}")

    def judge(self, view: ItemView, now: datetime) -> Judgement:
        """Judge one item; it stays, with a problem, when an expression has no answer for it.

        An answer that depends on the time expires at once.
        """
        expressions = [one for one in (self.keep, self.drop) if one is not None]
        names = frozenset[str]().union(*(one.names for one in expressions))
        valid_until = now if "now" in names else None
        try:
            values = self._values(view, now, names)
            kept = self.keep is None or self.keep.holds(values)
            dropped = self.drop is not None and self.drop.holds(values)
        except ItemError as error:
            return Judgement(keep=True, valid_until=valid_until, problem=error.message)
        except (ValueError, TooLongError) as error:
            return Judgement(keep=True, valid_until=valid_until, problem=str(error))
        return Judgement(keep=kept and not dropped, valid_until=valid_until)

    def _values(self, view: ItemView, now: datetime, names: frozenset[str]) -> dict[str, Value]:
        """Bind the variables that are named.

        Raises:
            ItemError: The item is no iCalendar object, and what is in it is asked for.
            ValueError: A value in it cannot be read.
            TooLongError: A time zone in it takes too long to work out.
        """
        values: dict[str, Value] = {"now": now} if "now" in names else {}
        values |= {name: _OUTER[name](view) for name in names & _OUTER.keys()}
        inner = names & _INNER.keys()
        if inner:
            facts = Facts(view.tree, self.timezone)
            values |= {name: _INNER[name](facts) for name in inner}
        return values
