"""Options that exclude each other are told at their place."""

import pytest

from caldav_run.pipeline.check import check_text

PIPELINE = """\
version: 1
name: a
sources:
  cloud:
    type: caldav
    url: https://a.example
    {first}
    {second}
sinks:
  plain: {{type: ics, path: out}}
"""
OAUTH2 = "oauth2: {client_id: a, provider: google}"
PIN = f"tls_fingerprint: SHA256:{'ab' * 32}"


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [
        (OAUTH2, "password: {env: A}", 8),
        ("auth: bearer", OAUTH2, 7),
        ("ca_file: a.pem", PIN, 7),
    ],
)
def test_the_second_of_two_is_told(first: str, second: str, line: int) -> None:
    text = PIPELINE.format(first=first, second=second)
    checked = check_text(text, "a.yaml", sets={}, environ={"A": "x"}, strict_env=True)
    (problem,) = checked.problems
    assert problem.code == "unfit-option"
    assert problem.span is not None
    assert problem.span.line == line


@pytest.mark.parametrize("beside", ["username: alice", PIN, "proxy: socks5://proxy:1080"])
def test_the_others_go_together(beside: str) -> None:
    text = PIPELINE.format(first=OAUTH2, second=beside)
    assert check_text(text, "a.yaml", sets={}, environ={}, strict_env=True).problems == ()
