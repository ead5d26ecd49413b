"""From a restore's options to a job: which repository, which items, and where they go."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from caldav_run.cli.look import selected
from caldav_run.cli.picking import Wish, pick
from caldav_run.cli.places import in_repository
from caldav_run.cli.repositories import Choice, Opened
from caldav_run.errors import UsageError

if TYPE_CHECKING:
    from caldav_run.connectors.protocol import Source
    from caldav_run.engine.job import Job
    from caldav_run.pipeline.build import ConnectorSpec, Pipeline
    from caldav_run.pipeline.settings import Settings
    from caldav_run.repository.snapshots import SnapshotInfo

_WRITABLE: Final = frozenset({"caldav", "ics"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Where items go.

    Attributes:
        spec: The sink.
        account: What the account is called there, which is a folder's name.
        where: What `undo` needs to find it again.
    """

    spec: "ConnectorSpec"
    account: str
    where: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """What is to be brought back.

    Attributes:
        pipeline: The pipeline.
        found: The repository.
        chosen: The snapshot.
        wish: Which of its items.
        goal: Where they go.
    """

    pipeline: "Pipeline"
    found: Opened
    chosen: "SnapshotInfo"
    wish: Wish
    goal: Goal

    def job(self, settings: "Settings") -> "Job":
        """Return the job, with connectors of its own.

        Raises:
            UsageError: Nothing is meant.
            SetupError: The destination's options do not go together.
        """
        from caldav_run.engine.guard import Expectation
        from caldav_run.engine.job import Job, NamedSink, NamedSource
        from caldav_run.pipeline.protection import Protection

        around = Protection(self.pipeline, settings)
        spec = self.goal.spec
        return Job(
            name="restore",
            sources=(NamedSource(self.goal.account, self._source(self.found.timezone, settings)),),
            filters=(),
            sinks=(NamedSink(spec.name, around.sink(spec, self.goal.where)),),
            expect=Expectation(),
            timezone=self.found.timezone,
            now=settings.now,
            dry=settings.dry,
            detail=settings.detail,
            diff=settings.diff,
            state_dir=settings.state_dir,
            safety=around.safety,
            journal=around.journal,
        )

    def _source(self, timezone: tzinfo, settings: "Settings") -> "Source":
        from caldav_run.connectors.picked import PickedSource
        from caldav_run.connectors.selection import Selection
        from caldav_run.connectors.sources.snapshot import SnapshotSource, Wanted
        from caldav_run.repository.storage import Storage

        found, chosen, wish = self.found, self.chosen, self.wish
        if wish.single:
            return PickedSource(found.reader, pick(found, chosen, wish))
        wanted = Wanted(
            repository=found.location,
            storage=found.storage or Storage(),
            account=chosen.account,
            as_of=chosen.id,
            now=settings.now.astimezone(timezone),
            means=found.means,
        )
        selection = Selection.from_option(list(wish.calendars) or None)
        return SnapshotSource(wanted, chosen.account, selection)


def repository_of(pipeline: "Pipeline", name: str | None, account: str | None) -> Choice:
    """Return which repository of the pipeline is meant, a sink before a source.

    Raises:
        UsageError: None has this name, or there are several.
    """
    known = {each.name: "sink" for each in pipeline.sinks.values() if each.type == "snapshot"}
    for each in pipeline.sources.values():
        if each.type == "snapshot":
            known.setdefault(each.name, "source")
    if not known:
        raise UsageError(f"{pipeline.file} has no sink or source of type snapshot")
    if name is None and len(known) == 1:
        (name,) = known
    if name not in known:
        what = "has several repositories" if name is None else f'has no repository "{name}"'
        raise UsageError(
            f"{pipeline.file} {what}", mend=f"choose one with --source: {', '.join(known)}"
        )
    return Choice(
        repository=None,
        sink=name if known[name] == "sink" else None,
        source=name if known[name] == "source" else None,
        account=account,
        sets=None,
        identity=None,
        passphrase_file=None,
        trust=None,
    )


def destination(pipeline: "Pipeline", to: str, account: str) -> Goal:
    """Find where items go.

    Args:
        pipeline: The pipeline.
        to: A sink or source of it, or a folder.
        account: The account that is restored.

    Raises:
        UsageError: Nothing is called so, or nothing can be written there.
    """
    from caldav_run.pipeline.turned import as_sink, folder_sink, name_there

    sink, source = pipeline.sinks.get(to), pipeline.sources.get(to)
    where = {"to": to, "account": account}
    if sink is not None and sink.type in _WRITABLE:
        return Goal(spec=sink, account=account, where=where)
    if source is not None and source.type in _WRITABLE:
        return Goal(spec=as_sink(source), account=name_there(source, account), where=where)
    folder = Path(to).expanduser().absolute()
    stored = sink is not None or source is not None or (to != "" and in_repository(folder))
    if not stored and _is_path(to):
        where = {"to": str(folder), "account": account}
        return Goal(spec=folder_sink(folder), account=account, where=where)
    other = "calendars" if stored or not to else to
    raise UsageError(
        f'{pipeline.file}: "{to}" is {"a repository" if stored else "neither a sink nor a source"}',
        mend=f"choose: {', '.join([*_writable(pipeline), f'or a folder such as ./{other}'])}",
    )


