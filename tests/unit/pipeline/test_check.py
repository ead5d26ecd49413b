"""Whole files through every check: what a user reads."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caldav_run.pipeline.check import check_file, check_text
from caldav_run.pipeline.render import render_github, render_json, render_text

Told = Callable[..., str]
Codes = Callable[..., list[str]]

SINKS = "sinks:\n  plain: {type: ics, path: out}\n"
INTO = "sinks:\n  plain: {{type: ics, path: {}}}\n"
START = "version: 1\nname: nightly\n"
CLOUD = f"""{START}sources:
  cloud:
    type: caldav
    url: https://cloud.example.org
"""


def with_cloud(lines: str) -> str:
    """Put lines into the caldav source of a pipeline that is valid without them."""
    return f"{CLOUD}    {lines}\n{SINKS}"


def with_filter(text: str) -> str:
    return f"{CLOUD}filters:\n  - {text}\n{SINKS}"


def as_of(text: str) -> str:
    return f"{START}sources:\n  vault: {{type: snapshot, repository: r, as_of: {text}}}\n{SINKS}"


def test_a_snapshot_may_be_named_by_a_day_or_in_words(told: Told) -> None:
    for text in ("2026-05-01", "yesterday", "2 weeks ago", "latest~3", "abcd1234"):
        assert told(as_of(text)) == "0 errors in 1 file."


def test_a_good_pipeline_has_no_problem(told: Told) -> None:
    assert told(CLOUD + SINKS) == "0 errors in 1 file."


def test_an_unknown_key_is_told_as_the_manual_shows(told: Told) -> None:
    assert told(with_cloud("calendars: {exclud: [contact_birthdays]}")) == (
        'error[unknown-key]: unknown key "exclud" in sources.cloud.calendars\n'
        "  --> p.yaml:7:17\n"
        "7 |     calendars: {exclud: [contact_birthdays]}\n"
        '  |                 ^^^^^^ did you mean "exclude"?\n'
        "  = allowed: include, exclude\n"
        "1 error in 1 file; nothing was run."
    )


def test_a_password_in_plain_text_is_told_and_not_shown(told: Told) -> None:
    assert told(with_cloud("password: hunter2")) == (
        "error[plain-secret]: sources.cloud.password must not stand in the file\n"
        "  --> p.yaml:7:15\n"
        "7 |     password: ***\n"
        "  |               ^^^ write password: {env: PASSWORD} and set that variable\n"
        "  = or {file: path}, {command: [program, …]}, {keyring: {service: …, username: …}}\n"
        "1 error in 1 file; nothing was run."
    )


def test_a_password_from_the_environment_is_told_the_reference_to_write(told: Told) -> None:
    text = told(with_cloud("password: ${env.MY_PW}"), MY_PW="hunter2")
    assert "write password: {env: MY_PW}" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "lines",
    [
        "password: hunter2",
        "pasword: hunter2",
        "password: '${hunter2}'",
        "password: '${hunter2'",
        "passwrd: {x: hunter2}",
        "password: |\n      hunter2\n    x: 1",
        "password: {env: 'hunter2 '}",
        "password: {value: hunter2}",
        "url: https://joe:hunter2@example.org",
        "url: 'https://joe:hunter2@[::1'",
        "type: https://joe:hunter2@example.org",
        'password: "hunter2',
        "insecure: https://joe:hunter2@example.org",
        "ca_file: AGE-SECRET-KEY-1HUNTER2",
        "auth: AGE-SECRET-KEY-1HUNTER2",
    ],
)
def test_no_secret_is_ever_shown(lines: str) -> None:
    checked = check_text(with_cloud(lines), "p.yaml", sets={}, environ={}, strict_env=True)
    for report in (
        render_text(checked.problems),
        render_json(checked.problems),
        render_github(checked.problems),
    ):
        assert "hunter2" not in report.lower()


@pytest.mark.parametrize("password", ["0755", "1_000", "9" * 30, "'${x'"])
def test_a_password_is_not_quoted_for_being_doubtful(told: Told, password: str) -> None:
    text = told(with_cloud(f"password: {password}"))
    assert "[plain-secret]" in text
    assert "1 error in" in text
    assert password not in text


def test_an_empty_password_asks_for_a_reference(told: Told) -> None:
    assert "must say where the secret is found" in told(with_cloud("password:"))


def test_userinfo_in_a_url_is_refused(told: Told) -> None:
    text = told(f"{START}sources:\n  a: {{type: ics, url: 'https://joe:pw@example.org'}}\n{SINKS}")
    assert "error[url-userinfo]: sources.a.url holds a user name or password" in text
    assert "https://***@example.org" in text


def test_a_url_that_is_none_is_refused(codes: Codes) -> None:
    text = f"{START}sources:\n  a: {{type: ics, url: 'https://x:99999/'}}\n{SINKS}"
    assert codes(text) == ["bad-url"]


def test_an_unknown_type_is_told_with_the_known_ones(told: Told) -> None:
    assert told(f"{CLOUD}sinks:\n  plain: {{type: isc, path: out}}\n") == (
        'error[unknown-type]: unknown type "isc" of sinks.plain\n'
        "  --> p.yaml:8:17\n"
        "8 |   plain: {type: isc, path: out}\n"
        '  |                 ^^^ did you mean "ics"?\n'
        "  = known: caldav, ics, snapshot\n"
        "1 error in 1 file; nothing was run."
    )


def test_a_missing_variable_of_the_environment_is_an_error_in_a_run(told: Told) -> None:
    assert told(with_cloud("account: ${env.WHO}")) == (
        "error[missing-env]: the environment variable WHO is not set, in sources.cloud.account\n"
        "  --> p.yaml:7:14\n"
        "7 |     account: ${env.WHO}\n"
        "  |              ^^^^^^^^^^ set it, or give a default: ${env.WHO:-…}\n"
        "1 error in 1 file; nothing was run."
    )


def test_a_missing_variable_is_a_warning_when_only_checked(told: Told) -> None:
    text = told(with_cloud("ca_file: ${env.CA}"), strict_env=False)
    assert "warning[missing-env]: the environment variable CA is not set" in text
    assert text.endswith("1 warning in 1 file.")


def test_a_wrong_type_says_what_to_write(told: Told) -> None:
    text = told(with_cloud("account: 12"))
    assert "error[wrong-type]: sources.cloud.account must be text, not a number" in text
    assert "^^ quote it" in text


def test_alternatives_are_told_as_what_they_have_in_common(told: Told) -> None:
    text = told(with_cloud("calendars: work"))
    assert "sources.cloud.calendars must be a list or a map, not text" in text
    assert "any of the given schemas" not in text


def test_a_missing_key_is_told_at_its_owner(told: Told) -> None:
    text = told(f"{START}sources:\n  cloud: {{type: caldav}}\n{SINKS}")
    assert 'error[missing-key]: sources.cloud lacks "url"\n  --> p.yaml:4:3\n' in text


def test_a_misspelt_key_is_not_told_as_missing_too(codes: Codes) -> None:
    text = f"{START}sources:\n  cloud: {{type: caldav, ulr: 'https://x'}}\n{SINKS}"
    assert codes(text) == ["unknown-key"]


def test_a_misspelt_type_is_told(told: Told) -> None:
    text = told(f"{START}sources:\n  cloud: {{typ: caldav}}\n{SINKS}")
    assert 'write "type" for "typ"' in text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            f"version: 2\nname: a\n{SINKS}sources: {{a: {{type: ics, path: a}}}}",
            "unsupported-version",
        ),
        (with_cloud("auth: bsic"), "bad-value"),
        (with_cloud("timeout: 0"), "out-of-range"),
        (with_cloud("trust_hosts: []"), "too-few"),
        (with_cloud("account: ''"), "too-few"),
        (with_cloud("username: joe"), "missing-key"),
        (with_cloud("password: {env: A, file: b}"), "too-many"),
        (with_cloud("password: {env: 1A}"), "bad-format"),
        (with_cloud("calendars: ['a[b']"), "bad-pattern"),
        (with_cloud("calendars: {include: ['']}"), "bad-pattern"),
        (f"{START}sources: {{a: {{type: ics}}}}\n{SINKS}", "missing-key"),
        (f"{START}sources: {{a: {{type: ics, path: a, url: 'https://a'}}}}\n{SINKS}", "too-many"),
        (f"{START}sources: {{'a b': {{type: ics, path: a}}}}\n{SINKS}", "bad-name"),
        (CLOUD + SINKS + "timezone: Europe/Berln\n", "bad-timezone"),
        (CLOUD + SINKS + "timezone: ../../etc/passwd\n", "bad-timezone"),
        (CLOUD + SINKS + "timezone: localtime\n", "bad-timezone"),
        (f"{START}sources: {{a: }}\n{SINKS}", "wrong-type"),
        (f"{START}sources: {{a: {{type: ics, path: x}}}}\n" + INTO.format("x/y/../z"), "circle"),
        (f"{START}sources: {{a: {{type: ics, path: x}}}}\n" + INTO.format("./x"), "circle"),
        (CLOUD + "sinks: {a: {type: ics, path: b, safety_snapshot: c}}\n", "unknown-vault"),
        (CLOUD + SINKS + "expect: {max_shrink: 120%}\n", "bad-format"),
        (CLOUD + SINKS + "expect: {max_shrink: -1}\n", "out-of-range"),
        (CLOUD + SINKS + "expect: {}\n", "too-few"),
        (with_filter("{type: period, from: -1q}"), "bad-time"),
        (with_filter("{type: period, from: 2026-13-01}"), "bad-time"),
        (as_of("2 weaks ago"), "bad-snapshot"),
        (with_filter("{type: where, keep: summary}"), "bad-expression"),
    ],
)
def test_each_mistake_is_told_once_under_its_code(codes: Codes, text: str, code: str) -> None:
    assert codes(text) == [code]


def test_all_problems_are_told_at_once_in_their_order(codes: Codes) -> None:
    text = with_cloud("timeout: 0\n    auth: x\n    foo: 1") + "expect: {min_items: -1}\nx: 1\n"
    assert codes(text) == [
        "out-of-range",
        "bad-value",
        "unknown-key",
        "out-of-range",
        "unknown-key",
    ]


@pytest.mark.parametrize(
    ("filter_text", "place", "marked"),
    [
        ("{type: where, keep: sumary == 'a'}", "p.yaml:8:25", "^^^^^^ did"),
        ("""{type: where, keep: '!("it''s" in categoris)'}""", "p.yaml:8:39", "^^^^^^^^^ did"),
        (r"""{type: where, keep: "\u0073ummary == \"a\" && urm"}""", "p.yaml:8:51", "^^^"),
        ("type: where\n    keep: |\n      true\n      || sumary == ''", "p.yaml:11:10", "^^^^^^"),
        ("type: where\n    keep: >\n      true\n      || sumary == ''", "p.yaml:11:10", "^^^^^^"),
        ("type: where\n    keep: >-\n      true\n        || xxyyzz", "p.yaml:11:12", "^^^^^^"),
        ("type: where\n    keep: |\n      true\n\n      || sumary == ''", "p.yaml:12:10", "^^^^^^"),
        ("type: where\n    keep: >\n      true\n\n      || sumary == ''", "p.yaml:12:10", "^^^^^^"),
        ("type: where\n    keep: |\n      true &&", "p.yaml:10:14", "^"),
        (r"""{type: where, keep: "\tsumary"}""", "p.yaml:8:28", "^^^^^^"),
        ("type: where\n    keep: true &&\n      sumary == ''", "p.yaml:10:7", "^^^^^^"),
        ("type: where\n    keep: 'true &&\n\n      sumary == '''''", "p.yaml:11:7", "^^^^^^"),
    ],
)
def test_a_fault_in_an_expression_is_told_at_its_word(
    told: Told, filter_text: str, place: str, marked: str
) -> None:
    text = told(with_filter(filter_text))
    assert "error[bad-expression]" in text
    assert place in text
    assert marked in text


def test_a_fault_in_an_expression_made_of_variables_is_told_at_the_value(told: Told) -> None:
    text = told(with_filter("{type: where, keep: 'true && ${vars.x}'}") + "vars: {x: hidden_one}\n")
    assert "--> p.yaml:8:25" in text


def test_messages_show_the_source_and_never_what_was_put_in(told: Told) -> None:
    text = told(
        with_cloud("auth: ${env.A}\n    account: ${env.B}")
        + "timezone: ${env.A}\nfilters: [{type: period, from: '${env.A}'}]\n",
        A="topsecret",
        B="",
    )
    assert text.count("error[") == 4
    assert "topsecret" not in text


def test_two_sources_may_not_be_one_account(told: Told) -> None:
    text = told(
        f"{START}sources:\n  a: {{type: ics, path: a}}\n"
        f"  b: {{type: ics, path: b, account: a}}\n{SINKS}"
    )
    assert 'the sources "a" and "b" are both the account "a"\n  --> p.yaml:5:27' in text


def test_two_sinks_may_not_write_to_one_place(told: Told) -> None:
    text = told(f"{CLOUD}{SINKS}  again: {{type: ics, path: out}}\n")
    assert 'error[same-destination]: the sinks "plain" and "again" write to the same place' in text


MEETING = f"""{START}sources:
  a: {{type: ics, path: a, calendars: [work, 'x*']}}
  b: {{type: ics, path: b, calendars: {{include: [job, 'x*']}}}}
