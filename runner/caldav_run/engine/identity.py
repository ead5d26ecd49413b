"""What the snapshot of a destination calls the calendars that a sink writes there."""

from collections.abc import Iterable

from caldav_run.connectors.vdir_names import folder_name, hashed_folder_name


def saved_as(calendar: str, known: Iterable[str]) -> str:
    """Return what a snapshot calls a calendar of the destination.

    A folder's calendar goes by the folder's name for who writes it, and by the id that the
    folder tells for who reads it.

    Args:
        calendar: Its id for who writes it.
        known: The ids that the snapshot knows.
    """
    names = list(known)
    if calendar in names:
        return calendar
    above, _, name = calendar.rpartition("/")
    for each in names:
        prefix, _, identity = each.partition("/")
        if prefix == above and name in {folder_name(identity), hashed_folder_name(identity)}:
            return each
    return calendar
