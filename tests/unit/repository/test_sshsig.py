import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.repository.broken import FormatError
from caldav_run.repository.sshsig import Signer, fingerprint, verify

SIGNER = Signer.from_seed(bytes(range(32)))


def test_a_signature_names_its_signer() -> None:
    assert verify("space", b"text", SIGNER.sign("space", b"text")) == SIGNER.fingerprint


def test_a_fingerprint_is_the_keys_hash_without_padding() -> None:
    for number in range(256):
        public = bytes([number])
        digest = base64.b64encode(hashlib.sha256(public).digest()).decode()
        assert fingerprint(public) == f"SHA256:{digest[:43]}"


@pytest.mark.parametrize(
    "cut", [(b"-----BEGIN SSH SIGNATURE-----", b""), (b"-----END SSH SIGNATURE-----", b"")]
)
def test_half_an_armor_is_none(cut: tuple[bytes, bytes]) -> None:
    with pytest.raises(FormatError, match="no armor"):
        verify("space", b"text", SIGNER.sign("space", b"text").replace(*cut))


def test_a_signature_without_armor_is_none() -> None:
    bare = b"".join(SIGNER.sign("space", b"text").splitlines()[1:-1])
    with pytest.raises(FormatError, match="no armor"):
        verify("space", b"text", bare)


@pytest.mark.parametrize(("namespace", "message"), [("other", b"text"), ("space", b"other")])
def test_a_signature_is_good_for_one_message_in_one_namespace(
    namespace: str, message: bytes
) -> None:
    with pytest.raises(FormatError):
        verify(namespace, message, SIGNER.sign("space", b"text"))


@given(data=st.data())
def test_no_altered_signature_is_believed_and_none_crashes(data: st.DataObject) -> None:
    armored = bytearray(SIGNER.sign("space", b"text"))
    at = data.draw(st.integers(0, len(armored) - 2))
    old = armored[at]
    armored[at] = data.draw(st.integers(0, 255).filter(lambda new: new != old))
    try:
        # White space between the lines of the armor means nothing.
        assert verify("space", b"text", bytes(armored)) == SIGNER.fingerprint
        assert bytes([old]).isspace()
        assert bytes([armored[at]]).isspace()
    except FormatError:
        pass


def armor(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    return b"-----BEGIN SSH SIGNATURE-----\n" + text + b"\n-----END SSH SIGNATURE-----\n"


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    "armored",
    [
        b"",
        b"text",
        b"-----BEGIN SSH SIGNATURE-----",
        b"-----BEGIN SSH SIGNATURE-----\n!\n-----END SSH SIGNATURE-----",
        b"-----BEGIN SSH SIGNATURE-----\nQR==\n-----END SSH SIGNATURE-----",
        armor(b""),
        armor(b"SSHSIG\x00\x00\x00\x02"),
        armor(b"SSHSIG\x00\x00\x00\x01\xff\xff\xff\xff"),
        armor(
            b"SSHSIG\x00\x00\x00\x01"
            + string(string(b"ssh-rsa") + string(b"key"))
            + string(b"space")
            + string(b"")
            + string(b"sha512")
            + string(string(b"ssh-rsa") + string(b"signature"))
        ),
    ],
)
def test_what_is_no_signature_is_refused(armored: bytes) -> None:
    with pytest.raises(FormatError):
        verify("space", b"text", armored)
