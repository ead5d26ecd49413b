"""What `discover` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from caldav_run.cli import console
from caldav_run.errors import CalendarError

if TYPE_CHECKING:
    from caldav_run.dav.connection import Exchange
    from caldav_run.dav.discovery import Account
    from caldav_run.dav.profiles import Profile
    from caldav_run.dav.survey import Features, Found, Home

_HEAD: Final = ("id", "name", "kind", "owner", "items", "holds", "rights", "colour", "sync", "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that was found.

    Attributes:
        account: The account.
        profile: How a run would treat it.
        features: What the server says that it can do.
        homes: The calendar homes with their calendars.
        hops: The requests that led to the account.
        requests: All requests.
        snippet: The options of a source that leads there, without secrets.
    """

    account: "Account"
    profile: "Profile"
    features: "Features"
    homes: Sequence["Home"]
    hops: Sequence["Exchange"]
    requests: Sequence["Exchange"]
    snippet: Mapping[str, object]

    @property
    def status(self) -> int:
        """The exit status: what a run reads of the account, and could not be looked at, matters."""
        own = [home for home in self.homes if not home.delegated]
        problems = [home.problem for home in own]
        problems += [each.problem for home in own for each in home.calendars]
        return CalendarError.exit_status if any(problems) else 0


def show_text(report: Report) -> None:
    """Print a report for a person."""
    show_trail(report.hops)
    profile, features = report.profile, report.features
    account = report.account
    console.table(
        [
            ("server", f"{profile.title} ({features.software or 'nameless'})"),
            ("profile", f"{profile.name}: {_treatment(profile)}"),
            ("principal", account.principal or "not told"),
            ("classes", ", ".join(features.classes) or "not told"),
            ("reports", ", ".join(features.reports) or "not told"),
        ]
    )
    for home in report.homes:
        console.out(f"\n{'delegated home' if home.delegated else 'home'}  {home.url}")
        if home.problem:
            console.out(f"! {home.problem}")
        if home.calendars:
            console.table([_HEAD, *map(_row, home.calendars)])
        for each in home.calendars:
            if note := _note(each, profile):
                console.out(f"{'!' if each.problem else '-'} {each.id}: {note}")
        if home.delegated:
            console.out("- a run does not read it unless a source has it as url")
    seconds = sum(each.seconds for each in report.requests)
    console.out(f"\n{len(report.requests)} requests, {seconds:.2f} s until their answers began")


def show_trail(hops: Sequence["Exchange"]) -> None:
    """Print the requests that led somewhere."""
    if hops:
        rows = [(each.method, each.url, _status(each), f"{each.seconds:.2f} s") for each in hops]
        console.table(rows)
        console.out("")


def show_json(report: Report) -> None:
    """Print a report as JSON."""
    profile, account = report.profile, report.account
    console.document(
        {
            "url": account.connection.base,
            "username": account.connection.username,
            "origin": account.origin,
            "principal": account.principal,
            "profile": {
                "name": profile.name,
                "title": profile.title,
                "sync": profile.sync,
                "audit_days": profile.audit_every.days,
                "multiget_limit": profile.multiget_limit,
                "concurrency": profile.concurrency,
            },
            "features": {
                "software": report.features.software,
                "classes": report.features.classes,
                "reports": report.features.reports,
            },
            "homes": [
                {
                    "url": home.url,
                    "delegated": home.delegated,
                    "problem": home.problem,
                    "calendars": [_calendar(each) for each in home.calendars],
                }
                for home in report.homes
            ],
            "found_by": [_exchange(each) for each in report.hops],
            "requests": len(report.requests),
            "seconds": round(sum(each.seconds for each in report.requests), 3),
        }
    )


def show_yaml(report: Report) -> None:
    """Print the `sources:` of a pipeline that reads the account."""
    import yaml

    options = {"type": "caldav", **report.snippet}
    text = yaml.safe_dump({"sources": {"cloud": options}}, sort_keys=False, allow_unicode=True)
    console.out(text.rstrip())
    console.out("    # Every calendar is read; to choose, by display name or id:")
    readable = [
        each.collection.calendar.title
        for home in report.homes
        if not home.delegated
        for each in home.calendars
        if each.collection is not None and each.collection.source is None
    ]
    if readable:
        console.out("    # calendars:")
    for title in readable:
        # As one line, whatever a name holds.
        word = yaml.safe_dump([title], allow_unicode=True, width=1 << 20, default_style='"')
        console.out(f"    #   {' '.join(word.split())}")


def _row(each: "Found") -> tuple[str, ...]:
    if each.collection is None:
        return (each.id, "", each.kind, *[""] * (len(_HEAD) - 3))
    calendar = each.collection.calendar
    return (
        each.id,
        calendar.display_name or "",
        each.kind,
        each.owner,
        "?" if each.items is None else f"{each.items:,}",
        " ".join(calendar.components),
        "read" if calendar.read_only else "read, write",
        calendar.color or "",
        "token" if each.collection.sync_token else "ctag" if each.collection.ctag else "no",
        f"{each.seconds:.2f}",
    )


def _note(each: "Found", profile: "Profile") -> str | None:
    if each.problem:
        return each.problem
    if each.collection is not None and each.collection.source is not None:
        # The address itself is a secret more often than not.
        host = urlsplit(each.collection.source).hostname or "another place"
        return f"only a link to a calendar at {host}; a run does not read it"
    return profile.share_note(each.owner) if each.kind == "shared" else None


def _calendar(each: "Found") -> dict[str, Any]:
    about: dict[str, Any] = {
        "id": each.id,
        "kind": each.kind,
        "owner": each.owner or None,
        "items": each.items,
        "seconds": round(each.seconds, 3),
        "problem": each.problem,
    }
    if each.collection is not None:
        calendar = each.collection.calendar
        about |= {
            "url": each.collection.url,
            "name": calendar.display_name,
            "color": calendar.color,
            "components": calendar.components,
            "read_only": calendar.read_only,
            "sync_token": each.collection.sync_token is not None,
            "ctag": each.collection.ctag is not None,
            "read": each.collection.source is None,
        }
    return about


def _exchange(each: "Exchange") -> dict[str, Any]:
    return {
        "method": each.method,
        "url": each.url,
        "status": each.status or None,
        "seconds": round(each.seconds, 3),
    }


def _status(each: "Exchange") -> str:
    return str(each.status or "no answer")


def _treatment(profile: "Profile") -> str:
    words = {
        "trusted": "changes are asked for",
        "stale-tokens": "changes are asked for, with doubt",
        "none": "changes are found by listing",
    }
    return f"{words[profile.sync]}, everything is listed every {profile.audit_every.days} days"
