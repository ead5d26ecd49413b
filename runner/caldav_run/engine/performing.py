"""Does what was planned for a destination in its order, or shows it in the same one."""

from collections.abc import Iterator, Sequence
from itertools import chain

from caldav_run.engine.means import Means, count
from caldav_run.engine.meeting import Destination
from caldav_run.engine.plan import Verb
from caldav_run.engine.writer import Writer
from caldav_run.errors import CalendarError


def show(places: Sequence[Destination], condemned: Sequence[Destination], means: Means) -> None:
    """Tell and count what would be done.

    Args:
        places: The calendars that something goes to.
        condemned: The calendars that are deleted.
        means: What it would be done with.
    """
    for place in places:
        if not place.target.exists:
            means.tally.count("calendars", "+", place.title, "calendar (new)")
        for write in means.agenda.writes(place.number):
            count(means.tally, place, write.wanted, write.replaces)
    for place in places:
        for doomed in place.doomed:
            count(means.tally, place, None, doomed)
    for place in condemned:
        _removed(place, means)
    late = [(place, write.wanted) for place in places for write in place.deferred]
    for place, wanted in late:
        count(means.tally, place, wanted, None)
    _show_people(places, condemned, means)


def _show_people(
    places: Sequence[Destination], condemned: Sequence[Destination], means: Means
) -> None:
    mailed = set(_mailed(places, condemned, means))
    if mailed:
        people = "person" if len(mailed) == 1 else "people"
        means.tally.remarks.append(f"up to {len(mailed):,} {people} may be mailed")


def _mailed(
    places: Sequence[Destination], condemned: Sequence[Destination], means: Means
) -> Iterator[str]:
    for place in places:
        for each in chain(means.agenda.writes(place.number), place.deferred):
            yield from means.mirror.mailed(each.wanted, each.replaces)
    for place in chain(places, condemned):
        for doomed in place.doomed:
            yield from means.mirror.mailed(None, doomed)


def perform(places: Sequence[Destination], condemned: Sequence[Destination], means: Means) -> None:
    """Do what was planned: adds and changes, a look at them, deletions, whole calendars.

    Last of all comes what could not go in before something else was deleted.

    Args:
        places: The calendars that something goes to.
        condemned: The calendars that are deleted.
        means: What to do it with.

    Raises:
        ConnectorError: Nothing more can be done there.
    """
    doomed = [each for place in (*places, *condemned) for each in place.doomed]
    if means.agenda.destroys() or doomed or condemned:
        # As it was before this run wrote anything.
        means.saving.failure()
    means.leaving.update(each.uid for each in doomed if each.uid)
    sound = [writer for place in places if (writer := Writer(means, place)).bring()]
    for writer in sound:
        writer.look()
    for writer in sound:
        writer.delete()
    for place in condemned:
        _remove(place, means)
    for writer in sound:
        writer.catch_up()
    means.readback.finish()


def _remove(place: Destination, means: Means) -> None:
    failure = means.saving.failure()
    if failure is not None:
        error = CalendarError(f"the calendar is not deleted, since {failure}")
        means.tally.fail(error, place.title)
        return
    try:
        means.mirror.remove(place.target.calendar)
    except CalendarError as error:
        means.tally.fail(error, place.title)
    else:
        _removed(place, means)


def _removed(place: Destination, means: Means) -> None:
    number = len(place.doomed)
    words = "1 item" if number == 1 else f"{number:,} items"
    means.tally.count("calendars", Verb.DELETE, place.title, f"calendar with {words}")