def _writable(pipeline: "Pipeline") -> Sequence[str]:
    every = [*pipeline.sinks.values(), *pipeline.sources.values()]
    return list(dict.fromkeys(each.name for each in every if each.type in _WRITABLE))


def _is_path(text: str) -> bool:
    return os.sep in text or text.startswith((".", "~")) or (text != "" and Path(text).is_dir())


def with_options(goal: Goal, given: Mapping[str, str | None], names: Mapping[str, str]) -> Goal:
    """Return the goal with what the command line says of how to write.

    Nothing is ever deleted by a restore, whatever mode the sink has.

    Args:
        goal: Where items go.
        given: Options of the sink; None for what is not said.
        names: Other names for calendars, by id.

    Raises:
        UsageError: The sink has no such option, or not with this value.
    """
    from caldav_run.pipeline.turned import sink_properties

    known = sink_properties(goal.spec.type)
    said = {name: value for name, value in given.items() if value is not None}
    for name, value in said.items():
        allowed: Any = known.get(name, {}).get("enum", ())
        if value not in allowed:
            option = f"--{name.replace('_', '-')}"
            hint = f"choose: {', '.join(allowed)}" if allowed else f"leave {option} out"
            where = f'"{goal.spec.name}", of type {goal.spec.type}'
            raise UsageError(f"{option} {value} is nothing for {where}", mend=hint)
    options: dict[str, object] = {**goal.spec.options, **said, "mode": "merge"}
    if names:
        own = options.get("rename")
        options["rename"] = {**(own if isinstance(own, Mapping) else {}), **names}
    found = {**goal.where, "names": dict(names), "options": said}
    return replace(goal, spec=replace(goal.spec, options=options), where=found)


def calendars(
    found: Opened, chosen: "SnapshotInfo", named: Sequence[str], renamed: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Return which calendars are meant, and the new names of some, by id.

    Args:
        found: The repository.
        chosen: The snapshot.
        named: What `--calendar` says: patterns, or `OLD=NEW`.
        renamed: What `--rename` says: `OLD=NEW`.

    Raises:
        UsageError: One of them is none of the snapshot's, or OLD means several.
    """
    patterns: list[str] = []
    names: dict[str, str] = {}
    for each in named:
        if "=" in each and not _known(found, chosen, each):
            old, new = _pair(each, "--calendar")
            names[_only(found, chosen, old)] = new
            patterns.append(old)
        else:
            selected(found.reader, chosen, [each])
            patterns.append(each)
    for each in renamed:
        old, new = _pair(each, "--rename")
        names[_only(found, chosen, old)] = new
    return patterns, names


def any_calendars(
    found: Opened, account: str, named: Sequence[str], renamed: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Return the same of calendars that may be gone: any that the account ever had.

    Raises:
        UsageError: OLD is none of them, or means several.
    """
    pairs = [_pair(each, "--calendar") for each in named if "=" in each]
    pairs += [_pair(each, "--rename") for each in renamed]
    names = {_ever(found, account, old): new for old, new in pairs}
    return [each.partition("=")[0] for each in named], names


def _pair(text: str, option: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise UsageError(f'{option} "{text}" has no new name', mend=f"write {option} OLD=NEW")
    return old, new


def _known(found: Opened, chosen: "SnapshotInfo", pattern: str) -> list[str]:
    """Return the ids of the snapshot's calendars that a pattern means."""
    from caldav_run.connectors.selection import Selection

    selection = Selection.from_option([pattern])
    every = found.reader.calendars(chosen)
    return [e.calendar.id for e in every if not e.excluded and selection.selects(e.calendar)]


def _only(found: Opened, chosen: "SnapshotInfo", pattern: str) -> str:
    selected(found.reader, chosen, [pattern])
    return _single(pattern, _known(found, chosen, pattern))


def _ever(found: Opened, account: str, pattern: str) -> str:
    """Return the id of the only calendar that a pattern ever meant."""
    whole = (each for each in found.reader.snapshots(account) if not each.incomplete)
    ids = dict.fromkeys(each for snapshot in whole for each in _known(found, snapshot, pattern))
    if not ids:
        raise UsageError(
            f"no calendar of {account} was ever called {pattern}",
            mend="`caldav-run find --deleted` shows what is gone, and where it was",
        )
    return _single(pattern, list(ids))


def _single(pattern: str, ids: Sequence[str]) -> str:
    if len(ids) > 1:
        raise UsageError(
            f'"{pattern}" means {len(ids)} calendars: {", ".join(ids)}',
            mend="only one calendar can get a new name",
        )
    return ids[0]
