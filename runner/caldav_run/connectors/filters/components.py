"""Keep or drop items by the kinds of component in them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from caldav_run.connectors.protocol import Context, Judgement
from caldav_run.errors import SetupError
from caldav_run.ical.view import ItemView
from caldav_run.model import Options

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ComponentsFilter:
    """Judges by component names, from the scan alone.

    An item is never cut up: one with several kinds stays if one of them is kept and none dropped.

    Attributes:
        keep: Names to keep; None keeps every one.
        drop: Names to drop, whatever `keep` says.
        fingerprint: See `caldav_run.connectors.protocol.Filter`.
    """

    keep: frozenset[str] | None
    drop: frozenset[str]
    fingerprint: str

    @classmethod
    def from_options(cls, options: Options, _context: Context) -> "ComponentsFilter":
        """Read the options of `schemas/filters/components.schema.json`.

        Raises:
            SetupError: An option has another shape than the schema's.
        """
        keep = _names(options["keep"]) if "keep" in options else None
        drop = _names(options.get("drop", []))
        text = json.dumps([None if keep is None else sorted(keep), sorted(drop)])
        return cls(keep, drop, f"components/{_VERSION} {text}")

    def judge(self, view: ItemView, now: datetime) -> Judgement:  # noqa: ARG002 - the protocol
        """Judge one item; one without any component stays, with a problem."""
        components = view.scan.components
        if not components:
            return Judgement(keep=True, problem="it holds no calendar component")
        kept = self.keep is None or not self.keep.isdisjoint(components)
        return Judgement(keep=kept and self.drop.isdisjoint(components))


def _names(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise SetupError("keep and drop of a components filter are lists of component names")
    return frozenset(str(name).upper() for name in value)
