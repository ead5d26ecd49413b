"""Passphrase bundles: real ones, which cost seconds of work each, and hostile ones."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository import age, bundles, names
from caldav_run.repository.envelope import sha256
from caldav_run.repository.keys import keyring_of, load_keyring
from caldav_run.repository.local import LocalStore
from caldav_run.repository.opening import Means, open_keyring
from caldav_run.secret import Secret
from caldav_run.testing.vault import Vault

PASSPHRASE = "seven tame otters knit"


@pytest.fixture(scope="module")
def text() -> str:
    return f"# trusted-signer: SHA256:{'A' * 43}\n{age.new_identity()[1]}\n"


@pytest.fixture(scope="module")
def sealed(text: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    store = LocalStore(tmp_path_factory.mktemp("store"))
    name = bundles.add(store, text, PASSPHRASE)
    return name, store.get(name)


@pytest.fixture
def store(tmp_path: Path, sealed: tuple[str, bytes]) -> LocalStore:
    store = LocalStore(tmp_path)
    store.put(*sealed)
    return store


def put(store: LocalStore, data: bytes) -> str:
    name = names.bundle_name(sha256(data))
    store.put(name, data)
    return name


def test_the_passphrase_gives_back_the_identity_file(store: LocalStore, text: str) -> None:
    ((place, found),) = bundles.unlock_any(store, PASSPHRASE).items()
    assert found == text
    assert place.endswith(f".age in {store.location}")
    assert keyring_of({place: found}).trusted == {f"SHA256:{'A' * 43}"}


def test_another_passphrase_is_said_to_be_wrong(store: LocalStore) -> None:
    with pytest.raises(SetupError, match=r"the passphrase does not open keys/.*\.age") as caught:
        bundles.unlock_any(store, "something else")
    assert "something else" not in str(caught.value)


def test_a_place_without_bundles_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no key in .* is protected by a passphrase"):
        bundles.unlock_any(LocalStore(tmp_path), PASSPHRASE)


def test_a_damaged_bundle_is_named_and_another_one_opens(
    store: LocalStore, sealed: tuple[str, bytes]
) -> None:
    damaged = names.bundle_name("0" * 64)
    store.put(damaged, sealed[1][:-1])
    assert bundles.unlock_any(store, PASSPHRASE)
    store.delete(sealed[0])
    with pytest.raises(DamageError, match=f"{damaged} is damaged"):
        bundles.unlock_any(store, PASSPHRASE)


def test_a_bundle_that_asks_for_endless_work_is_refused_at_once(
    tmp_path: Path, sealed: tuple[str, bytes]
) -> None:
    for factor in (23, 63):
        store = LocalStore(tmp_path / str(factor))
        hostile = re.sub(rb"(-> scrypt \S+ )\d+", rb"\g<1>%d" % factor, sealed[1])
        name = put(store, hostile)
        with pytest.raises(DamageError, match=f"{name} is not used: it asks for 2.{factor} steps"):
            bundles.unlock_any(store, PASSPHRASE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"age-encryption.org/v1\n-> scrypt short 18\n",
        b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 018\n",
        b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 100\n",
        age.seal(b"x", [age.new_identity()[0].recipient]),
    ],
)
def test_what_is_no_bundle_is_named(tmp_path: Path, data: bytes) -> None:
    store = LocalStore(tmp_path)
    name = put(store, data)
    with pytest.raises(DamageError, match=f"{name} is not used: it is not sealed with"):
        bundles.unlock_any(store, PASSPHRASE)


def test_a_huge_bundle_is_not_even_fetched(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    name = put(store, bytes((1 << 20) + 1))
    with pytest.raises(DamageError, match=f"{name} is not used: no key bundle has 1048577 bytes"):
        bundles.unlock_any(store, PASSPHRASE)


def test_a_bundle_that_holds_no_text_is_named(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The work of a real one is tested above.
    monkeypatch.setattr(age, "unseal_with_passphrase", lambda *_: b"\xff")
    with pytest.raises(DamageError, match="is not used: it holds no text"):
        bundles.unlock_any(store, PASSPHRASE)


def test_how_many_bundles_do_not_open_is_said(
    store: LocalStore, sealed: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> bytes:
        raise age.WrongPassphraseError

    monkeypatch.setattr(age, "unseal_with_passphrase", wrong)
    put(store, sealed[1] + b"more")
    with pytest.raises(SetupError, match="opens none of the 2 key bundles"):
        bundles.unlock_any(store, PASSPHRASE)


def test_the_newest_bundle_is_tried_first(store: LocalStore, sealed: tuple[str, bytes]) -> None:
    newer = put(store, b"newer")
    (Path(store.location) / sealed[0]).touch()
    os.utime(Path(store.location) / sealed[0], (1, 1))
    store.put("keys/else.txt", b"")
    assert [each.name for each in bundles.listed(store)] == [newer, sealed[0]]


@pytest.mark.parametrize(
    ("weak", "reason"),
    [
        ("", "is empty"),
        ("              ", "is empty"),
        ("elevenchars", "has 11 characters"),
        ("aaaabbbbccccdddd", "has 4 different characters"),
    ],
)
def test_a_weak_passphrase_is_refused_with_a_reason(
    tmp_path: Path, text: str, weak: str, reason: str
) -> None:
    store = LocalStore(tmp_path)
    with pytest.raises(SetupError, match=f"the passphrase {reason}"):
        bundles.add(store, text, weak)
    assert list(store.list()) == []


def test_what_is_no_identity_is_not_stored(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with pytest.raises(SetupError, match="no usable age identity"):
        bundles.add(store, "# nothing\n", PASSPHRASE)
    assert list(store.list()) == []


def test_a_store_that_gives_back_another_bundle_is_not_relied_on(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(age, "seal_with_passphrase", lambda *_: b"sealed")
    monkeypatch.setattr(age, "unseal_with_passphrase", lambda *_: b"another")
    with pytest.raises(DamageError, match="does not come back as it was"):
        bundles.add(LocalStore(tmp_path), text, PASSPHRASE)


def test_the_program_age_opens_a_bundle(store: LocalStore, sealed: tuple[str, bytes]) -> None:
    path = Path(store.location) / sealed[0]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["setsid", "--ctty", "age", "-d", str(path)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as program:
        os.write(ours, f"{PASSPHRASE}\n".encode())
        opened, _ = program.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert opened.decode() == bundles.unlock(store, sealed[0], PASSPHRASE)


@pytest.fixture
def without_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CALDAV_RUN_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


def never() -> str:
    raise AssertionError


@pytest.mark.usefixtures("without_default")
def test_a_passphrase_opens_where_no_identity_is_given(store: LocalStore) -> None:
    trust = f"SHA256:{'B' * 43}"
    means = Means(passphrase=Secret.of(PASSPHRASE), asked=Secret(never), trust=[trust])
    keyring = open_keyring(store, means)
    assert len(keyring.identities) == 1
    assert keyring.trusted == {trust, f"SHA256:{'A' * 43}"}


@pytest.mark.usefixtures("without_default")
def test_somebody_is_asked_where_there_is_no_identity_file(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(bundles, "unlock_any", lambda _, passphrase: {passphrase: text})
    assert open_keyring(store, Means(asked=Secret.of(PASSPHRASE))).identities


def test_nobody_is_asked_in_vain(
    store: LocalStore, tmp_path: Path, without_default: Path, text: str
) -> None:
    """Not without a bundle, and not where an identity file is named or in its usual place."""
    asked = Secret(never)
    with pytest.raises(SetupError, match="there is no identity file"):
        open_keyring(LocalStore(tmp_path / "none"), Means(asked=asked))
    with pytest.raises(SetupError, match="there is no identity file"):
        open_keyring(store, Means())
    named = tmp_path / "named.txt"
    named.write_text(text)
    assert open_keyring(store, Means(identities=[named], asked=asked)).identities
    without_default.mkdir()
    named.rename(without_default / "identity.txt")
    assert open_keyring(store, Means(asked=asked)).identities


def test_an_identity_is_tried_on_the_newest_run_record_if_there_is_one(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    stranger = age.new_identity()[0]
    assert bundles.opens_newest(vault.local, [stranger])
    vault.fill()
    own = load_keyring([vault.keys / "identity.txt"]).identities
    assert bundles.opens_newest(vault.local, own)
    assert not bundles.opens_newest(vault.local, [stranger])
