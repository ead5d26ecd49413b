"""Feed one account's readings into a sink that appends history."""

from collections import Counter
from collections.abc import Sequence

from caldav_run.connectors.protocol import AccountArchive
from caldav_run.engine import plan
from caldav_run.engine.events import Level
from caldav_run.engine.judge import Link, Verdict
from caldav_run.engine.ledger import Held
from caldav_run.engine.recipient import Tally
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Change, Entry, Item, Mark, Op

_UNFINISHED = "the account could not be read to its end"
_NO_SNAPSHOT = "no snapshot was made: it would hide what the last one holds of the rest"


class ArchiveRecipient:
    """Turns readings into rows; the rows are decided in `plan`."""

    def __init__(
        self, account: AccountArchive, chain: Sequence[Link], fingerprint: str, tally: Tally
    ) -> None:
        """Take an account's open history, the sink's own filters, and where to count."""
        self.tally = tally
        self.chain = chain
        self.held = Held(account.ledger, fingerprint)
        self._account = account
        self._fingerprint = fingerprint
        self._known = dict(account.ledger.calendars())
        self._unread = set(account.ledger.unread_calendars())
        self._named: dict[str, Calendar] = {}
        self._done: set[str] = set()
        self._marks: dict[str, Mark | None] = {}
        # Of the calendar at hand, what the history has and the source named.
        self._seen: set[str] = set()
        self._unsure = False
        self._before = 0
        # Counted by the sink once they are committed: a snapshot is written whole or not at all.
        self._counts: Counter[str] = Counter()

    def start(self, calendar: Calendar) -> None:
        """Compare the calendar's properties with the held ones."""
        self._named[calendar.id] = calendar
        self._seen = set()
        self._unsure = False
        self._before += self.held.ledger.count(calendar.id)
        known = self._known.get(calendar.id)
        change = plan.calendar_row(known, calendar)
        if change is None:
            return
        if known is not None:
            self.held.doubted.add(calendar.id)
        # One that was unread stays so until all of it was read.
        if calendar.id not in self._unread:
            news = "changed" if known else "new"
            self._append(change, "calendars", "~" if known else "+", f"calendar ({news})")

    def exclude(self, calendar: Calendar) -> None:
        """Leave a calendar out from now on; what its history holds stays."""
        self._named[calendar.id] = calendar
        self._done.add(calendar.id)
        if calendar.id in self._known:
            change = Change(op=Op.EXCLUDED, calendar=calendar.id)
            self._append(change, "calendars", "x", "calendar (no longer selected)")

    def changed(self, view: ItemView, verdict: Verdict) -> None:
        """Append the item where the history does not have it yet."""
        item = view.item
        known = self._known_item(item.calendar, item.href)
        change = plan.changed_item(known, item, verdict, view.scan.uid)
        if change is None:
            return
        what, sign = _words(change.op, known)
        if not what:
            self._write(change)
            return
        name = _name(item) if self.tally.detail else ""
        self._append(change, what, sign, name)

    def unchanged(self, calendar: str, href: str) -> None:
        """Remember that the item is still there."""
        self._known_item(calendar, href)

    def gone(self, calendar: str, href: str) -> None:
        """Append that an item is gone, where the history has it."""
        if self._known_item(calendar, href) is not None:
            self._append(Change(op=Op.GONE, calendar=calendar, href=href), "gone", "-", href)

    def failed(self, calendar: str, href: str | None, reason: str) -> None:
        """Carry the last version forward."""
        if href is None:
            if calendar in self._named:
                # What is carried forward has not been lost.
                self._before -= self.held.ledger.count(calendar) - len(self._seen)
            else:
                # It could not even be opened, and so was never started.
                self._named[calendar] = self._known.get(calendar) or Calendar(id=calendar)
            self._carry_calendar(calendar, reason)
            return
        known = self._known_item(calendar, href)
        judged = self.held.stands(calendar)
        change = plan.unread_item(known, calendar, href, reason, judged=judged)
        if change is not None:
            self._append(change, "unread", "!", href)
        elif known is not None and not known.unread:
            # Nothing that is written tells the next run to ask for it again.
            self._unsure = True

    def synced(self, calendar: str, mark: Mark) -> int:
        """Keep all that was not named; return how many items that are."""
        self._done.add(calendar)
        self._marks[calendar] = None if self._unsure else mark
        return self.held.ledger.count(calendar) - len(self._seen)

    def done(self, calendar: str, mark: Mark | None) -> None:
        """Append what is gone, and that the calendar was read where it was not before."""
        self._done.add(calendar)
        self._marks[calendar] = None if self._unsure else mark
        if calendar in self._unread:
            row = Change(op=Op.CALENDAR, calendar=calendar, properties=self._named[calendar])
            self._append(row, "calendars", "~", "calendar (read again)")
        if self.held.ledger.count(calendar) == len(self._seen):
            return
        for change in plan.gone_items(self.held.entries(calendar), self._seen, calendar):
            self._append(change, "gone", "-", change.href or "")

    def withheld(self, calendar: str) -> None:
        """Do nothing: a history of a backup has what that backup has."""

    def expected(self, *, complete: bool) -> int | None:
        """Return how many items the calendars that were named or are gone had."""
        if self.held.ledger.fingerprint is None:
            return self._account.last_items
        if not complete:
            return self._before
        gone = self._known.keys() - self._named
        return self._before + sum(self.held.ledger.count(each) for each in gone)

    def finish(self, *, complete: bool, guarded: bool) -> None:
        """Append what became of the calendars that were not named, and commit."""
        if not complete and not self._named:
            return
        if not complete and self._starts_afresh:
            self.tally.note(Level.WARNING, f"{self.tally.step.name}: {_NO_SNAPSHOT}")
            return
        missing = (self._known.keys() | self._named.keys()) - self._done
        for calendar in sorted(missing):
            if not complete:
                self._carry_calendar(calendar, _UNFINISHED)
            elif calendar not in self._named:
                change = Change(op=Op.CALENDAR_GONE, calendar=calendar)
                self._append(change, "calendars", "-", "calendar (gone)")
        if self.tally.dry:
            self.tally.counts.update(self._counts)
            return
        # Entries that were judged otherwise must not be trusted under this fingerprint.
        left = missing & self._named.keys() if complete else missing
        wholly = not left & self._known.keys()
        as_before = self.held.trusted and not self.held.doubted - self._done
        honest = wholly or as_before or not self._known
        fingerprint = self._fingerprint if honest else ""
        committed = self._account.commit(
            fingerprint, self._marks, guarded=guarded, complete=complete
        )
        self.tally.counts.update(self._counts)
        if committed.snapshot is not None:
            self.tally.remarks.append(f"snapshot {committed.snapshot[:12]}")
        self.tally.stored += committed.size

    def abandon(self) -> None:
        """Forget what was appended."""
        self._account.abandon()

    @property
    def _starts_afresh(self) -> bool:
        """Whether a history that has snapshots begins anew, referring to nothing before."""
        return self.held.ledger.fingerprint is None and self._account.known

    def _known_item(self, calendar: str, href: str) -> Entry | None:
        """Return what the history has of an item that was named, and remember that it was."""
        known = self.held.entry(calendar, href)
        if known is not None:
            self._seen.add(href)
        return known

    def _carry_calendar(self, calendar: str, reason: str) -> None:
        if calendar not in self._unread:
            self._unread.add(calendar)
            change = Change(op=Op.UNREAD, calendar=calendar, reason=reason)
            self._append(change, "unread", "!", "calendar (carried forward)")

    def _append(self, change: Change, what: str, sign: str, name: str) -> None:
        calendar = self._named.get(change.calendar) or self._known[change.calendar]
        self._counts[what] += 1
        self.tally.tell(sign, calendar.title, name)
        self._write(change)

    def _write(self, change: Change) -> None:
        if not self.tally.dry:
            self._account.append(change)


def _name(item: Item) -> str:
    # Much to import for words that a plain run does without.
    from caldav_run.ical.describe import label

    return label(item.body)


def _words(op: Op, known: Entry | None) -> tuple[str, str]:
    """Return how a row is counted and signed; nothing for one that changes nothing to see."""
    held = known is not None and known.sha256 is not None and not known.excluded
    if op is Op.ADD:
        return ("changed", "~") if held else ("added", "+")
    return ("excluded", "x") if held and op is Op.EXCLUDED else ("", "")
