"""From a change to its row: what is new about it, and what is carried over."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from caldav_run.model import Calendar, Change, Item, Op
from caldav_run.repository.fields import stamp
from caldav_run.repository.ledger import RowLedger
from caldav_run.repository.rows import Row, properties_column, uid_column

_SINCE: Final = ("read", "before")
_LEFT: Final = frozenset({Op.CALENDAR_GONE, Op.EXCLUDED})


class RowMaker:
    """Makes rows against what the last snapshot holds; what changes nothing makes none."""

    def __init__(self, ledger: RowLedger, seq: int, read_at: datetime | None) -> None:
        """Take what is held.

        Args:
            ledger: The last snapshot.
            seq: The number of the segment that is being made.
            read_at: When the account was last read; None when nothing is held.
        """
        self._ledger = ledger
        self._seq = seq
        self._read_at = read_at
        self._said: dict[str, set[str | None]] = {}
        self._left: set[str] = set()
        self._properties: dict[str, Calendar] = {}

    def close(self) -> None:
        """Let go of what was said: no change follows."""
        self._said.clear()

    def row(self, change: Change) -> Row | None:
        """Return the change's row, or None when it changes nothing.

        A row `ADD` lacks object and member: its body has to be put into a pack.
        """
        made = self._calendar_row(change) if change.href is None else self._item_row(change)
        if made is not None:
            self._said.setdefault(made.calendar, set()).add(made.href)
        return made

    def _item_row(self, change: Change) -> Row | None:
        key = (change.calendar, change.href)
        # What this run said before overrides what is held; a version that it read stands.
        fresh = self._has_said(*key)
        held = None if fresh else self._held(change.calendar, change.href or "")
        if change.item is not None:
            return self._version(change, change.item, held)
        if change.op is Op.UNREAD:
            return None if fresh else self._unread(change, held)
        if change.op is Op.EXCLUDED:
            return self._excluded(change, held)
        return Row(self._seq, Op.GONE, *key) if held or fresh else None

    def _version(self, change: Change, item: Item, held: Row | None) -> Row | None:
        extra = {} if change.valid_until is None else {"valid_until": change.valid_until}
        href = change.href or ""
        uid = uid_column(href, change.uid)
        if held is None or held.object is None or held.sha256 != item.sha256:
            return Row(
                seq=self._seq,
                op=Op.ADD,
                calendar=change.calendar,
                href=href,
                etag=change.etag,
                sha256=item.sha256,
                size=len(item.body),
                uid=uid,
                provenance=item.provenance,
                extra=extra,
            )
        if held.op is not Op.UNREAD and (held.etag, held.extra) == (change.etag, extra):
            return None
        return held._replace(
            seq=self._seq,
            op=Op.SAME,
            etag=change.etag,
            uid=uid,
            provenance=item.provenance,
            extra=extra,
        )

    def _unread(self, change: Change, held: Row | None) -> Row | None:
        if held is not None and held.op is Op.UNREAD:
            return None
        calendar = None if change.calendar in self._left else self._ledger.calendar(change.calendar)
        before = self._seq == 0 or (calendar is not None and "before" in calendar.extra)
        extra = self._excuse(change, held, before=before)
        if held is None or held.op is Op.EXCLUDED:
            held = Row(self._seq, Op.UNREAD, change.calendar, change.href)
        return held._replace(seq=self._seq, op=Op.UNREAD, extra=extra)

    def _excuse(self, change: Change, held: Row | None, *, before: bool) -> dict[str, Any]:
        """Return why something is unread, and where its last version is.

        Args:
            change: What could not be read.
            held: Its newest row in this generation.
            before: Whether the generation had no chance yet to read it.
        """
        excuse: dict[str, Any] = {"reason": change.reason or "unknown"}
        if held is not None and held.op is Op.UNREAD:
            # Said again, as beside other properties: it has not been read since.
            excuse |= {key: held.extra[key] for key in _SINCE if key in held.extra}
        elif held is not None and self._read_at is not None:
            excuse["read"] = stamp(self._read_at)
        elif before:
            excuse["before"] = True
        return excuse

    def _excluded(self, change: Change, held: Row | None) -> Row | None:
        extra = {} if change.valid_until is None else {"valid_until": change.valid_until}
        row = Row(self._seq, Op.EXCLUDED, change.calendar, change.href, change.etag, extra=extra)
        return None if held is not None and held._replace(seq=self._seq) == row else row

    def _calendar_row(self, change: Change) -> Row | None:
        held = self._ledger.calendar(change.calendar)
        fresh = self._has_said(change.calendar, None)
        if change.op is Op.CALENDAR_GONE:
            row = Row(self._seq, change.op, change.calendar)
            known = held is not None or fresh
        else:
            row = Row(self._seq, change.op, change.calendar, extra=self._about(change, held))
            known = True
        if change.op in _LEFT:
            self._left.add(change.calendar)
        if not known or (not fresh and held is not None and self._repeats(row, held)):
            return None
        return row

    def _about(self, change: Change, held: Row | None) -> dict[str, Any]:
        unread = change.op is Op.UNREAD
        about = self._excuse(change, held, before=self._seq == 0) if unread else {}
        if properties := properties_column(self._known(change, held)):
            about["properties"] = properties
        return about

    def _known(self, change: Change, held: Row | None) -> Calendar:
        said = change.properties or self._properties.get(change.calendar)
        if said is not None:
            self._properties[change.calendar] = said
        if held is not None and (said is None or change.op is Op.UNREAD):
            return held.properties
        named = said or Calendar(id=change.calendar)
        # A reading that failed must not have its sync token offered again.
        return replace(named, token=None) if change.op is Op.UNREAD else named

    def _repeats(self, row: Row, held: Row) -> bool:
        if row.op is Op.UNREAD:
            return held.op is Op.UNREAD
        return held._replace(seq=self._seq) == row

    def _has_said(self, calendar: str, href: str | None) -> bool:
        return href in self._said.get(calendar, ())

    def _held(self, calendar: str, href: str) -> Row | None:
        return None if calendar in self._left else self._ledger.item(calendar, href)
