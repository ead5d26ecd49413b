"""The options that the caldav source and sink share."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.connectors.caldav_settings import settings_from
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.schemas import load_schemas
from caldav_run.dav.settings import Auth
from caldav_run.dav.transport import ClientCertificate, Proxy
from caldav_run.errors import SetupError
from caldav_run.secret import Secret

if TYPE_CHECKING:
    from caldav_run.model import Options

SHARED = (
    *("url", "username", "password", "auth", "timeout"),
    *("trust_hosts", "insecure", "ca_file"),
    *("tls_fingerprint", "client_certificate", "proxy", "oauth2"),
)
CONTEXT = Context(
    name="cloud",
    pipeline="p",
    timezone=UTC,
    now=datetime(2026, 5, 1, tzinfo=UTC),
    state_dir=Path("state"),
)


def test_every_option_reaches_the_connection() -> None:
    password = Secret.of("p")
    options: Options = {
        "url": "http://example.org/",
        "username": "alice",
        "password": password,
        "auth": "digest",
        "timeout": 5,
        "trust_hosts": ["a.example"],
        "insecure": True,
        "ca_file": "/etc/ca.pem",
    }
    settings = settings_from(options, CONTEXT)
    assert (settings.url, settings.username, settings.password) == (
        "http://example.org/",
        "alice",
        password,
    )
    assert (settings.auth, settings.timeout_s, settings.insecure) == (Auth.DIGEST, 5.0, True)
    assert (settings.trust_hosts, settings.ca_file) == (("a.example",), Path("/etc/ca.pem"))


def test_certificates_and_proxy_reach_the_connection() -> None:
    word = Secret.of("p")
    settings = settings_from(
        {
            "url": "example.org",
            "tls_fingerprint": f"SHA256:{'ab' * 32}",
            "client_certificate": {"file": "/a.pem", "key": "/a.key", "password": word},
            "proxy": {"url": "http://proxy:3128", "username": "me", "password": word},
        },
        CONTEXT,
    )
    assert settings.tls_fingerprint == f"SHA256:{'ab' * 32}"
    assert settings.client_certificate == ClientCertificate(
        file=Path("/a.pem"), key=Path("/a.key"), password=word
    )
    assert settings.proxy == Proxy(url="http://proxy:3128", username="me", password=word)


def test_a_proxy_may_be_a_text() -> None:
    settings = settings_from({"url": "example.org", "proxy": "socks5://p:1080"}, CONTEXT)
    assert settings.proxy == Proxy(url="socks5://p:1080")


def test_the_defaults_are_those_of_the_schema() -> None:
    settings = settings_from({"url": "example.org"}, CONTEXT)
    properties = load_schemas()["sources/caldav.schema.json"]["properties"]
    assert settings.auth == properties["auth"]["default"]
    assert settings.timeout_s == properties["timeout"]["default"]
    assert settings.insecure is properties["insecure"]["default"]


def test_a_mistake_is_told_with_the_connectors_name() -> None:
    with pytest.raises(SetupError, match=r"cloud: .*insecure: true"):
        settings_from({"url": "http://example.org/"}, CONTEXT)


@pytest.mark.parametrize("name", SHARED)
def test_source_and_sink_describe_a_shared_option_alike(name: str) -> None:
    source, sink = (
        load_schemas()[f"{kind}/caldav.schema.json"]["properties"][name]
        for kind in ("sources", "sinks")
    )
    assert json.dumps(source) == json.dumps(sink)


def test_the_schema_offers_every_way_to_sign_in() -> None:
    offered = load_schemas()["sources/caldav.schema.json"]["properties"]["auth"]["enum"]
    assert set(offered) == set(Auth)


def test_endpoints_that_lead_no_person_anywhere_are_refused() -> None:
    oauth2 = {"client_id": "me", "token_url": "https://example.org/token"}
    with pytest.raises(SetupError, match="add authorize_url, or device_url, or both"):
        settings_from({"url": "https://example.org/", "oauth2": oauth2}, CONTEXT)
