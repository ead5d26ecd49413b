"""Files go into an object and come out of it."""

import subprocess
import tarfile
from pathlib import Path

import pytest

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository import age, envelope, tar, zstd

IDENTITY, SECRET = age.new_identity()
FILES = {"a.json": b"{}", "folder/b.bin": bytes(range(256)) * 3000, "empty": b""}
MTIME = 1_777_000_000


def sealed(files: dict[str, bytes] = FILES) -> tuple[str, bytes]:
    parts = envelope.Envelope(MTIME)
    for name, content in files.items():
        parts.add(name, content)
    stored = parts.seal([IDENTITY.recipient])
    return f"a/pack-{envelope.sha256(stored)}.tar.zst.age", stored


def unpacked(name: str, archive: bytes) -> dict[str, bytes]:
    return dict(envelope.unpack(name, archive, lambda *_: True))


def test_files_come_back_in_their_order() -> None:
    name, stored = sealed()
    found = unpacked(name, envelope.unseal(name, stored, [IDENTITY]))
    assert list(found.items()) == list(FILES.items())


def test_a_file_may_come_in_pieces() -> None:
    parts = envelope.Envelope(MTIME)
    parts.add_chunks("a", 700, [b"1" * 600, b"", b"2" * 100])
    parts.add("b", b"3")
    stored = parts.seal([IDENTITY.recipient])
    name = f"a/pack-{envelope.sha256(stored)}.tar.zst.age"
    found = unpacked(name, envelope.unseal(name, stored, [IDENTITY]))
    assert found == {"a": b"1" * 600 + b"2" * 100, "b": b"3"}


def test_other_programs_unpack_an_object(tmp_path: Path) -> None:
    _, stored = sealed()
    key, packed, archive = tmp_path / "key", tmp_path / "a.zst", tmp_path / "a.tar"
    key.write_text(SECRET)
    opened = ["age", "--decrypt", "--identity", str(key), "--output", str(packed)]
    subprocess.run(opened, input=stored, check=True)
    subprocess.run(["zstd", "-q", "-d", str(packed), "-o", str(archive)], check=True)
    with tarfile.open(archive) as found:
        assert found.getnames() == list(FILES)
        assert {each.mtime for each in found} == {MTIME}


def test_only_wanted_files_are_unpacked_and_told_with_their_size() -> None:
    name, stored = sealed()
    told: list[tuple[str, int]] = []

    def wanted(each: str, size: int) -> bool:
        told.append((each, size))
        return each == "empty"

    archive = envelope.unseal(name, stored, [IDENTITY])
    assert list(envelope.unpack(name, archive, wanted)) == [("empty", b"")]
    assert told == [(each, len(content)) for each, content in FILES.items()]


def test_what_a_size_tells_is_rounded() -> None:
    archive = envelope.unseal(*sealed(), [IDENTITY])
    assert len(archive) == zstd.padme(len(archive))


def test_an_altered_object_is_damaged_before_it_is_decrypted() -> None:
    name, stored = sealed()
    with pytest.raises(DamageError, match=f"^{name} is damaged: its content does not match"):
        envelope.unseal(name, stored[:-1], [])


def test_no_other_identity_opens_an_object() -> None:
    name, stored = sealed()
    other, _ = age.new_identity()
    with pytest.raises(SetupError, match=f"none of the given identities opens {name}") as found:
        envelope.unseal(name, stored, [other])
    assert "--identity" in (found.value.mend or "")
    assert unpacked(name, envelope.unseal(name, stored, [other, IDENTITY])) == FILES


@pytest.mark.parametrize("cut", [tar.BLOCK // 2, tar.BLOCK + 1])
def test_an_archive_that_breaks_off_is_damaged_under_its_objects_name(cut: int) -> None:
    whole = tar.header("a", 600, 0) + bytes(1000)
    compressor = zstd.Compressor()
    compressor.feed(whole[:cut])
    archive = compressor.finish()
    with pytest.raises(DamageError, match=r"^the/name is damaged: its tar archive is cut off"):
        unpacked("the/name", archive)
