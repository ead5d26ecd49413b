"""From a run's journal to what undoes it: the same destinations, and their safety snapshots."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from caldav_run.cli.execute import load
from caldav_run.cli.places import Place, place_in
from caldav_run.cli.repositories import Choice, open_place
from caldav_run.cli.restoring import destination, with_options
from caldav_run.engine.events import Emit, Step
from caldav_run.engine.journal import Journal, Journaled
from caldav_run.engine.kept import KeptSnapshot
from caldav_run.engine.outcome import ExitStatus
from caldav_run.engine.readback import Readback
from caldav_run.engine.recipient import Tally
from caldav_run.engine.trail import Trail, trails
from caldav_run.engine.undoing import Undo, undo
from caldav_run.errors import SetupError
from caldav_run.pipeline.protection import Protection

if TYPE_CHECKING:
    from caldav_run.connectors.mirroring import Mirror
    from caldav_run.engine.journal import Saved
    from caldav_run.pipeline.settings import Settings

_WHERE: Final = frozenset({"to", "account", "names", "options"})


class Undoing:
    """Undoes one run.

    Attributes:
        run: The run's id.
        journal: Where the undoing itself is written down, so that it can be undone.
    """

    def __init__(self, journaled: Journaled, choice: Choice, chosen: "Settings") -> None:
        """Take the run, what opens repositories, and the settings; connects to nothing.

        Raises:
            SetupError: The journal is damaged.
            typer.Exit: The pipeline cannot be used any more.
        """
        self.run = journaled.run
        self._journaled = journaled
        self._choice = choice
        self._dry = chosen.dry
        self._trails = _trails(journaled)
        sets = {str(key): str(value) for key, value in journaled.head.get("sets", {}).items()}
        self._settings = replace(chosen, sets=sets)
        file = Path(str(journaled.head.get("file", "")))
        (self._pipeline,) = load([file], sets, strict_env=False)
        self._protection = Protection(self._pipeline, self._settings)

    @property
    def journal(self) -> Journal:
        """Where the undoing is written down."""
        return self._protection.journal

    def execute(self, emit: Emit) -> int:
        """Do it and return the exit status."""
        undos = [self._undo(each, emit) for each in self._trails]
        status = undo(f"undo of {self.run}", undos, emit, dry=self._dry)
        if not self._dry and status in {ExitStatus.DONE, ExitStatus.PARTIAL}:
            self._journaled.mark_undone(self.journal.run if self.journal.begun else "nothing to do")
        return status

    def _undo(self, trail: Trail, emit: Emit) -> Undo:
        where = {key: value for key, value in trail.where.items() if key in _WHERE}
        goal = destination(self._pipeline, where["to"], where.get("account", ""))
        goal = with_options(goal, where.get("options", {}), where.get("names", {}))
        sink = self._protection.sink(goal.spec, where)
        tally = Tally(Step("undo", trail.sink), emit, dry=self._dry, detail=True)
        return Undo(
            trail=trail,
            mirror=cast("Mirror", sink),
            kept=self._kept(trail.saved) if trail.saved else None,
            tally=tally,
            readback=Readback(tally),
        )

    def _kept(self, saved: "Saved") -> KeptSnapshot:
        """Open the repository of a safety snapshot."""
        if saved.sink is None:
            # Brings the writing of repositories with it.
            from caldav_run.pipeline.local_vault import local_place

            folder, identity = local_place(self._settings.state_dir)
            place = Place(location=str(folder), identities=(identity,))
            choice = replace(self._choice, identity=None, passphrase_file=None)
        else:
            choice = replace(self._choice, sink=saved.sink, account=saved.account)
            place = place_in(self._pipeline, choice)
        found = open_place(choice, place)
        return KeptSnapshot(found.reader, found.reader.resolve(saved.snapshot, saved.account))


def _trails(journaled: Journaled) -> Sequence[Trail]:
    try:
        return trails(journaled)
    except (KeyError, TypeError, ValueError) as error:
        raise SetupError(f"{journaled.path} is damaged, and the run cannot be undone") from error
