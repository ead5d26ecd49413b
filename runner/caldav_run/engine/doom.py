"""What `exact` deletes: only what the same filters would have let through, and not too much."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from caldav_run.connectors.mirroring import Held, Mirror, Target
from caldav_run.engine.events import Level
from caldav_run.engine.judge import Link, judge
from caldav_run.engine.meeting import Destination, Origin
from caldav_run.engine.mirror import MirrorRecipient
from caldav_run.engine.recipient import Tally
from caldav_run.errors import CalendarError, ItemError
from caldav_run.ical.view import ItemView
from caldav_run.model import Item, Provenance, Version

NOT_YET: Final = "not deleted, since it could not be written where the source has it"


@dataclass(frozen=True, slots=True)
class Court:
    """Judges what is about to be deleted.

    Attributes:
        mirror: The destination.
        filters: The common filters, in order, then the sink's own.
        now: The start of the run, in UTC.
        tally: Where to tell.
    """

    mirror: Mirror
    filters: Sequence[Link]
    now: datetime
    tally: Tally

    def spare(self, place: Destination, unwritten: Collection[str]) -> list[Version]:
        """Return what remains to be deleted, without what has to stay.

        Args:
            place: The calendar.
            unwritten: The UIDs of what the source has elsewhere, where it cannot be written.

        Raises:
            CalendarError: The calendar cannot be read any more.
        """
        place.doomed = [each for each in place.doomed if self._has_a_place(place, each, unwritten)]
        found = list(self._unprotected(place)) if self.filters else place.doomed
        return [each for each in found if not self._objected(place, each)]

    def condemn(
        self,
        feeds: Sequence[MirrorRecipient],
        claimed: Collection[str],
        unwritten: Collection[str],
    ) -> Iterator[Destination]:
        """Yield the calendars that no source has, each with all that goes with it.

        Args:
            feeds: The sources, each read to its end.
            claimed: The ids of the calendars that something goes to.
            unwritten: See `spare`.
        """
        spared = {*claimed, *self._excluded(feeds)}
        for calendar in self.mirror.calendars():
            selected = all(each.selection.selects(calendar) for each in feeds)
            if calendar.id in spared or calendar.read_only or not selected:
                continue
            if not self.mirror.owns(calendar):
                text = f"{calendar.title}: the calendar stays, since it is somebody else's"
                self.tally.note(Level.INFO, text)
                continue
            origins = [Origin(at, feed, calendar) for at, feed in enumerate(feeds)]
            place = Destination(-1, Target(calendar, exists=True), origins)
            try:
                present = self.mirror.present(place.target)
                place.doomed = list(present)
                place.doomed = self.spare(place, unwritten)
            except CalendarError as error:
                self.tally.fail(error, place.title)
                continue
            if len(place.doomed) == len(present):
                yield place
            else:
                text = f"{place.title}: the calendar stays, since items of it have to stay"
                self.tally.note(Level.WARNING, text)

    def _excluded(self, feeds: Sequence[MirrorRecipient]) -> Iterator[str]:
        """Yield the ids of the calendars to which what is not selected would go."""
        for feed in feeds:
            for calendar in feed.excluded:
                # One that has no place there has none to lose.
                with contextlib.suppress(CalendarError):
                    target = self.mirror.target(feed.source, calendar, feed.excluded)
                    yield target.calendar.id

    def _unprotected(self, place: Destination) -> Iterator[Version]:
        """Yield what every filter lets through, and is as the plan saw it."""
        seen = {each.href: each for each in place.doomed}
        if not seen:
            return
        for held in self.mirror.reread(place.target, list(seen)):
            wanted = seen.get(held.href)
            if wanted is None or (held.version is None and held.error is None):
                continue
            if held.version is None or held.version.digest != wanted.digest:
                why = held.error or "it changed meanwhile"
                text = f"{place.title}: {wanted.label}: not deleted, {why}"
                self.tally.note(Level.WARNING, text)
            elif all(self._passes(held, each) for each in place.origins):
                yield held.version

    def _passes(self, held: Held, origin: Origin) -> bool:
        """Return whether an item would have come from there, had it been there."""
        etag = held.version.etag if held.version else None
        item = Item(origin.calendar.id, held.href, etag, held.body or b"", Provenance.REPORT)
        # Copies: their counts are of what was read.
        chain = [Link(each.name, each.filter) for each in self.filters]
        view = ItemView(item, origin.calendar, origin.recipient.source)
        verdict = judge(chain, view, self.now)
        for problem in verdict.problems:
            text = f"{origin.calendar.title}: {held.href}: not deleted, since {problem}"
            self.tally.note(Level.WARNING, text)
        return verdict.keep and not verdict.problems

    def _has_a_place(self, place: Destination, doomed: Version, unwritten: Collection[str]) -> bool:
        """Return whether the event is not left without a place, should the source still have it."""
        if not doomed.uid or doomed.uid not in unwritten:
            return True
        self.tally.note(Level.WARNING, f"{place.title}: {doomed.label}: {NOT_YET}")
        return False

    def _objected(self, place: Destination, doomed: Version) -> bool:
        reason = self.mirror.objection(place.target, None, doomed, 0)
        if reason is not None:
            self.tally.stood["refused"] += 1
            error = ItemError(f"not deleted: {reason}")
            self.tally.fail(error, f"{place.title}: {doomed.label}")
        return reason is not None
