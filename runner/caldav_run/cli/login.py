"""The verb `login`: tokens for accounts that sign in by OAuth2."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.execute import load
from caldav_run.cli.options import Sets, assignments, at_terminal, settings
from caldav_run.errors import AccessError, ConnectorError, SetupError, UsageError

if TYPE_CHECKING:
    from caldav_run.dav.oauth2.access import Login
    from caldav_run.dav.oauth2.device import Shown
    from caldav_run.dav.oauth2.grant import Grant
    from caldav_run.dav.settings import Settings as Account
    from caldav_run.pipeline.build import ConnectorSpec, Pipeline


@dataclass(frozen=True, slots=True)
class Named:
    """A source or sink that signs in by OAuth2.

    Attributes:
        kind: `source` or `sink`.
        name: Its name in the pipeline.
        account: What it connects with.
        login: Its login.
    """

    kind: str
    name: str
    account: "Account"
    login: "Login"


def login(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE", help="A pipeline file.")],
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="The source or sink to log in; without it, all that need a login are listed.",
            show_default=False,
        ),
    ] = None,
    *,
    device: Annotated[
        bool, typer.Option("--device", help="Allow it on any other device, by a code.")
    ] = False,
    paste: Annotated[
        bool,
        typer.Option("--paste", help="Use a browser elsewhere, and paste its last address here."),
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Only tell; exit with 77 where a login is missing.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Revoke the login, and delete what is kept of it.")
    ] = False,
    sets: Sets = None,
) -> int:
    """Log an account in by OAuth2, once; runs renew it.

    Opens a browser, or prints the address to open.
    """
    if device + paste + status + forget > 1:
        raise UsageError("--device, --paste, --status and --forget exclude each other")
    (loaded,) = load([pipeline], assignments(sets), strict_env=False)
    found = list(_logins(loaded))
    if status or name is None:
        return _list([_chosen(found, name, pipeline)] if name else found, pipeline, strict=status)
    chosen = _chosen(found, name, pipeline)
    if forget:
        return _forget(chosen)
    from caldav_run.dav.oauth2.store import intact

    store = chosen.login.store
    with store.lock():
        # What cannot be kept is not asked for; a person takes too long to hold the lock meanwhile.
        intact(store)
    given = _asked(chosen.login, device=device, paste=paste)
    with store.lock():
        store.save(given)
    console.out(f"{chosen.name} is logged in; kept in {store.place}")
    return _proven(chosen)


def _logins(pipeline: "Pipeline") -> Iterator[Named]:
    for kind, specs in (("source", pipeline.sources), ("sink", pipeline.sinks)):
        for name, spec in specs.items():
            if "oauth2" in spec.options:
                yield from _named(kind, name, spec, pipeline)


def _named(kind: str, name: str, spec: "ConnectorSpec", pipeline: "Pipeline") -> Iterator[Named]:
    from caldav_run.connectors.caldav_settings import settings_from

    if spec.unset:
        raise SetupError(
            f"{spec.place}: {spec.unset[0]} needs an environment variable that is not set",
            mend="set it, or give it a default: ${env.NAME:-…}",
        )
    account = settings_from(spec.options, settings().context(pipeline, name))
    if account.oauth2 is not None:
        yield Named(kind, name, account, account.oauth2.login)


def _chosen(found: list[Named], name: str, pipeline: Path) -> Named:
    for each in found:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in found)
    mend = f"it has: {names}" if names else "nothing in it has oauth2"
    raise UsageError(f'{pipeline} has no source or sink "{name}" with oauth2', mend=mend)


def _list(found: list[Named], pipeline: Path, *, strict: bool) -> int:
    if not found:
        console.tell(f"nothing in {pipeline} signs in by OAuth2")
        return 0
    rows = [["", "name", "provider", "login"]]
    missing = False
    for each in found:
        state = _state(each.login)
        missing = missing or state is None
        rows.append([each.kind, each.name, each.login.client.name, state or each.login.mend])
    console.table(rows)
    return AccessError.exit_status if strict and missing else 0


def _state(login: "Login") -> str | None:
    """Return what is known of a login without asking anybody; None where there is none."""
    from time import time

    from caldav_run.dav.oauth2.store import intact

    held = intact(login.store)
    if held is None or (held.refresh is None and held.over(time())):
        return None
    renewed = "renewed by runs" if held.refresh else "cannot be renewed"
    return f"in {login.store.place}, {renewed}"


def _forget(chosen: Named) -> int:
    from caldav_run.dav.oauth2.forget import forget
    from caldav_run.dav.oauth2.store import DamagedLoginError

    try:
        if chosen.login.store.load() is None:
            console.tell(f"{chosen.name} has no login")
            return 0
    except DamagedLoginError as error:
        forget(chosen.login)
        console.out(f"the login of {chosen.name} is deleted")
        console.tell(f"{error.message} and was not revoked: do that in the account's settings")
        return 0
    try:
        revoked = forget(chosen.login)
    except ConnectorError:
        console.out(f"the login of {chosen.name} is deleted here, but not revoked")
        raise
    console.out(f"the login of {chosen.name} is deleted" + (" and revoked" if revoked else ""))
    if not revoked:
        console.tell("the provider offers no revoking: do it in the settings of the account")
    return 0


def _asked(login: "Login", *, device: bool, paste: bool) -> "Grant":
    from caldav_run.dav.oauth2 import browser
    from caldav_run.dav.oauth2 import device as by_device

    if device:
        return by_device.log_in(login, _show_code)
    if paste:
        return browser.log_in_by_hand(login, _show, _pasted)
    return browser.log_in(login, _open)


def _show(address: str) -> None:
    console.tell(f"open this address in a browser, and allow it there:\n\n  {address}\n")


def _open(address: str) -> None:
    _show(address)
    if at_terminal() and _has_display():
        import webbrowser
        from threading import Thread

        # Some, such as text browsers, come back only when they are closed; the answer comes before.
        Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    console.tell("waiting for the browser (Ctrl-C ends it) …")


def _has_display() -> bool:
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def _show_code(shown: "Shown") -> None:
    console.tell(f"open {shown.address} on any device, and enter the code {shown.code}")
    if shown.complete is not None:
        console.tell(f"or open {shown.complete}")
    console.tell("waiting for it (Ctrl-C ends it) …")


def _pasted() -> str:
    console.tell("at the end the browser shows an error; paste its address here:")
    return sys.stdin.readline()


def _proven(chosen: Named) -> int:
    """Show that the account takes the token, and which account it is."""
    from caldav_run.dav import discovery

    found = discovery.find(chosen.account)
    try:
        console.out(f"it opens {found.identity}")
    finally:
        found.connection.close()
    return 0
