"""What runs may find, at random: of everything that a row can say."""

import random

from caldav_run.model import Change, Op
from caldav_run.testing.vault import about, added, calendar_row

CALENDARS = ("family", "work")


def happening(chance: random.Random) -> list[Change]:
    """Return what some run may find."""
    calendar = chance.choice(CALENDARS)
    uid = chance.choice("abc")
    version = chance.randrange(9)
    return chance.choice(
        [
            [calendar_row(calendar, token=str(version))],
            [calendar_row(calendar), added(uid, version, calendar)],
            [calendar_row(calendar), added("a", version, calendar), added("b", version, calendar)],
            [about(Op.GONE, uid, calendar)],
            [about(Op.EXCLUDED, uid, calendar, etag='"x"')],
            [about(Op.UNREAD, uid, calendar, reason="500")],
            [about(Op.UNREAD, None, calendar, reason="503")],
            [about(Op.EXCLUDED, None, calendar)],
            [about(Op.CALENDAR_GONE, None, calendar)],
        ]
    )
