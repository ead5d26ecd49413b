"""The verb `check`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli.findings import Verdict, show
from caldav_run.cli.options import Output, OutputOption, StateDir
from caldav_run.cli.places import Place, writer_of
from caldav_run.cli.progress import counting
from caldav_run.cli.repositories import (
    Choice,
    PipelineFile,
    asks_for_repository,
    find_place,
    keyring_of,
)
from caldav_run.errors import SetupError, UsageError

if TYPE_CHECKING:
    from caldav_run.repository.check.data import Part
    from caldav_run.repository.check.findings import Finding
    from caldav_run.repository.check.inventory import Listed
    from caldav_run.repository.check.reading import ReadingStore


@asks_for_repository
def check(  # noqa: PLR0913 -- one parameter an option
    choice: Choice,
    pipeline: PipelineFile = None,
    *,
    read_data: Annotated[
        bool, typer.Option("--read-data", help="Read every object and compare it with its name.")
    ] = False,
    part: Annotated[
        str | None,
        typer.Option("--part", metavar="N/M", help="With --read-data: only the Nth of M parts."),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Open and verify everything; needs an identity.")
    ] = False,
    reread: Annotated[
        int,
        typer.Option(
            "--reread", metavar="N", min=0, help="Read N unchanged items again from the source."
        ),
    ] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail for a warning as for damage.")
    ] = False,
    output: OutputOption = Output.TEXT,
    state_dir: StateDir = None,
) -> int:
    """Check whether a repository is whole.

    Needs no key for what names, sizes and times tell; the other levels are chosen with options.
    """
    from caldav_run.repository.check.data import ALL, Part

    if deep and part is not None:
        raise UsageError("--deep reads every object", mend="leave --part out, or use --read-data")
    wanted = Part.parse(part) if part else ALL if read_data or deep else None
    place, _ = find_place(choice, pipeline)
    with _listed(place) as checking:
        checking.structure()
        if deep:
            checking.deep(choice)
        else:
            checking.known()
        checking.data(wanted)
    if reread:
        from caldav_run.cli.reread import reread_source

        verdict, found = reread_source(choice, place, pipeline, reread, state_dir)
        checking.verdicts.append(verdict)
        checking.findings.extend(found)
    else:
        checking.skip("S", "needs --reread N")
    checking.verdicts.sort(key=lambda each: each.level)
    return show(place.location, checking.findings, checking.verdicts, output, strict=strict)


@contextmanager
def _listed(place: Place) -> Iterator["Checking"]:
    """List a repository, and show how far its objects have been read.

    Raises:
        SetupError: Nothing is there.
    """
    from caldav_run.repository.check.inventory import inventory, settled
    from caldav_run.repository.check.reading import ReadingStore
    from caldav_run.repository.create import repository_id

    store = place.store()
    objects = inventory(settled(store))
    if not objects:
        repository_id(store)
    with counting("reading", len(objects)) as told:
        yield Checking(place, ReadingStore(store, told), objects, [], [])


@dataclass(frozen=True, slots=True)
class Checking:
    """The levels of one check; each adds what it finds, and what it has to say of itself."""

    place: Place
    store: "ReadingStore"
    objects: Sequence["Listed"]
    findings: list["Finding"]
    verdicts: list[Verdict]

    def skip(self, level: str, why: str) -> None:
        """Say why a level is left out."""
        self.verdicts.append(Verdict(level, checked=False, about=why))

    def done(self, level: str, about: str) -> None:
        """Say what a level has looked at."""
        self.verdicts.append(Verdict(level, checked=True, about=about))

    def structure(self) -> None:
        """Check level 1."""
        from caldav_run.repository.check.structure import (
            check_leftovers,
            check_marker,
            check_structure,
        )
        from caldav_run.repository.local import LocalStore

        marker = check_marker(self.store)
        self.findings.extend([marker] if marker else [])
        listing = (each.stored for each in self.objects)
        self.findings.extend(check_structure(listing, datetime.now(UTC)))
        place = self.place.store()
        if isinstance(place, LocalStore):
            self.findings.extend(check_leftovers(place.leftovers()))
        self.done("1", f"the names, sizes and times of {len(self.objects):,} objects")

    def known(self) -> None:
        """Check level 0, where the writer's key is at hand."""
        from caldav_run.repository.check.known import check_known

        self.skip("3", "needs --deep and an identity")
        writer = writer_of(self.place)
        if writer is None:
            self.skip("0", "needs the writer's key, or --deep")
            return
        if not any(
            each.generation and each.generation.writer == writer.name for each in self.objects
        ):
            self.skip("0", f"the writer whose key is here, {writer.name}, has stored nothing")
            return
        try:
            self.findings.extend(check_known(self.store, self.objects, writer))
        except SetupError as error:
            self.skip("0", error.message)
            return
        self.done("0", f"the objects that the writer {writer.name} has signed for")

    def deep(self, choice: Choice) -> None:
        """Check level 3, which level 0 is a part of.

        Raises:
            SetupError: There is no identity.
        """
        from caldav_run.repository.check.deep import check_deep

        keyring = keyring_of(choice, self.place)
        before = len(self.store.read)
        try:
            self.findings.extend(check_deep(self.store, keyring, self.objects))
        except SetupError as error:
            self.skip("0", error.message)
            self.skip("3", error.message)
            return
        self.done("0", "with level 3")
        opened = len(self.store.read) - before
        self.done("3", f"{opened:,} objects opened, verified and compared")

    def data(self, wanted: "Part | None") -> None:
        """Check level 2; what was opened already had to have the right hash."""
        from caldav_run.repository.check.data import check_data, readable

        if wanted is None:
            self.skip("2", "needs --read-data")
            return
        chosen = readable((each.stored for each in self.objects), wanted)
        left = [each for each in chosen if each.name not in self.store.read]
        self.findings.extend(check_data(self.store, left))
        share = "" if wanted.of == 1 else f", part {wanted.number} of {wanted.of}"
        self.done("2", f"the hashes of {len(chosen):,} objects{share}")
