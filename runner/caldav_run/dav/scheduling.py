"""How an item with people in it is written and deleted so that nobody hears of it.

A server that does scheduling (RFC 6638) mails the attendees when it is given an event that the
account organises, and the organizer when it is given one that the account attends. What keeps a
server from that was measured, with a mail server beside each that listens; where it was not, such
an item is not written unless the pipeline says how.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from caldav_run.dav.profiles import Profile
from caldav_run.model import Version


class Policy(StrEnum):
    """What a sink's `scheduling` says.

    Attributes:
        QUIET: As the server is known to mail nobody, else not at all.
        REWRITE: Items say that the client tells the people.
        STRIP: Items go without their people.
        ALLOW: As any other item; the server mails whom it wants to.
    """

    QUIET = "quiet"
    REWRITE = "rewrite"
    STRIP = "strip"
    ALLOW = "allow"


class Edit(StrEnum):
    """What is done to an item's bytes.

    Attributes:
        NONE: Nothing.
        HUSH: Each ORGANIZER and ATTENDEE gets SCHEDULE-AGENT=CLIENT.
        STRIP: They are taken out.
    """

    NONE = "none"
    HUSH = "hush"
    STRIP = "strip"


@dataclass(frozen=True, slots=True)
class Way:
    """How one item is written, or deleted.

    Attributes:
        headers: What goes with each request.
        edit: What is done to the bytes that are written.
        aside: Whether the item that is there is moved to another calendar before, and deleted
            with that.
    """

    headers: Mapping[str, str]
    edit: Edit = Edit.NONE
    aside: bool = False

    @property
    def note(self) -> str | None:
        """What a person should know of what was written; None for nothing."""
        return _NOTES.get(self.edit)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an item is neither written nor deleted, for a person."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """What is known of the scheduling that a server does for one account.

    Attributes:
        profile: How to treat the server.
        offered: Whether it says that it does scheduling at all (RFC 6638 section 2).
        addresses: The account's calendar user addresses, by which a server knows whose event it
            is (RFC 6638 section 2.4.1), in lower case and without `mailto:`; None where it does
            not say.
    """

    profile: Profile
    offered: bool = True
    addresses: frozenset[str] | None = None


# All of them always: a server leaves alone what it does not know, and an item may have got people
# since it was looked at. Cyrus reads the first, Nextcloud the other two, other sabre/dav the last.
SILENT: Final[Mapping[str, str]] = MappingProxyType(
    {"Scheduling-Enabled": "F", "X-NC-Scheduling": "false", "Schedule-Reply": "F"}
)
_NOTES: Final = {
    Edit.HUSH: "SCHEDULE-AGENT=CLIENT was added, so that the server mails nobody",
    Edit.STRIP: "its organizer and attendees were taken out",
}
_EDITS: Final = {Policy.REWRITE: Edit.HUSH, Policy.STRIP: Edit.STRIP}
# Send nothing with these headers, whatever is written or deleted.
_HEEDING: Final = frozenset({"cyrus", "nextcloud", "baikal"})
# Heeds SCHEDULE-AGENT alone, and that for new items: it tells the organizer whatever an attendee
# changes in one that is there.
_SOGO: Final = "sogo"
# Mails when an item is deleted, if it is set up to.
_DAVICAL: Final = "davical"
# Says that it does scheduling, and has no way to be quiet once the account has an address.
_XANDIKOS: Final = "xandikos"
# Were measured with a mail server beside them, and are quiet whatever the bytes are, or by HUSH.
_MEASURED: Final = _HEEDING | {_SOGO, _DAVICAL}
# Sends, and does not say so.
_UNSAID: Final = frozenset({"google"})


def decide(
    scheduler: Scheduler, policy: Policy, wanted: Version | None, present: Version | None
) -> Way | Refusal:
    """Decide how to write or delete one item.

    Args:
        scheduler: What the server does for the account.
        policy: What the sink says.
        wanted: The item to have; None to delete the one that is there.
        present: What is there; None for a new item.
    """
    if policy is Policy.ALLOW:
        return Way({})
    named = wanted is not None and wanted.scheduled
    live = present is not None and present.scheduled and not present.hushed
    edit = _EDITS.get(policy, Edit.NONE) if named else Edit.NONE
    if not _names_people(wanted, present) or _is_silent(scheduler):
        return Way(SILENT, edit)
    name = scheduler.profile.name
    if name == _DAVICAL:
        return Way(SILENT, edit, aside=wanted is None)
    if name == _SOGO:
        hushes = named and edit is Edit.NONE
        return Way(SILENT, Edit.HUSH if hushes else edit, aside=present is not None)
    if policy is not Policy.QUIET and not live:
        return Way(SILENT, edit)
    return _refusal(scheduler, wanted, present)


def give_back(
    scheduler: Scheduler, policy: Policy, wanted: Version | None, present: Version | None
) -> Way | Refusal:
    """Do as `decide` for an item that was there before: its own bytes wherever that is quiet."""
    way = decide(scheduler, policy, wanted, present)
    if isinstance(way, Refusal) or way.edit is Edit.NONE:
        return way
    # A server that says nothing of scheduling may still have a hook that mails whom it finds.
    enough = policy is not Policy.STRIP or scheduler.profile.name in _MEASURED
    quiet = decide(scheduler, Policy.QUIET, wanted, present)
    return quiet if enough and isinstance(quiet, Way) else way


def told(
    scheduler: Scheduler, policy: Policy, wanted: Version | None, present: Version | None
) -> frozenset[str]:
    """Return whom the server may mail when an item is written or deleted, as far as is known.

    Args:
        scheduler: What the server does for the account.
        policy: What the sink says.
        wanted: The item to have; None to delete the one that is there.
        present: What is there; None for a new item.
    """
    if policy is not Policy.ALLOW or _never_sends(scheduler):
        return frozenset()
    people = {who for each in (wanted, present) if each is not None for who in each.people}
    return frozenset(people - (scheduler.addresses or frozenset()))


def _names_people(*versions: Version | None) -> bool:
    return any(each is not None and each.scheduled for each in versions)


def _is_silent(scheduler: Scheduler) -> bool:
    """Return whether the server sends nothing when the headers go with a request."""
    return scheduler.profile.name in _HEEDING or _never_sends(scheduler)


def _never_sends(scheduler: Scheduler) -> bool:
    name = scheduler.profile.name
    if name == _XANDIKOS and scheduler.addresses == frozenset():
        return True
    return not scheduler.offered and name not in _UNSAID


def _refusal(scheduler: Scheduler, wanted: Version | None, present: Version | None) -> Refusal:
    who = {each for item in (wanted, present) if item is not None for each in item.people}
    people = f"its {len(who)} people" if len(who) > 1 else "its organizer or attendees"
    title = scheduler.profile.title
    why = f"{people} might be mailed, and no way to keep {title} from it is proven"
    if wanted is None:
        return Refusal(f"{why}; `scheduling: allow` deletes it")
    if present is not None:
        return Refusal(f"{why}; `scheduling: allow` overwrites it")
    ways = "`scheduling: rewrite` writes it so that the server tells nobody, `strip` without them"
    return Refusal(f"{why}; {ways}, `allow` as it is")