sinks:
  to: {{type: caldav, url: 'https://x.example.org', rename: {{RENAME}}}}
"""


def test_calendars_that_would_meet_in_one_are_told(told: Told) -> None:
    text = told(MEETING.replace("RENAME", "job: work"))
    assert 'warning[meeting-calendars]: "work" of "a" and "job" of "b" would meet' in text


def test_a_limit_of_what_is_never_deleted_is_told(told: Told, codes: Codes) -> None:
    sink = "sinks:\n  to: {type: ics, path: out, delete: {max: 3}MODE}\n"
    text = told(f"{CLOUD}{sink.replace('MODE', '')}")
    assert 'warning[no-effect]: the sink "to" deletes nothing' in text
    assert codes(f"{CLOUD}{sink.replace('MODE', ', mode: exact')}") == []


def test_calendars_with_their_own_names_do_not_meet(codes: Codes) -> None:
    assert codes(MEETING.replace("RENAME", "job: jobs")) == []


def test_what_hangs_on_a_missing_variable_is_not_taken_for_equal(codes: Codes) -> None:
    text = (
        f"{START}sources:\n  a: {{type: ics, path: a, account: '${{env.A}}'}}\n"
        "  b: {type: ics, path: b, account: '${env.A}'}\n"
        "sinks:\n  c: {type: ics, path: '${env.A}'}\n  d: {type: ics, path: '${env.A}'}\n"
    )
    assert set(codes(text, strict_env=False)) == {"missing-env"}


def test_a_file_of_3000_lines_is_sound() -> None:
    sources = "".join(
        f"  s{n}:\n    type: caldav\n    url: https://x{n}.example.org\n    username: joe\n"
        f"    password: {{env: P}}\n    auth: basic\n    calendars:\n      include:\n"
        f"        - a{n}\n        - b*\n      exclude: [c]\n"
        for n in range(272)
    )
    text = f"{START}sources:\n{sources}{SINKS}"
    assert text.count("\n") > 2990
    checked = check_text(text, "p.yaml", sets={}, environ={}, strict_env=True)
    assert checked.problems == ()


_STRANGERS = ",".join(f"usernam{n}: x" for n in range(9_000))
_USES = "'${vars.a}x'," * 9_000
_WHOLE = "'${vars.a}'," * 9_000
HOSTILE = {
    "unclosed references": f"name: '{'${' * 300_000}'",
    "empty references": f"name: '{'${}' * 200_000}'",
    "many words like passwords": "pass" * 200_000 + "\nname: x: y",
    "many addresses": "name: " + "://a" * 200_000,
    "many unknown keys": "sources: {a: {type: ics," + _STRANGERS + "}}",
    "a text put in very often": f"vars: {{a: {'x' * 300_000}}}\nname: [{_USES}]",
    "a list put in very often": f"vars: {{a: [{'1,' * 9_000}]}}\nname: [{_WHOLE}]",
    "a number of many digits": "name: " + "9" * 900_000,
}


# Quadratic work would take minutes to hours.
@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_ends_with_a_short_report(text: str) -> None:
    checked = check_text(text, "p.yaml", sets={}, environ={}, strict_env=True)
    assert len(render_text(checked.problems)) < 50_000


def test_interpolation_makes_no_bomb_of_a_file(codes: Codes) -> None:
    assert codes(HOSTILE["a text put in very often"]) == ["too-much-text"]
    assert codes(HOSTILE["a list put in very often"]) == ["too-much-text"]


def test_a_pipeline_outside_of_its_folder_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(with_cloud("password: {file: /nonexistent/x}").replace("out", "/nonexistent"))
    assert check_file(path, sets={}, environ={}, strict_env=False).problems == ()


_WORDS = st.sampled_from(
    [
        *("version: 1\n", "name: a\n", "sources:\n", "  a: {type: ics, path: x}\n", "sinks:\n"),
        *("- ", "[", "]", "{", "}", ": ", "\n", "  ", "'", '"', "|\n", "\t", "!x ", "*a", "&a "),
        *("${vars.a}", "${env.A:-1}", "vars: {a: 1}\n", "type: caldav", "password: x", "url: "),
        *("filters: [{type: where, keep: 'x'}]\n", "expect: {max_shrink: 5%}"),
    ]
)
_FILES = st.binary(max_size=200) | st.lists(_WORDS, max_size=25).map("".join).map(str.encode)


@settings(max_examples=60, deadline=None)
@given(_FILES)
def test_any_bytes_give_problems_and_never_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(data)
    checked = check_file(path, sets={"a": "2"}, environ={"A": "x"}, strict_env=True)
    assert checked.value is not None or checked.problems
    render_text(checked.problems)
    render_json(checked.problems)
    render_github(checked.problems)


def vault_at(place: str, more: str = "") -> str:
    sink = f"{{type: snapshot, repository: '{place}'{more}}}"
    return f"{CLOUD}sinks:\n  vault: {sink}\n"


@pytest.mark.parametrize(
    ("place", "more"),
    [
        ("vault", ""),
        ("s3://backups/home", ""),
        ("S3://backups", ", storage: {region: eu-central-1, path_style: false}"),
        ("s3://b", ", storage: {access_key_id: A, secret_access_key: {env: KEY}}"),
        ("gs://backups/home", ", storage: {service_account: {file: key.json}}"),
        ("az://backups/home", ", storage: {account: a, account_key: {env: KEY}, ca_file: x}"),
    ],
)
def test_a_repository_may_be_a_folder_or_an_object_storage(
    told: Told, place: str, more: str
) -> None:
    assert told(vault_at(place, more)) == "0 errors in 1 file."


def test_a_repository_of_no_known_kind_is_told_with_the_known_ones(told: Told) -> None:
    text = told(vault_at("ftp://example.org/x"))
    assert 'error[unknown-scheme]: sinks.vault.repository cannot be at "ftp://"' in text
    assert "known: s3://, gs://, az://" in text
    assert 'did you mean "s3"?' in told(vault_at("s3a://backups/x"))


def test_a_user_in_the_url_of_a_repository_is_refused(told: Told, codes: Codes) -> None:
    place = vault_at("s3://AKIA:hunter2@backups/x")
    assert codes(place) == ["url-userinfo"]
    assert "hunter2" not in told(place)


def test_a_url_of_a_repository_that_is_none_is_refused(codes: Codes) -> None:
    for place in ("s3:///x", "s3://b/x//y", "s3://b?region=x"):
        assert codes(vault_at(place)) == ["bad-url"]


def test_options_of_another_place_are_refused(told: Told) -> None:
    text = told(vault_at("s3://b", ", storage: {account: a, region: r}"))
    assert "error[unfit-option]: sinks.vault.storage.account means nothing for s3://" in text
    assert "region means" not in text
    assert "s3:// takes: access_key_id, ca_file," in text
    text = told(vault_at("vault", ", storage: {region: r}"))
    assert "sinks.vault.storage.region means nothing for a folder" in text
    assert "a folder takes: none of them" in text


def test_an_option_of_a_storage_that_nobody_knows_is_told_once(codes: Codes) -> None:
    assert codes(vault_at("s3://b", ", storage: {regoin: r}")) == ["unknown-key"]
    assert codes(vault_at("s3://b", ", storage: 5")) == ["wrong-type"]


def test_a_key_needs_its_secret(codes: Codes) -> None:
    assert codes(vault_at("s3://b", ", storage: {access_key_id: A}")) == ["missing-key"]


def test_a_repository_that_hangs_on_an_unset_variable_is_not_judged(codes: Codes) -> None:
    assert "unknown-scheme" not in codes(vault_at("${env.NOWHERE_SET}://x"))


def test_one_bucket_of_two_services_is_two_places(codes: Codes) -> None:
    first, second = (
        f"{name}: {{type: snapshot, repository: 's3://b', storage: {{endpoint: 'https://{name}'}}}}"
        for name in ("here", "there")
    )
    assert codes(f"{CLOUD}sinks:\n  {first}\n  {second}\n") == []
    again = first.replace("here:", "again:", 1)
    assert codes(f"{CLOUD}sinks:\n  {first}\n  {again}\n") == ["same-destination"]
