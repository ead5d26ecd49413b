"""What a restore brings back: a snapshot's calendars, or single items of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from caldav_run import shelf
from caldav_run.cli import console
from caldav_run.cli.look import selected
from caldav_run.cli.repositories import Opened
from caldav_run.cli.seek import by_name, by_text
from caldav_run.cli.times import beginning
from caldav_run.errors import ItemError, SetupError, UsageError

if TYPE_CHECKING:
    from caldav_run.connectors.filters.period import PeriodFilter
    from caldav_run.connectors.picked import Picked
    from caldav_run.connectors.selection import Selection
    from caldav_run.ical.search import Search
    from caldav_run.model import Calendar
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import ItemInfo, SnapshotInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says of the items to bring back; nothing has to be given.

    Attributes:
        calendars: Patterns of calendars; empty for all.
        uids: UIDs, or places as `CALENDAR/HREF`.
        text: What the items say.
        start: From when on they take place, as the `period` filter takes it.
        stop: Until when.
        deleted_since: A time; only what was deleted after it.
    """

    calendars: Sequence[str] = ()
    uids: Sequence[str] = ()
    text: str | None = None
    start: str | None = None
    stop: str | None = None
    deleted_since: str | None = None

    @property
    def single(self) -> bool:
        """Whether items are chosen, not only calendars."""
        # An empty word does not mean everything: a script's variable may not have been set.
        times = (self.start, self.stop, self.deleted_since)
        return self.named or any(each is not None for each in times)

    @property
    def named(self) -> bool:
        """Whether a person has certain items in mind."""
        return bool(self.uids) or self.text is not None


def pick(found: Opened, chosen: "SnapshotInfo", wish: Wish) -> "Picked":
    """Return the items that are meant, and their calendars.

    Args:
        found: The repository.
        chosen: The snapshot to take them from.
        wish: Which ones.

    Raises:
        UsageError: There are none, or none of some name; it says what there is.
    """
    from caldav_run.connectors.picked import belonging

    items: Iterable[ItemInfo]
    places = [chosen]
    if wish.deleted_since is not None:
        items, calendars, places = _deleted(found, chosen, wish)
    else:
        selection = selected(found.reader, chosen, wish.calendars or None)
        items, calendars = _held(found.reader, chosen, selection)
    named = [each for each in items if _is_named(each, wish.uids)]
    kept = list(_read(found, named, wish))
    if not kept:
        raise _nothing(found, chosen, wish)
    missing = [name for name in wish.uids if not any(_is_named(each, [name]) for each in named)]
    if missing:
        raise _nothing(found, chosen, replace(wish, uids=missing, text=None, start=None, stop=None))
    files = list(belonging(found.reader, places, kept))
    if files:
        calendars[shelf.ID] = shelf.CALENDAR
    return _picked(chosen, [*kept, *files], calendars)


def _picked(
    chosen: "SnapshotInfo", kept: Iterable["ItemInfo"], calendars: dict[str, "Calendar"]
) -> "Picked":
    from caldav_run.connectors.picked import Picked

    items: dict[str, list[ItemInfo]] = {}
    for each in sorted(kept, key=lambda each: (each.calendar, each.href)):
        items.setdefault(each.calendar, []).append(each)
    return Picked(account=chosen.account, time=chosen.time, calendars=calendars, items=items)


def _held(
    reader: "Reader", chosen: "SnapshotInfo", selection: "Selection"
) -> tuple[Iterator["ItemInfo"], dict[str, "Calendar"]]:
    calendars = {
        each.calendar.id: each.calendar
        for each in reader.calendars(chosen)
        if shelf.is_calendar(each.calendar.id)
        and not each.excluded
        and selection.selects(each.calendar)
    }
    held = (each for identity in calendars for each in reader.items(chosen, identity))
    return held, calendars


def _deleted(
    found: Opened, latest: "SnapshotInfo", wish: Wish
) -> tuple[list["ItemInfo"], dict[str, "Calendar"], list["SnapshotInfo"]]:
    """Return the last versions of what was deleted after a time, and is not there again.

    Returns:
        The items, their calendars, and the snapshots that they are in.
    """
    from caldav_run.connectors.selection import Selection
    from caldav_run.repository.sightings import Absence, Wanted
    from caldav_run.repository.tracks import tracks

    reader, since = found.reader, beginning(wish.deleted_since or "", found.timezone)
    whole = [each for each in reader.snapshots(latest.account) if not each.incomplete]
    first = max((at for at, each in enumerate(whole) if each.time <= since), default=0)
    left = [each for pair in pairwise(whole[first:]) for each in _left(reader, *pair)]
    wanted = Wanted(
        uids=frozenset(each.uid for each in left if each.uid),
        places={(each.calendar, each.href) for each in left if not each.uid},
    )
    selection = Selection.from_option(list(wish.calendars) or None)
    items: list[ItemInfo] = []
    calendars: dict[str, Calendar] = {}
    places: dict[str, SnapshotInfo] = {}
    for track in tracks(reader, latest.account, wanted) if left else ():
        gone = track.gone
        if gone is None or gone.absence not in {Absence.DELETED, Absence.WITH_CALENDAR}:
            continue
        if gone.snapshot.time <= since:
            continue
        homes = {each.calendar.id: each.calendar for each in reader.calendars(track.last)}
        last = [stop for stop in track.stops if stop.items][-1]
        mine = [each for each in last.items if selection.selects(homes[each.calendar])]
        items += mine
        calendars |= {each.calendar: homes[each.calendar] for each in mine}
        places[track.last.id] = track.last
    return items, calendars, list(places.values())


