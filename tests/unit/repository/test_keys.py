import stat
from pathlib import Path

import pytest

from caldav_run import secret
from caldav_run.errors import SetupError
from caldav_run.repository import age, keys


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return keys.create_keys(tmp_path / "config" / "caldav-run").folder


def test_keys_are_private_from_their_first_instant(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}
    assert modes == {"identity.txt": 0o600, "recipients.txt": 0o600, "writer.key": 0o600}


@pytest.mark.parametrize("name", [keys.IDENTITY, keys.RECIPIENTS, keys.WRITER])
def test_no_key_is_ever_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(SetupError, match="not overwritten"):
        keys.create_keys(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot write keys"):
        keys.create_keys(tmp_path / "file" / "below")


def test_what_was_written_is_read_back(folder: Path) -> None:
    writer = keys.load_writer(folder / keys.WRITER)
    keyring = keys.load_keyring([folder / keys.IDENTITY], ["SHA256:other"])
    recipients = keys.load_recipients(folder / keys.RECIPIENTS)
    assert keyring.trusted == {writer.signer.fingerprint, "SHA256:other"}
    assert [each.recipient for each in keyring.identities] == list(recipients)
    assert age.unseal(age.seal(b"x", recipients), keyring.identities) == b"x"


def test_no_secret_shows(folder: Path) -> None:
    writer = keys.load_writer(folder / keys.WRITER)
    keyring = keys.load_keyring([folder / keys.IDENTITY])
    text = (folder / keys.WRITER).read_text() + (folder / keys.IDENTITY).read_text()
    secrets = [line.split(": ")[-1] for line in text.splitlines() if not line.startswith("#")]
    shown = repr(writer) + repr(keyring)
    assert len(secrets) == 4
    assert not [each for each in secrets if each in shown]
    assert all(secret.redact(each) == secret.MASK for each in secrets)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"CALDAV_RUN_CONFIG_DIR": "/etc/x", "XDG_CONFIG_HOME": "/y"}, Path("/etc/x")),
        ({"XDG_CONFIG_HOME": "/y"}, Path("/y/caldav-run")),
        ({}, Path.home() / ".config/caldav-run"),
    ],
)
def test_keys_lie_where_the_environment_says(environment: dict[str, str], expected: Path) -> None:
    assert keys.default_folder(environment) == expected


def test_a_user_without_a_home_has_to_name_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: type[Path]) -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", classmethod(nowhere))
    with pytest.raises(SetupError, match="CALDAV_RUN_CONFIG_DIR"):
        keys.default_folder({})


@pytest.mark.parametrize("load", [keys.load_writer, keys.load_recipients])
def test_a_missing_file_is_named_with_its_mend(tmp_path: Path, load: object) -> None:
    assert callable(load)
    with pytest.raises(SetupError, match=r"there is no .* file .*caldav-run create"):
        load(tmp_path / "none")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot read the identity file"):
        keys.load_keyring([tmp_path])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "signer-seed: AAAA\nname-key: 00\nmetadata-key: x",
        "signer-seed: !\nname-key: 00\nmetadata-key: x",
        "signer-seed: AAAA\nname-key: zz\nmetadata-key: x",
    ],
)
def test_a_broken_writer_key_is_said_to_be_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / keys.WRITER
    path.write_text(text)
    with pytest.raises(SetupError, match="is no writer key"):
        keys.load_writer(path)


@pytest.mark.parametrize("text", ["", "# nothing\n", "AGE-SECRET-KEY-1WRONG\n"])
def test_a_file_without_a_usable_identity_is_said_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "identity.txt"
    path.write_text(text)
    with pytest.raises(SetupError, match="no usable age identity") as caught:
        keys.load_keyring([path])
    assert "WRONG" not in str(caught.value)


def test_a_file_without_a_recipient_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "recipients.txt"
    path.write_text("# none\n")
    with pytest.raises(SetupError, match="no age recipient"):
        keys.load_recipients(path)


def test_an_identity_among_recipients_is_not_shown(folder: Path) -> None:
    with pytest.raises(SetupError, match="an identity, which is secret") as caught:
        keys.load_recipients(folder / keys.IDENTITY)
    assert "AGE-SECRET" not in str(caught.value)


def test_a_wrong_recipient_is_shown() -> None:
    with pytest.raises(SetupError, match="here: 'age1x' is no age recipient"):
        age.check_recipient("age1x", "here")


def test_a_file_without_an_end_is_no_key_file() -> None:
    with pytest.raises(SetupError, match="no identity file is"):
        keys.load_keyring([Path("/dev/zero")])
