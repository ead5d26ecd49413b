"""A document counts when a trusted signer signed these bytes for this purpose."""

import pytest

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository import signed
from caldav_run.repository.sshsig import Signer

SIGNER = Signer.from_seed(bytes(range(32)))
TOLD = {"name": "Größe", "list": [1, {}]}
TEXT = '{"name":"Größe","list":[1,{}]}'.encode()
TRUSTED = {SIGNER.fingerprint}


def opened(
    text: bytes = TEXT, namespace: str = "space", trusted: set[str] = TRUSTED
) -> dict[str, object]:
    return signed.open_document("the/name", "space", text, SIGNER.sign(namespace, text), trusted)


def test_a_document_is_stored_as_plain_short_text() -> None:
    assert signed.encode(TOLD) == TEXT


def test_a_document_is_read_back_with_its_signer() -> None:
    assert opened() == {**TOLD, "signer": SIGNER.fingerprint}


def test_a_document_cannot_name_its_own_signer() -> None:
    assert opened(b'{"signer":"me"}')["signer"] == SIGNER.fingerprint


def test_a_signature_for_another_purpose_does_not_count() -> None:
    with pytest.raises(DamageError, match=r"^the/name is not used"):
        opened(namespace="elsewhere")


def test_a_signer_that_is_not_trusted_is_named_and_nothing_is_read() -> None:
    with pytest.raises(SetupError, match=r"^the/name is signed by ") as found:
        opened(b"no JSON", trusted=set())
    assert f"signed by {SIGNER.fingerprint}," in str(found.value)
    assert f"--trust {SIGNER.fingerprint}" in (found.value.mend or "")


@pytest.mark.parametrize("text", [b"no JSON", b"[" * 100_000, b"[]", b"null", b'"text"'])
def test_what_is_signed_and_no_document_is_damaged(text: bytes) -> None:
    with pytest.raises(DamageError, match=r"^the/name is damaged"):
        opened(text)