def _left(reader: "Reader", old: "SnapshotInfo", new: "SnapshotInfo") -> Iterator["ItemInfo"]:
    """Yield what the older snapshot holds, and the newer one not."""
    from caldav_run.repository.difference import ItemDifference

    for each in reader.diff(old, new):
        if isinstance(each, ItemDifference) and each.old is not None and each.new is None:
            yield each.old


def _is_named(item: "ItemInfo", names: Sequence[str]) -> bool:
    return not names or item.uid in names or f"{item.calendar}/{item.href}" in names


def _read(found: Opened, items: Sequence["ItemInfo"], wish: Wish) -> Iterator["ItemInfo"]:
    """Yield the items whose bytes say what they shall; unread ones are reported."""
    from caldav_run.model import Failed

    search, period = _search(wish), _period(found, wish)
    if search is None and period is None:
        yield from items
        return
    by_place = {(each.calendar, each.href): each for each in items}
    for each in found.reader.bodies(items):
        if isinstance(each, Failed):
            found.reader.report(ItemError(f"{each.calendar}/{each.href}: {each.reason}"))
            continue
        if search is not None and not search.finds(each.body):
            continue
        if period is None or _takes_place(period, each.body, found.now):
            yield by_place[each.calendar, each.href]


def _search(wish: Wish) -> "Search | None":
    from caldav_run.ical.search import Search

    if wish.text is None:
        return None
    if not wish.text.strip():
        raise UsageError("--text is empty", mend="give a word that the event says")
    return Search(wish.text)


def _period(found: Opened, wish: Wish) -> "PeriodFilter | None":
    from caldav_run.connectors.filters.period import PeriodFilter
    from caldav_run.connectors.protocol import Context

    given = {"from": wish.start, "to": _end(wish.stop)}
    options = {name: value for name, value in given.items() if value is not None}
    if not options:
        return None
    context = Context(
        name="restore",
        pipeline="restore",
        timezone=found.timezone,
        now=datetime.now(UTC),
        state_dir=Path(),  # a filter keeps nothing
    )
    try:
        return PeriodFilter.from_options(options, context)
    except SetupError as error:
        raise UsageError(f"--from and --until: {error.message}", mend=error.mend) from error


def _end(text: str | None) -> str | None:
    """Return where a period ends: a day is taken in whole."""
    try:
        return None if text is None else str(date.fromisoformat(text) + timedelta(days=1))
    except (ValueError, OverflowError):
        return text


def _takes_place(period: "PeriodFilter", body: bytes, now: datetime) -> bool:
    from caldav_run.ical.view import ItemView
    from caldav_run.model import Calendar, Item, Provenance

    # Only the times in the bytes count.
    view = ItemView(Item("", "", None, body, Provenance.FILE), Calendar(id=""), "")
    return period.judge(view, now).keep


def _nothing(found: Opened, chosen: "SnapshotInfo", wish: Wish) -> UsageError:
    """Say that nothing is meant, and where something was that may be."""
    short = f"{chosen.account} as of {chosen.time:%Y-%m-%d %H:%M} UTC"
    what = " and ".join(_told(wish))
    if wish.deleted_since is not None:
        return UsageError(
            f"nothing that was deleted since {wish.deleted_since} {what or 'fits'}",
            mend="`caldav-run find --deleted` shows what is gone, and since when",
        )
    last = _last_holder(found, chosen, wish) if wish.named else None
    if last is not None:
        return UsageError(
            f"no item {what} in {short}", mend=f"the last snapshot that has one: --as-of {last}"
        )
    counts = console.counted(chosen.counts.items, "item") if chosen.counts else "other items"
    return UsageError(
        f"no item {what} in {short}",
        mend=f"it holds {counts}: `caldav-run show --items` lists them, `find` searches them",
    )


def _told(wish: Wish) -> Iterator[str]:
    if wish.uids:
        yield f"is called {' or '.join(wish.uids)}"
    if wish.text:
        yield f'says "{wish.text}"'
    if wish.start or wish.stop:
        yield f"takes place from {wish.start or 'ever'} until {wish.stop or 'ever'}"
    if wish.calendars:
        yield f"lies in {' or '.join(wish.calendars)}"


def _last_holder(found: Opened, chosen: "SnapshotInfo", wish: Wish) -> str | None:
    """Return the beginning of the id of the account's last snapshot that holds such an item."""
    holders: list[SnapshotInfo] = []
    for uid in wish.uids:
        holders += [each.last for each in by_name(found, uid) if each.account == chosen.account]
    if wish.text and not wish.uids:
        matches = by_text(found, wish.text)
        holders += [each.holder for each in matches if each.track.account == chosen.account]
    others = [each for each in holders if each.id != chosen.id]
    return max(others, key=lambda each: each.time).id[:12] if others else None
