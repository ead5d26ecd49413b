"""Does what was planned for a destination, in its order."""

from collections.abc import Sequence
from contextlib import suppress

from caldav_run.engine.means import Means
from caldav_run.engine.meeting import Destination
from caldav_run.engine.putting_back import put_back
from caldav_run.engine.showing import removed
from caldav_run.engine.writer import Writer
from caldav_run.errors import CalendarError, ConnectorError


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
    try:
        _make_room(sound, condemned, means)
    except ConnectorError:
        # Such as a server that is full: what made room in vain may still go back.
        means.unwritten.update(_awaited(sound))
        with suppress(ConnectorError):
            put_back(means)
        raise
    put_back(means)
    means.readback.finish()


def _make_room(sound: Sequence[Writer], condemned: Sequence[Destination], means: Means) -> None:
    """Delete, and write what waited for that."""
    awaited = _awaited(sound)
    for writer in sound:
        writer.delete(awaited)
    for place in condemned:
        _remove(place, means)
    for writer in sound:
        writer.catch_up()


def _awaited(sound: Sequence[Writer]) -> set[str]:
    return {write.wanted.uid for writer in sound for write in writer.late()}


def _remove(place: Destination, means: Means) -> None:
    failure = means.saving.failure()
    if failure is None and not means.unwritten.isdisjoint(each.uid for each in place.doomed):
        failure = "an item of it could not be written where the source has it"
    if failure is not None:
        error = CalendarError(f"the calendar is not deleted, since {failure}")
        means.tally.fail(error, place.title)
        return
    try:
        _look_again(place, means)
        means.mirror.remove(place.target.calendar)
    except CalendarError as error:
        means.tally.fail(error, place.title)
    else:
        removed(place, means)


def _look_again(place: Destination, means: Means) -> None:
    """See that nothing goes with a calendar that was neither planned to go nor saved.

    Raises:
        CalendarError: Somebody has written there since it was planned.
    """
    planned = {(each.href, each.digest) for each in place.doomed}
    for each in means.mirror.present(place.target):
        if (each.href, each.digest) not in planned:
            raise CalendarError(f"the calendar is not deleted, {each.label} was written meanwhile")
