"""Object storages: what is asked for, as whom, and what is said when it goes wrong."""

import base64
import datetime as dt
import ipaddress
import json
import os
import signal
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from caldav_run.errors import CaldavRunError, SetupError
from caldav_run.repository.storage import Storage
from caldav_run.repository.store import MissingObjectError, Store
from caldav_run.repository.stores import open_store
from caldav_run.secret import MASK, Secret, redact
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer, scripted_server

PASSWORD = "hunter2-hunter2"
AZURE_KEY = base64.b64encode(PASSWORD.encode()).decode()
NOTHING = Answer(200, b"<ListBucketResult></ListBucketResult>")
UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the environment say nothing of any storage or proxy."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "AZURE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: NOTHING) as running:
        yield running


def keyed(url: str, **more: object) -> Storage:
    return Storage(
        endpoint=url.rstrip("/"),
        access_key_id="AKIATEST",
        secret_access_key=Secret.of(PASSWORD),
        **more,  # type: ignore[arg-type]
    )


def s3(url: str, **more: object) -> Store:
    return open_store("s3://backups/home", keyed(url, **more))


def refusing(status: int, code: str, more: str = "") -> Answer:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code>{more}</Error>"
    return Answer(status, body.encode(), {"Content-Type": "application/xml"})


def attempt(store: Store, action: str) -> None:
    actions: dict[str, Callable[[], object]] = {
        "list": lambda: list(store.list()),
        "read": lambda: store.get("a"),
        "write": lambda: store.put("a", b"1"),
        "delete": lambda: store.delete("a"),
    }
    actions[action]()


def failure(store: Store, action: str = "list") -> CaldavRunError:
    with pytest.raises(CaldavRunError) as caught:
        attempt(store, action)
    assert PASSWORD not in str(caught.value)
    return caught.value


