"""Log in once at a real OAuth2 server, then back up a real Radicale behind it."""

import json
import stat

import pytest
from tests.integration.auth.conftest import CALENDARS, EVENTS, Person
from tests.integration.auth.provider import Provider

ALL = CALENDARS * EVENTS


@pytest.fixture
def logged_in(person: Person) -> Person:
    done = person.run("login", "auth.yaml", "cloud")
    assert done.status == 0, done.text
    return person


def renewed(person: Person) -> dict[str, object]:
    found: dict[str, object] = json.loads(person.store.read_text("utf-8"))
    return found


def test_a_login_and_a_backup(person: Person, gate: Provider) -> None:
    done = person.run("login", "auth.yaml", "cloud")
    assert done.status == 0, done.text
    assert f"it opens {gate.guarded}alice/" in done.out
    done = person.run("run", "auth.yaml")
    assert done.status == 0, done.text
    assert person.backed_up() == ALL
    assert gate.renewals == 0
    (form,) = gate.forms
    assert form["code_verifier"]


def test_tokens_are_for_their_owner_only_and_in_no_output(
    logged_in: Person, gate: Provider
) -> None:
    assert stat.S_IMODE(logged_in.store.stat().st_mode) == 0o600
    assert stat.S_IMODE(logged_in.store.parent.stat().st_mode) == 0o700
    gate.uses = 0
    logged_in.run("run", "auth.yaml", "-v")
    hidden = [word for each in gate.tokens for word in (each.access_token, each.refresh_token)]
    printed = "".join(logged_in.printed)
    assert not [word for word in [*hidden, "s3cret-of-client"] if word and word in printed]


def test_tokens_that_end_in_the_middle_of_a_run_are_renewed(
    logged_in: Person, gate: Provider
) -> None:
    gate.uses = 4
    done = logged_in.run("run", "auth.yaml")
    assert done.status == 0, done.text
    assert logged_in.backed_up() == ALL
    assert gate.renewals >= 2
    # Each renewal used the refresh token that the one before gave.
    assert not any(each.revoked for each in gate.tokens)


def test_a_token_near_its_end_is_renewed_before_it_is_used(person: Person, gate: Provider) -> None:
    gate.expires_in = 0
    person.run("login", "auth.yaml", "cloud")
    kept = renewed(person)
    kept.update(expires_at=1.0, lifetime=3600.0)
    person.store.write_text(json.dumps(kept), "utf-8")
    done = person.run("run", "auth.yaml")
    assert done.status == 0, done.text
    assert gate.renewals == 1


def test_the_refresh_token_stays_where_the_provider_does_not_rotate(
    logged_in: Person, gate: Provider
) -> None:
    gate.rotates = False
    before = renewed(logged_in)["refresh_token"]
    gate.uses = 4
    assert logged_in.run("run", "auth.yaml").status == 0
    assert renewed(logged_in)["refresh_token"] == before
    assert gate.renewals > 1


def test_a_revoked_login_says_what_to_run(logged_in: Person, gate: Provider) -> None:
    gate.revoke_all()
    done = logged_in.run("run", "auth.yaml")
    assert done.status == 77
    assert "was revoked or has ended" in done.text
    assert "caldav-run login auth.yaml cloud" in done.text


def test_without_a_login_a_run_says_what_to_run_and_opens_nothing(
    person: Person, gate: Provider
) -> None:
    done = person.run("run", "auth.yaml")
    assert done.status == 77
    assert "caldav-run login auth.yaml cloud" in done.text
    assert gate.paths == []


def test_a_token_that_stays_refused_is_asked_for_once_only(
    logged_in: Person, gate: Provider
) -> None:
    gate.uses = 0
    done = logged_in.run("run", "auth.yaml")
    assert done.status == 77
    assert "refuses a new token" in done.text
    assert gate.renewals == 1


def test_a_provider_that_fails_while_renewing_costs_no_login(
    logged_in: Person, gate: Provider
) -> None:
    gate.uses = 1
    gate.failures = [503] * 9
    done = logged_in.run("run", "auth.yaml")
    assert done.status == 75, done.text
    assert "is busy: 503" in done.text
    gate.failures, gate.uses = [], 10**9
    done = logged_in.run("run", "auth.yaml")
    assert done.status == 0, done.text


