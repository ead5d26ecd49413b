"""The verb `discover`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caldav_run.cli import console
from caldav_run.cli.options import (
    Output,
    OutputOption,
    Sets,
    StateDir,
    assignments,
    at_terminal,
    state_folder,
)
from caldav_run.errors import CaldavRunError, SetupError, UsageError
from caldav_run.secret import Secret

if TYPE_CHECKING:
    from caldav_run.connectors.protocol import Context
    from caldav_run.dav.connection import Exchange
    from caldav_run.dav.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where to look, and what a pipeline would have to say for it.

    Attributes:
        settings: What to connect with.
        context: What a connector may know.
        snippet: The options of a source that leads there, without secrets.
    """

    settings: "Settings"
    context: "Context"
    snippet: Mapping[str, object]


def discover(  # noqa: PLR0913 -- one parameter an option
    pipeline: Annotated[
        Path | None,
        typer.Argument(metavar="[PIPELINE]", help="A pipeline file.", readable=False),
    ] = None,
    source: Annotated[
        str | None,
        typer.Argument(metavar="[SOURCE]", help="Which of its sources, or sinks, of type caldav."),
    ] = None,
    *,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where to look instead: URL, host or mail address."),
    ] = None,
    username: Annotated[
        str | None, typer.Option(metavar="NAME", help="The user to sign in as, with --url.")
    ] = None,
    password_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="The environment variable with the password.",
            show_default="asked for on a terminal",
        ),
    ] = None,
    trust_host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A further host that may get it (repeatable)."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow http:// beyond this machine.")
    ] = False,
    yaml: Annotated[
        bool, typer.Option("--yaml", help="Print the sources: of a pipeline for it.")
    ] = False,
    sets: Sets = None,
    output: OutputOption = Output.TEXT,
    state_dir: StateDir = None,
) -> int:
    """Show what a CalDAV account offers.

    How it is found, its calendars, and what the server can do. Reads names and counts only, and
    changes nothing.
    """
    if (pipeline is None) == (url is None):
        raise UsageError("what is to be looked at?", mend="give a pipeline file, or --url")
    if str(pipeline).startswith(("http:/", "https:/")):
        raise UsageError("an address is no pipeline file", mend="write --url before it")
    state = state_folder(state_dir)
    if url is None:
        asked = _in_pipeline(pipeline or Path(), source, assignments(sets), state)
    else:
        password = _password(username or url, password_env) if username or password_env else None
        given = {"url": url, "username": username, "trust_hosts": trust_host, "insecure": insecure}
        asked = _given({key: each for key, each in given.items() if each}, password, state)
        if password is not None:
            asked = _with_password(asked, password_env or "CALDAV_PASSWORD")
    return _discover(asked, output, yaml=yaml)


def _discover(asked: Asked, output: Output, *, yaml: bool) -> int:
    from caldav_run.cli.discovered import Report, show_json, show_text, show_trail, show_yaml
    from caldav_run.connectors.remembered import Remembered, corrected
    from caldav_run.dav import discovery, survey

    trail: list[Exchange] = []
    try:
        account = discovery.find(asked.settings, trail.append)
    except CaldavRunError:
        if output is Output.TEXT and not yaml:
            show_trail(trail)
        raise
    hops = tuple(trail)
    try:
        homes = tuple(survey.homes(account))
        own = [
            each.collection
            for home in homes
            for each in home.calendars
            if each.collection is not None and each.collection.source is None
        ]
        remembered = Remembered.of(asked.settings, asked.context.state_dir, asked.context.now)
        sync = remembered.probe(account, own)
        profile = account.profile if sync is None else corrected(account.profile, sync)
        report = Report(
            account=account,
            profile=profile,
            features=survey.features(account, own),
            homes=homes,
            hops=hops,
            requests=tuple(trail),
            snippet=asked.snippet,
        )
    finally:
        account.connection.close()
    if yaml:
        show_yaml(report)
    elif output is Output.JSON:
        show_json(report)
    else:
        show_text(report)
    return report.status


def _in_pipeline(file: Path, name: str | None, sets: Mapping[str, str], state: Path) -> Asked:
    from caldav_run.cli.execute import load
    from caldav_run.connectors.caldav_settings import settings_from
    from caldav_run.pipeline.settings import Settings as JobSettings

    (pipeline,) = load([file], sets)
    every = {**pipeline.sinks, **pipeline.sources}
    known = {each: spec for each, spec in every.items() if spec.type == "caldav"}
    if name is None and len(known) == 1:
        (name,) = known
    if name not in known:
        problem = f"{file} has no CalDAV account" if not known else f"which account of {file}?"
        raise UsageError(problem, mend=f"choose: {', '.join(known)}" if known else None)
    spec = known[name]
    context = JobSettings(now=datetime.now(UTC), state_dir=state).context(pipeline, name)
    return Asked(
        settings=settings_from(spec.options, context),
        context=context,
        snippet=_snippet(spec.options),
    )


def _snippet(options: Mapping[str, object]) -> Mapping[str, object]:
    """Return what a source has to say for a connector's options, without defaults and secrets."""
    from caldav_run.connectors.schemas import load_schemas

    known = load_schemas()["sources/caldav.schema.json"]["properties"]
    return {
        key: _plain(value, key)
        for key, value in options.items()
        if key in known and value != known[key].get("default")
    }


def _plain(value: object, name: str = "") -> Any:
    """Return options as YAML can show them, each secret as the variable that would hold it."""
    if isinstance(value, Secret):
        return {"env": f"CALDAV_{name.upper()}"}
    if isinstance(value, Mapping):
        return {key: _plain(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, name) for each in value]
    return value if isinstance(value, str | int | float) else str(value)


def _given(options: Mapping[str, object], password: Secret | None, state: Path) -> Asked:
    from caldav_run.connectors.caldav_settings import settings_from
    from caldav_run.connectors.protocol import Context

    context = Context(
        name="--url", pipeline="discover", timezone=UTC, now=datetime.now(UTC), state_dir=state
    )
    whole = {**options, "password": password} if password else options
    return Asked(settings=settings_from(whole, context), context=context, snippet=options)


def _with_password(asked: Asked, variable: str) -> Asked:
    return Asked(
        settings=asked.settings,
        context=asked.context,
        snippet={**asked.snippet, "password": {"env": variable}},
    )


def _password(user: str, variable: str | None) -> Secret:
    if variable is not None:
        from caldav_run.pipeline.secrets import secret_from

        return secret_from({"env": variable}, "--password-env", Path(), os.environ)
    if not at_terminal():
        raise SetupError(
            f"nobody is here to be asked for the password of {user}",
            mend="name the variable that holds it: --password-env VARIABLE",
        )
    import getpass

    console.flush()
    return Secret.of(getpass.getpass(f"password of {user}: "))