ACTIONS = ("list", "read", "write", "delete")
REGION = "<Message>the region &apos;us-east-1&apos; is wrong</Message><Region>eu-central-1</Region>"


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (refusing(404, "NoSuchBucket"), 78, "s3://backups/home: there is no such bucket"),
        (refusing(403, "AccessDenied", "<Message>No</Message>"), 77, "AccessDenied: No"),
        (refusing(403, "InvalidAccessKeyId"), 77, "check the access key and its secret"),
        (refusing(403, "SignatureDoesNotMatch"), 77, "check the access key and its secret"),
        (Answer(401), 77, "status 401"),
        (Answer(407), 77, "asks for a user and a password"),
        (refusing(403, "RequestTimeTooSkewed"), 78, "set this machine's clock"),
        (refusing(400, "AuthorizationHeaderMalformed", REGION), 78, "region: eu-central-1; set"),
        (refusing(301, "PermanentRedirect"), 78, "another region; set AWS_REGION"),
        (Answer(301), 78, "another region; set AWS_REGION"),
        (refusing(400, "InvalidRequest"), 1, "InvalidRequest"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(
    server: ScriptedServer, action: str, answer: Answer, status: int, words: str
) -> None:
    server.script = lambda _: answer
    error = failure(s3(server.url), action)
    assert error.exit_status == status
    assert words in str(error)


def test_a_busy_service_is_asked_a_few_times(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(503)
    error = failure(s3(server.url), "write")
    assert (error.exit_status, len(server.asked)) == (75, 5)
    assert "is busy: status 503; try again later" in str(error)
    server.script = lambda _: refusing(429, "SlowDown")
    assert failure(s3(server.url)).exit_status == 75


def test_a_service_that_is_none_is_told(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(404, b"<html>nothing here</html>")
    assert "there is no such bucket (status 404)" in str(failure(s3(server.url)))
    server.script = lambda _: Answer(200, b"<html>welcome</html>")
    assert "its answer is not understood" in str(failure(s3(server.url), "write"))


def test_an_object_that_is_not_there_is_no_trouble_of_the_place(server: ScriptedServer) -> None:
    server.script = lambda _: refusing(404, "NoSuchKey")
    store = s3(server.url)
    with pytest.raises(MissingObjectError, match="a is missing from s3://backups/home"):
        store.get("a")
    store.delete("a")


def test_an_unreachable_service_is_temporary() -> None:
    error = failure(s3(UNREACHABLE), "write")
    assert error.exit_status == 75
    assert "cannot reach 127.0.0.1:9: the connection is refused" in str(error)


def test_a_silent_service_is_given_up(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(200, delay_s=0.3)
    error = failure(s3(server.url, timeout_s=0.01))
    assert error.exit_status == 75
    assert "there is no answer in time" in str(error)


def test_an_answer_that_breaks_off_is_temporary(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(200, b"x", broken=True)
    error = failure(s3(server.url), "read")
    assert error.exit_status == 75
    assert "it broke off" in str(error)


def test_ctrl_c_ends_a_request_that_waits(server: ScriptedServer) -> None:
    def interrupt(_: Asked) -> Answer:
        os.kill(os.getpid(), signal.SIGINT)
        return Answer(200, delay_s=5)

    server.script = interrupt
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            s3(server.url).put("a", b"1")
    finally:
        signal.signal(signal.SIGINT, before)
    assert threading.main_thread() is threading.current_thread()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Write a self-signed certificate for 127.0.0.1; return it and a server's use of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path, private = folder / "ca.pem", folder / "key.pem"
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, private)
    return path, context


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_a_private_authority_has_to_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, context = certificate(tmp_path)
    with scripted_server(lambda _: NOTHING, context) as secure:
        error = failure(s3(secure.url))
        assert error.exit_status == 1
        assert "its certificate is refused (UnknownIssuer)" in str(error)
        assert "set ca_file in `storage`" in str(error)
        assert list(s3(secure.url, ca_file=path).list()) == []
        monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
        assert list(s3(secure.url).list()) == []


def test_a_service_without_tls_is_told(server: ScriptedServer) -> None:
    error = failure(s3(server.url.replace("http://", "https://")))
    assert error.exit_status == 1
    assert "nothing speaks TLS there; check the port" in str(error)


def test_a_file_of_certificates_that_is_none_is_told(tmp_path: Path) -> None:
    missing = failure(s3("https://127.0.0.1:9", ca_file=tmp_path / "none.pem"))
    assert missing.exit_status == 78
    assert "none.pem cannot be read: No such file" in str(missing)
    (tmp_path / "ca.pem").write_text(
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    )
    broken = failure(s3("https://127.0.0.1:9", ca_file=tmp_path / "ca.pem"))
    assert broken.exit_status == 78
    assert "s3://backups/home cannot be used" in str(broken)


def test_a_service_beyond_this_machine_is_not_asked_without_tls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = failure(s3("http://minio.invalid:9000"))
    assert error.exit_status == 78
    assert "http://minio.invalid is not encrypted; use https://" in str(error)
    assert failure(s3("http://minio.invalid:9000", insecure=True)).exit_status == 75
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    assert failure(s3("http://minio.invalid:9000")).exit_status == 75


def test_this_machine_may_be_asked_without_tls_by_any_of_its_names(server: ScriptedServer) -> None:
    assert list(s3(server.url).list()) == []
    assert list(s3(server.url.replace("127.0.0.1", "localhost")).list()) == []


def test_missing_credentials_are_told_with_the_variables_to_set(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script = lambda _: Answer(503)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", server.url.rstrip("/"))
    error = failure(open_store("s3://backups", Storage(endpoint=UNREACHABLE)))
    assert error.exit_status == 77
    assert "there are no credentials for s3://backups" in str(error)
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in str(error)
    # What a machine outside of any cloud waits for is a matter of seconds.
    assert len(server.asked) <= 5


def test_a_machine_in_a_cloud_needs_no_keys(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    role = {
        "AccessKeyId": "AKIAROLE",
        "SecretAccessKey": PASSWORD,
        "Token": "t",
        "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }

    def cloud(asked: Asked) -> Answer:
        if not asked.path.startswith("/latest"):
            return NOTHING
        if asked.path.endswith("/role"):
            return Answer(200, json.dumps(role).encode())
        return Answer(200, b"role")

    server.script = cloud
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", server.url.rstrip("/"))
    store = open_store("s3://backups", Storage(endpoint=server.url.rstrip("/")))
    assert list(store.list()) == []
    assert "AKIAROLE" in server.asked[-1].headers["authorization"]


def test_the_environment_says_what_the_pipeline_leaves_open(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", PASSWORD)
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url.rstrip("/"))
    list(open_store("s3://backups/home").list())
    assert "AKIAENV" in server.asked[-1].headers["authorization"]
    assert "/eu-north-1/" in server.asked[-1].headers["authorization"]
    # A secret that the environment holds is masked like those of a pipeline.
    assert redact(f"it is {PASSWORD}") == f"it is {MASK}"


def test_the_pipeline_wins_over_the_environment(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, UNREACHABLE)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    list(s3(server.url, region="eu-central-1", session_token=Secret.of("token")).list())
    headers = server.asked[-1].headers
    assert "AKIATEST" in headers["authorization"]
    assert "/eu-central-1/" in headers["authorization"]
    assert headers["x-amz-security-token"] == "token"


def test_a_named_profile_is_read_as_aws_does(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text(
        f"[nightly]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = {PASSWORD}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "nightly")
    store = open_store("s3://backups", Storage(endpoint=server.url.rstrip("/")))
    assert list(store.list()) == []
    assert "AKIAPROFILE" in server.asked[-1].headers["authorization"]


def test_a_named_profile_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "nightly")
    error = failure(open_store("s3://backups"))
    assert error.exit_status == 78
    assert "the profile nightly" in str(error)


SIGNED_OUT = """\
[profile nightly]
sso_session = home
sso_account_id = 123456789012
sso_role_name = backup
[sso-session home]
sso_start_url = https://sign-in.invalid/start
sso_region = eu-central-1
"""


def test_a_named_profile_that_is_signed_out_is_told(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(SIGNED_OUT)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "nightly")
    error = failure(open_store("s3://backups", Storage(endpoint=server.url.rstrip("/"))))
    assert error.exit_status == 77
    assert "gives no keys for s3://backups (SSOTokenLoadError); sign in again" in str(error)


def test_a_named_profile_needs_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nightly")
    monkeypatch.setitem(sys.modules, "obstore.auth.boto3", None)
    error = failure(open_store("s3://backups"))
    assert error.exit_status == 78
    assert "pip install 'caldav-run[aws]'" in str(error)


def test_a_missing_secret_is_told_when_it_is_needed(server: ScriptedServer) -> None:
    def look_up() -> str:
        raise SetupError("p.yaml:3:4: the environment variable KEY is not set")

    storage = Storage(
        endpoint=server.url, access_key_id="AKIATEST", secret_access_key=Secret(look_up)
    )
    store = open_store("s3://backups", storage)
    assert "KEY is not set" in str(failure(store))
    assert server.asked == []


def test_nothing_of_a_secret_is_shown() -> None:
    assert PASSWORD not in repr(keyed("https://127.0.0.1:9"))


def test_the_bucket_stands_in_the_path_or_in_the_hosts_name(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The proxy shows the address that is asked for, and needs no host of that name.
    monkeypatch.setenv("HTTP_PROXY", server.url)
    for path_style, start in {
        True: "http://minio.invalid:9000/backups?",
        None: "http://minio.invalid:9000/backups?",
        False: "http://backups.minio.invalid:9000/?",
    }.items():
        store = s3("http://minio.invalid:9000", insecure=True, path_style=path_style)
        assert list(store.list()) == []
        assert server.asked[-1].path.startswith(start)


def test_an_object_is_sent_in_one_request_with_its_checksum(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(200, headers={"ETag": '"1"'})
    s3(server.url).put("a/b", b"x" * (17 << 20))
    assert server.methods() == ["PUT /backups/home/a/b"]
    headers = server.asked[0].headers
    assert len(base64.b64decode(headers["x-amz-checksum-sha256"])) == 32
    assert headers["user-agent"].startswith("caldav-run/")
    # Nothing rests on conditions, which some services ignore in silence.
    assert not headers.keys() & {"if-match", "if-none-match"}


def test_a_deletion_asks_for_one_object(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(204)
    s3(server.url).delete("a/b")
    assert server.methods() == ["DELETE /backups/home/a/b"]


def test_a_proxy_is_asked_where_the_environment_names_one(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    store = s3("http://minio.invalid:9000", insecure=True)
    assert list(store.list()) == []
    assert server.asked[-1].path.startswith("http://minio.invalid:9000/backups?")
    server.script = lambda _: Answer(407)
    assert "the proxy on the way to minio.invalid:9000" in str(failure(store))


def test_a_proxy_that_is_gone_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", UNREACHABLE)
    error = failure(s3("https://minio.invalid"))
    assert error.exit_status == 75
    assert "HTTPS_PROXY is set" in str(error)


BLOBS = """<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>{}</Blobs>
<NextMarker/></EnumerationResults>"""
BLOB = """<Blob><Name>home/{}</Name><Properties><Content-Length>1</Content-Length>
<Content-Type>x</Content-Type><Etag>1</Etag>
<Last-Modified>Fri, 01 May 2026 08:00:00 GMT</Last-Modified></Properties></Blob>"""


def azure(url: str, **more: object) -> Store:
    key = Secret.of(AZURE_KEY)
    storage = Storage(endpoint=url.rstrip("/"), account="alice", account_key=key, **more)  # type: ignore[arg-type]
    return open_store("az://backups/home", storage)


def test_a_container_of_azure_knows_no_start_and_no_order(server: ScriptedServer) -> None:
    found = "".join(BLOB.format(name) for name in ("a/1", "a/2", "a-b", "b"))
    server.script = lambda _: Answer(200, BLOBS.format(found).encode())
    listed = list(azure(server.url).list(after="a-b"))
    assert [each.name for each in listed] == ["a/1", "a/2", "b"]
    assert {each.modified for each in listed} == {dt.datetime(2026, 5, 1, 8, tzinfo=dt.UTC)}
    assert server.asked[0].path.startswith("/backups?")


def test_a_container_of_azure_takes_a_key_or_a_signature(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(200, BLOBS.format("").encode())
    list(azure(server.url).list())
    assert server.asked[-1].headers["authorization"].startswith("SharedKey alice:")
    signature = Secret.of(f"sv=2024-11-04&sig={PASSWORD}")
    storage = Storage(endpoint=server.url.rstrip("/"), account="alice", sas_token=signature)
    list(open_store("az://backups", storage).list())
    assert f"sig={PASSWORD}" in server.asked[-1].path
    # It stands in the address of each request, which no message repeats.
    server.script = lambda _: refusing(403, "AuthenticationFailed")
    error = failure(open_store("az://backups", storage))
    assert error.exit_status == 77
    server.script = lambda _: Answer(503)
    assert failure(open_store("az://backups", storage)).exit_status == 75


def test_a_container_of_azure_has_failures_of_its_own(server: ScriptedServer) -> None:
    server.script = lambda _: refusing(404, "ContainerNotFound")
    for action in ACTIONS:
        assert failure(azure(server.url), action).exit_status == 78
    error = failure(open_store("az://backups"))
    assert error.exit_status == 78
    assert "set storage.account or AZURE_STORAGE_ACCOUNT_NAME" in str(error)


def google_key(server: ScriptedServer) -> Secret:
    key = {
        "type": "service_account",
        "client_email": "backup@example.org",
        "private_key_id": "1",
        "private_key": pem(rsa.generate_private_key(65537, 2048)).decode(),
        "gcs_base_url": server.url.rstrip("/"),
        "disable_oauth": True,
    }
    return Secret.of(json.dumps(key))


def test_a_bucket_of_google_is_asked_with_a_service_account(server: ScriptedServer) -> None:
    storage = Storage(endpoint=server.url.rstrip("/"), service_account=google_key(server))
    store = open_store("gs://backups/home", storage)
    assert list(store.list("a/", "a/1")) == []
    assert server.asked[-1].path.startswith("/backups?")
    assert "start-after=home%2Fa%2F1" in server.asked[-1].path
    server.script = lambda _: refusing(404, "NoSuchBucket")
    assert failure(store, "write").exit_status == 78


def test_a_key_that_is_none_is_told_and_not_shown() -> None:
    store = open_store("gs://backups", Storage(service_account=Secret.of(f"{{{PASSWORD}")))
    error = failure(store)
    assert error.exit_status == 78
    assert "gs://backups cannot be used" in str(error)
