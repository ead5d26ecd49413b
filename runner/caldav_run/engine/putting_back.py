"""Gives an event back that made room for itself elsewhere in vain."""

from functools import partial

from caldav_run.connectors.mirroring import Order
from caldav_run.engine.events import Level
from caldav_run.engine.means import Means
from caldav_run.engine.telling import tell_notes
from caldav_run.errors import CalendarError


def put_back(means: Means) -> None:
    """Write again what made room for the same event elsewhere, which then was refused there.

    Raises:
        ConnectorError: Nothing more can be done at the destination.
    """
    for uid in means.unwritten & means.aside.keys():
        place, version, body = means.aside[uid]
        orders = [Order(version, None, partial(bytes, body), gives_back=True)]
        where = f"{place.title}: {version.label}"
        try:
            for outcome in means.mirror.apply(place.target, orders):
                if outcome.error is None:
                    means.tally.note(Level.WARNING, f"{where}: put back where it was")
                    tell_notes(means.tally, place.title, outcome)
                else:
                    means.tally.fail(outcome.error, f"{where}: not put back")
            means.mirror.finish(place.target)
        except CalendarError as error:
            means.tally.fail(error, f"{where}: not put back")
