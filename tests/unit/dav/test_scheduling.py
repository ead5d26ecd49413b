"""Nobody is mailed, whatever the server, unless the pipeline allows it."""

from typing import Final

import pytest

from caldav_run.dav.products import PRODUCTS
from caldav_run.dav.profiles import UNKNOWN
from caldav_run.dav.scheduling import (
    SILENT,
    Edit,
    Policy,
    Refusal,
    Scheduler,
    Way,
    decide,
    give_back,
    told,
)
from caldav_run.model import Stamp, Version

PROVEN: Final = ("cyrus", "nextcloud", "baikal")
UNPROVEN: Final = ("fastmail", "google", "icloud", "zimbra", "stalwart", "synology", "xandikos")


def version(*people: str, hushed: bool = False) -> Version:
    return Version(
        uid="a",
        href="a.ics",
        etag=None,
        digest=b"",
        stamp=Stamp(),
        scheduled=bool(people),
        label="a",
        people=people,
        hushed=hushed,
    )


MEETING: Final = version("ann@example.org", "bob@example.org")
HUSHED: Final = version("ann@example.org", "bob@example.org", hushed=True)
LUNCH: Final = version()
# What is wanted, and what is there.
CHANGES: Final = {
    "create": (MEETING, None),
    "overwrite": (MEETING, MEETING),
    "take the people out": (LUNCH, MEETING),
    "put people in": (MEETING, LUNCH),
    "delete": (None, MEETING),
}


def server(
    name: str, *, offered: bool = True, addresses: frozenset[str] | None = None
) -> Scheduler:
    profile = PRODUCTS[name]() if name in PRODUCTS else UNKNOWN
    return Scheduler(profile=profile, offered=offered, addresses=addresses)


@pytest.mark.parametrize("name", [*PRODUCTS, "standard"])
@pytest.mark.parametrize("change", CHANGES)
def test_allow_writes_everything_as_it_is(name: str, change: str) -> None:
    assert decide(server(name), Policy.ALLOW, *CHANGES[change]) == Way({})


@pytest.mark.parametrize("name", [*PRODUCTS, "standard"])
@pytest.mark.parametrize("policy", [Policy.QUIET, Policy.REWRITE, Policy.STRIP])
def test_an_item_without_people_is_written_everywhere_with_the_headers(
    name: str, policy: Policy
) -> None:
    for change in ((LUNCH, None), (LUNCH, LUNCH), (None, LUNCH)):
        assert decide(server(name), policy, *change) == Way(SILENT)


@pytest.mark.parametrize("name", PROVEN)
@pytest.mark.parametrize("change", CHANGES)
def test_a_server_that_heeds_the_headers_gets_everything_as_it_is(name: str, change: str) -> None:
    assert decide(server(name), Policy.QUIET, *CHANGES[change]) == Way(SILENT)


@pytest.mark.parametrize("name", [*UNPROVEN, "standard"])
@pytest.mark.parametrize("change", CHANGES)
def test_where_no_way_is_proven_an_item_with_people_is_refused(name: str, change: str) -> None:
    found = decide(server(name), Policy.QUIET, *CHANGES[change])
    assert isinstance(found, Refusal)
    assert found.reason.startswith("its 2 people might be mailed")
    assert "scheduling: allow" in found.reason or "scheduling: rewrite" in found.reason


