"""Feed one account's readings into a sink that appends history."""

from collections.abc import Sequence

from caldav_run.connectors.protocol import AccountArchive
from caldav_run.engine import plan
from caldav_run.engine.judge import Link, Verdict
from caldav_run.engine.ledger import Held
from caldav_run.engine.recipient import Tally
from caldav_run.ical.describe import label
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Change, Entry, Op

_UNFINISHED = "the account could not be read to its end"


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
        self._named: set[str] = set()
        self._done: set[str] = set()
        self._seen: set[str] = set()
        self._title = ""
        self._before = 0

    def start(self, calendar: Calendar) -> None:
        """Compare the calendar's properties with the held ones."""
        self._named.add(calendar.id)
        self._seen = set()
        self._title = calendar.title
        self._before += len(self.held.entries(calendar.id))
        known = self._known.get(calendar.id)
        change = plan.calendar_row(known, calendar, unread=calendar.id in self._unread)
        if change is not None:
            news = "changed" if known else "new"
            self._append(change, "calendars", "~" if known else "+", f"calendar ({news})")

    def exclude(self, calendar: Calendar) -> None:
        """Leave a calendar out from now on; what its history holds stays."""
        self._named.add(calendar.id)
        self._done.add(calendar.id)
        self._title = calendar.title
        if calendar.id in self._known:
            change = Change(op=Op.EXCLUDED, calendar=calendar.id)
            self._append(change, "calendars", "x", "calendar (no longer selected)")

    def changed(self, view: ItemView, verdict: Verdict) -> None:
        """Append the item where the history does not have it yet."""
        item = view.item
        known = self.held.entries(item.calendar).get(item.href)
        self._seen.add(item.href)
        change = plan.changed_item(known, item, verdict, view.scan.uid)
        if change is None:
            return
        what, sign = _words(change.op, known)
        if not what:
            self._write(change)
            return
        name = label(item.body) if self.tally.detail else ""
        self._append(change, what, sign, name)

    def unchanged(self, calendar: str, href: str) -> None:
        """Remember that the item is still there."""
        del calendar
        self._seen.add(href)

    def failed(self, calendar: str, href: str | None, reason: str) -> None:
        """Carry the last version forward."""
        if href is None:
            self._carry_calendar(calendar, reason)
            return
        self._seen.add(href)
        known = self.held.entries(calendar).get(href)
        change = plan.unread_item(known, calendar, href, reason)
        if change is not None:
            self._append(change, "unread", "!", href)

    def done(self, calendar: str) -> None:
        """Append what is gone."""
        self._done.add(calendar)
        for change in plan.gone_items(self.held.entries(calendar), self._seen, calendar):
            self._append(change, "gone", "-", change.href or "")

    def expected(self, *, complete: bool) -> int | None:
        """Return how many items the calendars that were named or are gone had."""
        if self.held.ledger.fingerprint is None:
            return self._account.last_items
        if not complete:
            return self._before
        gone = self._known.keys() - self._named
        return self._before + sum(len(self.held.ledger.entries(each)) for each in gone)

    def finish(self, *, complete: bool, guarded: bool) -> None:
        """Append what became of the calendars that were not named, and commit."""
        missing = sorted(self._known.keys() - self._done)
        for calendar in missing:
            self._title = self._known[calendar].title
            if not complete and self._done:
                self._carry_calendar(calendar, _UNFINISHED)
            elif complete and calendar not in self._named:
                change = Change(op=Op.CALENDAR_GONE, calendar=calendar)
                self._append(change, "calendars", "-", "calendar (gone)")
        if self.tally.dry:
            return
        # Entries that were judged under another fingerprint must not be trusted under this one.
        wholly = complete and not missing
        honest = wholly or self.held.trusted or not self._known
        committed = self._account.commit(self._fingerprint if honest else "", guarded=guarded)
        if committed.snapshot is not None:
            self.tally.remarks.append(f"snapshot {committed.snapshot[:12]}")
        self.tally.stored += committed.size

    def abandon(self) -> None:
        """Forget what was appended."""
        self._account.abandon()

    def _carry_calendar(self, calendar: str, reason: str) -> None:
        if calendar in self._known and calendar not in self._unread:
            self._unread.add(calendar)
            change = Change(op=Op.UNREAD, calendar=calendar, reason=reason)
            self._append(change, "unread", "!", "calendar (carried forward)")

    def _append(self, change: Change, what: str, sign: str, name: str) -> None:
        self.tally.count(what, sign, self._title, name)
        self._write(change)

    def _write(self, change: Change) -> None:
        if not self.tally.dry:
            self._account.append(change)


def _words(op: Op, known: Entry | None) -> tuple[str, str]:
    """Return how a row is counted and signed; nothing for one that changes nothing to see."""
    held = known is not None and known.sha256 is not None and not known.excluded
    if op is Op.ADD:
        return ("changed", "~") if held else ("added", "+")
    return ("excluded", "x") if held and op is Op.EXCLUDED else ("", "")