def test_a_denied_login_is_told_in_the_providers_words(person: Person, gate: Provider) -> None:
    gate.consents = "no"
    done = person.run("login", "auth.yaml", "cloud")
    assert done.status == 77
    assert "the login was not allowed: access_denied" in done.err
    assert gate.tokens == []


def test_an_answer_to_another_question_is_refused(person: Person, gate: Provider) -> None:
    gate.consents = "other state"
    done = person.run("login", "auth.yaml", "cloud")
    assert done.status == 77
    assert "its state is another one" in done.err
    assert gate.forms == []


def test_a_wrong_client_secret_is_told(person: Person, gate: Provider) -> None:
    person.secret = "wrong-secret"
    done = person.run("login", "auth.yaml", "cloud")
    assert done.status == 77
    assert "check client_id and client_secret" in done.err
    assert gate.tokens == []


def test_a_login_by_device_waits_and_slows_down(person: Person, gate: Provider) -> None:
    gate.device_answers = ["authorization_pending"]
    done = person.run("login", "auth.yaml", "cloud", "--device")
    assert done.status == 0, done.text
    assert f"open {gate.url}device on any device, and enter the code" in done.err
    assert len(gate.forms) == 2
    assert person.run("run", "auth.yaml").status == 0
    assert person.backed_up() == ALL


def test_a_login_by_hand_takes_the_browsers_last_address(person: Person) -> None:
    person.browse = False
    entered = "http://127.0.0.1:1/?code=x\n"
    done = person.run("login", "auth.yaml", "cloud", "--paste", entered=entered)
    assert done.status == 77
    assert "its state is another one" in done.err


def test_without_a_name_logins_are_listed(person: Person) -> None:
    done = person.run("login", "auth.yaml")
    assert done.status == 0
    assert "caldav-run login auth.yaml cloud" in done.out
    assert person.run("login", "auth.yaml", "--status").status == 77
    assert person.run("login", "auth.yaml", "cloud").status == 0
    done = person.run("login", "auth.yaml", "--status")
    assert done.status == 0
    assert "renewed by runs" in done.out


def test_a_forgotten_login_is_revoked_and_deleted(logged_in: Person, gate: Provider) -> None:
    done = logged_in.run("login", "auth.yaml", "cloud", "--forget")
    assert done.status == 0
    assert "deleted and revoked" in done.out
    assert all(each.revoked for each in gate.tokens)
    assert not list((logged_in.folder / "config" / "tokens").glob("*.json"))
    assert logged_in.run("run", "auth.yaml").status == 77


def test_endpoints_may_be_written_instead_of_an_issuer(person: Person, gate: Provider) -> None:
    person.write(f"token_url: {gate.url}token, authorize_url: {gate.url}authorize")
    assert person.run("login", "auth.yaml", "cloud").status == 0
    assert person.run("run", "auth.yaml").status == 0
    assert "/.well-known/oauth-authorization-server" not in gate.paths


def test_a_public_client_has_no_secret(person: Person, gate: Provider) -> None:
    gate.client.secret = ""
    text = person.pipeline.read_text("utf-8")
    person.pipeline.write_text(text.replace(", client_secret: {env: CLIENT_SECRET}", ""), "utf-8")
    assert person.run("login", "auth.yaml", "cloud").status == 0
    gate.uses = 3
    assert person.run("run", "auth.yaml").status == 0


def test_a_sink_logs_in_as_a_source_does(person: Person, gate: Provider) -> None:
    text = person.pipeline.read_text("utf-8")
    assert person.run("login", "auth.yaml", "cloud").status == 0
    assert person.run("run", "auth.yaml").status == 0
    account = text.split("  cloud:\n")[1].split("sinks:")[0]
    head = "version: 1\nname: back\nsources:\n  plain: {type: ics, path: out/cloud}\n"
    person.pipeline.write_text(f"{head}sinks:\n  there:\n{account}", "utf-8")
    gate.uses = 3
    done = person.run("run", "auth.yaml")
    # The account is the same, so one login serves both.
    assert done.status == 0, done.text
    assert person.run("login", "auth.yaml", "there", "--status").status == 0


def test_an_unknown_name_is_told_with_those_that_there_are(person: Person) -> None:
    done = person.run("login", "auth.yaml", "clod")
    assert done.status == 2
    assert "it has: cloud" in done.err