@pytest.mark.parametrize("name", ["standard", "radicale", "stalwart"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_server_that_does_no_scheduling_gets_everything(name: str, change: str) -> None:
    scheduler = server(name, offered=False)
    assert decide(scheduler, Policy.QUIET, *CHANGES[change]) == Way(SILENT)


def test_google_mails_though_it_does_not_say_so() -> None:
    scheduler = server("google", offered=False)
    assert isinstance(decide(scheduler, Policy.QUIET, MEETING, None), Refusal)


def test_xandikos_tells_nobody_of_an_account_without_an_address() -> None:
    scheduler = server("xandikos", addresses=frozenset())
    assert decide(scheduler, Policy.QUIET, MEETING, MEETING) == Way(SILENT)


@pytest.mark.parametrize(
    ("wanted", "present", "way"),
    [
        (MEETING, None, Way(SILENT, Edit.HUSH)),
        (MEETING, MEETING, Way(SILENT, Edit.HUSH, aside=True)),
        (MEETING, LUNCH, Way(SILENT, Edit.HUSH, aside=True)),
        (LUNCH, MEETING, Way(SILENT, aside=True)),
        (None, MEETING, Way(SILENT, aside=True)),
        (LUNCH, HUSHED, Way(SILENT, aside=True)),
        (None, HUSHED, Way(SILENT, aside=True)),
    ],
)
def test_on_sogo_new_items_are_hushed_and_what_is_there_is_moved_aside(
    wanted: Version | None, present: Version | None, way: Way
) -> None:
    assert decide(server("sogo"), Policy.QUIET, wanted, present) == way


def test_on_sogo_people_are_stripped_where_the_policy_says_so() -> None:
    found = decide(server("sogo"), Policy.STRIP, MEETING, MEETING)
    assert found == Way(SILENT, Edit.STRIP, aside=True)


def test_on_davical_only_what_is_deleted_is_moved_aside() -> None:
    assert decide(server("davical"), Policy.QUIET, MEETING, MEETING) == Way(SILENT)
    assert decide(server("davical"), Policy.QUIET, None, MEETING) == Way(SILENT, aside=True)


@pytest.mark.parametrize("name", [*PROVEN, "standard", "davical", "google"])
@pytest.mark.parametrize(
    ("policy", "edit"), [(Policy.REWRITE, Edit.HUSH), (Policy.STRIP, Edit.STRIP)]
)
def test_a_new_item_is_edited_as_the_policy_says(name: str, policy: Policy, edit: Edit) -> None:
    assert decide(server(name), policy, MEETING, None) == Way(SILENT, edit)
    assert decide(server(name), policy, MEETING, LUNCH) == Way(SILENT, edit)


@pytest.mark.parametrize("policy", [Policy.REWRITE, Policy.STRIP])
@pytest.mark.parametrize("change", ["overwrite", "take the people out", "delete"])
def test_no_policy_but_allow_touches_live_people_where_no_way_is_proven(
    policy: Policy, change: str
) -> None:
    # RFC 6638 section 3.2.1.2: a server cancels for those whom an overwriting takes from it.
    found = decide(server("standard"), policy, *CHANGES[change])
    assert isinstance(found, Refusal)
    assert "rewrite" not in found.reason


def test_what_was_hushed_before_is_rewritten_and_deleted_anywhere() -> None:
    assert decide(server("icloud"), Policy.REWRITE, MEETING, HUSHED) == Way(SILENT, Edit.HUSH)
    assert decide(server("icloud"), Policy.REWRITE, None, HUSHED) == Way(SILENT)


def test_what_is_hushed_is_no_proof_that_a_server_is_quiet() -> None:
    assert isinstance(decide(server("icloud"), Policy.QUIET, HUSHED, None), Refusal)


@pytest.mark.parametrize("edit", [Edit.HUSH, Edit.STRIP])
def test_what_an_edit_changes_is_told(edit: Edit) -> None:
    assert Way(SILENT, edit).note
    assert Way(SILENT).note is None


def test_people_that_a_broken_item_names_count_without_a_number() -> None:
    broken = Version(
        uid="a", href="a.ics", etag=None, digest=b"", stamp=Stamp(), scheduled=True, label="a"
    )
    found = decide(server("standard"), Policy.QUIET, broken, None)
    assert isinstance(found, Refusal)
    assert found.reason.startswith("its organizer or attendees might be mailed")


def test_everybody_in_either_version_but_the_user_may_be_mailed_where_it_is_allowed() -> None:
    scheduler = server("cyrus", addresses=frozenset({"ann@example.org"}))
    other = version("ann@example.org", "carol@example.org")
    assert told(scheduler, Policy.ALLOW, MEETING, other) == {"bob@example.org", "carol@example.org"}
    assert told(scheduler, Policy.ALLOW, None, MEETING) == {"bob@example.org"}


@pytest.mark.parametrize("policy", [Policy.QUIET, Policy.REWRITE, Policy.STRIP])
def test_nobody_is_mailed_by_any_other_policy(policy: Policy) -> None:
    assert told(server("cyrus"), policy, MEETING, MEETING) == frozenset()


def test_nobody_is_mailed_by_a_server_that_does_no_scheduling() -> None:
    assert told(server("baikal", offered=False), Policy.ALLOW, MEETING, None) == frozenset()


@pytest.mark.parametrize("name", [*PROVEN, "davical"])
@pytest.mark.parametrize("policy", [Policy.REWRITE, Policy.STRIP])
@pytest.mark.parametrize("present", [None, LUNCH, HUSHED])
def test_what_was_there_before_comes_back_as_it_was_where_that_is_proven_to_be_quiet(
    name: str, policy: Policy, present: Version | None
) -> None:
    assert give_back(server(name), policy, MEETING, present) == Way(SILENT)


def test_on_sogo_what_was_there_before_comes_back_hushed_with_its_people() -> None:
    found = give_back(server("sogo"), Policy.STRIP, MEETING, LUNCH)
    assert found == Way(SILENT, Edit.HUSH, aside=True)


@pytest.mark.parametrize("name", [*UNPROVEN, "standard"])
@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("change", CHANGES)
def test_where_nothing_is_proven_what_was_there_before_comes_back_as_anything_else(
    name: str, policy: Policy, change: str
) -> None:
    wanted, present = CHANGES[change]
    found = give_back(server(name), policy, wanted, present)
    assert found == decide(server(name), policy, wanted, present)


def test_a_hook_that_nobody_sees_gets_no_people_to_mail() -> None:
    radicale = server("radicale", offered=False)
    assert give_back(radicale, Policy.REWRITE, MEETING, None) == Way(SILENT)
    assert give_back(radicale, Policy.STRIP, MEETING, None) == Way(SILENT, Edit.STRIP)
