"""What a run does about expiry after its commit; trouble with it is no failure of the run."""

import logging
from collections.abc import Callable
from datetime import datetime

from caldav_run.errors import CaldavRunError
from caldav_run.repository.expire import Expiry, anything_ripe, look_for_expired
from caldav_run.repository.keys import Writer
from caldav_run.repository.retention import Keep, Stage
from caldav_run.repository.store import Store

_log = logging.getLogger(__name__)


def after_run(store: Store, writer: Writer, keep: Keep, clock: Callable[[], datetime]) -> None:
    """Say what has expired, or let it go where the pipeline wants that.

    Args:
        store: The repository.
        writer: Whose generations may expire.
        keep: What the pipeline says.
        clock: Tells the time in UTC.
    """
    if keep.within is None:
        return
    try:
        if anything_ripe(store, writer, keep, clock):
            _tend(look_for_expired(store, writer, keep, clock), keep)
    except CaldavRunError as error:
        _log.warning("nothing expires in %s: %s", store.location, error)


def _tend(found: Expiry, keep: Keep) -> None:
    for problem in found.problems:
        _log.warning("a tombstone is ignored: %s", problem)
    if not keep.auto:
        due = [each for each in found.verdicts if each.stage in {Stage.MARK, Stage.DELETE}]
        if due:
            _log.warning(
                "%d full backups in %s have expired: `caldav-run expire PIPELINE` deletes them",
                len(due),
                found.store.location,
            )
        return
    confirmed = found.confirmed()
    for verdict in confirmed.verdicts:
        if verdict.stage is Stage.BLOCKED:
            _log.warning("%s stays: %s", verdict.generation.name.name, verdict.why)
    for deed in confirmed.carry_out():
        name = deed.verdict.generation.name.name
        if deed.problem is not None:
            _log.warning("cannot %s %s: %s", deed.verdict.stage, name, deed.problem)
        else:
            _log.info("expiry: %s: %s", deed.verdict.stage, name)
