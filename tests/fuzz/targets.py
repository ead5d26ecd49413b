"""What the fuzzers feed: every parser of what lies in a store.

A target takes any bytes. It may raise nothing: the errors that the parsers document are caught, and
what is valid has to come back the same when it is written again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository import (
    age,
    create,
    envelope,
    header,
    keys,
    names,
    rows,
    runs,
    segment,
    sshsig,
    tar,
    tombstone,
    zstd,
)
from caldav_run.repository.broken import FormatError
from caldav_run.repository.local import LocalStore
from caldav_run.repository.names import GenerationName
from caldav_run.repository.sshsig import Signer

GOLDEN: Final = Path(__file__).parents[1] / "golden"
SIGNER: Final = Signer.from_seed(bytes(32))
TRUSTED: Final = {SIGNER.fingerprint}
REPOSITORY: Final = "94be00244ceb780f3acd"
TIME: Final = names.parse_compact("20260101T070000Z")
WRITER: Final = names.writer_of(SIGNER.fingerprint)
GENERATION: Final = GenerationName(f"20260101T070000Z-{WRITER}-3fa2d2", "0" * 20, WRITER, TIME)
LIMIT: Final = 1 << 20


def row(data: bytes) -> None:
    """One line of rows."""
    with suppress(FormatError):
        found = rows.checked(data)
        assert rows.checked(rows.encode(found)) == found
        assert rows.decode(rows.encode(found)) == found
        assert found.item_uid != ""
        assert found.properties.id == found.calendar
        assert found.kind


def archive(data: bytes) -> None:
    """A tar archive."""
    with suppress(FormatError):
        found = list(tar.members([data[:7], b"", data[7:]], lambda _, size: size <= LIMIT))
        again = b"".join(_file(name, content) for name, content in found if _fits(name))
        wanted = [each for each in found if _fits(each[0])]
        assert list(tar.members([again, tar.END], lambda *_: True)) == wanted


def object_name(data: bytes) -> None:
    """The name of an object."""
    name = data.decode("utf-8", "replace")
    if found := names.parse_segment(name):
        made = found.generation.segment(found.number, found.time, found.sha256)
        assert made == name == found.name
    if generation := names.parse_pack(name):
        assert generation.pack(names.sha256_of(name)) == name
    if run := names.parse_run(name):
        made = names.run_name(run.time, run.writer, names.sha256_of(name))
        assert made.partition("/")[2].partition("/")[2] == name.rpartition("/")[2]
    if grave := names.parse_tombstone(name):
        assert grave.generation.tombstone(grave.time, name[-64:]) == name
    member = names.member(1, name, name)
    assert tar.header(member, 0, 0)
    assert ".." not in member.split("/")


def signature(data: bytes) -> None:
    """An armored SSH signature."""
    with suppress(FormatError):
        assert sshsig.verify("caldav-run-segment", b"", data).startswith("SHA256:")


def frames(data: bytes) -> None:
    """Zstandard frames."""
    with suppress(FormatError):
        content = b"".join(zstd.inflate(data, LIMIT))
        compressor = zstd.Compressor()
        compressor.feed(content)
        padded = zstd.padded(compressor.finish())
        assert len(padded) == zstd.padme(len(padded))
        assert b"".join(zstd.inflate(padded, LIMIT)) == content


def whole_segment(data: bytes) -> None:
    """A signed segment: its document, a zero byte, and its rows."""
    document, _, changes = data.partition(b"\0")
    digest = hashlib.sha256(changes).hexdigest().encode()
    document = document.replace(b"CHANGES", digest)
    files = {
        segment.DOCUMENT: document,
        segment.SIGNATURE: SIGNER.sign(segment.NAMESPACE, document),
    }
    stored = _sealed({**files, segment.CHANGES: changes})
    name = names.parse_segment(GENERATION.segment(0, TIME, envelope.sha256(stored)))
    assert name is not None
    with suppress(DamageError, SetupError):
        found = segment.open_segment(name, stored, (_identity(),), TRUSTED, REPOSITORY)
        assert header.decode_entry(header.encode_entry(found.entry())) == found.entry()
        assert len(list(found.rows())) >= 0


def run_record(data: bytes) -> None:
    """A signed run record."""
    stored = _sealed({runs.DOCUMENT: data, runs.SIGNATURE: SIGNER.sign(runs.NAMESPACE, data)})
    name = names.parse_run(names.run_name(TIME, WRITER, envelope.sha256(stored)))
    assert name is not None
    with suppress(DamageError, SetupError):
        found = runs.open_run(name, stored, (_identity(),), TRUSTED, REPOSITORY)
        assert found.writer == WRITER


def grave(data: bytes) -> None:
    """A signed tombstone."""
    signed = SIGNER.sign(tombstone.NAMESPACE, data)
    stored = _file(tombstone.DOCUMENT, data) + _file(tombstone.SIGNATURE, signed) + tar.END
    name = names.parse_tombstone(GENERATION.tombstone(TIME, envelope.sha256(stored)))
    assert name is not None
    with suppress(DamageError, SetupError):
        found = tombstone.open_tombstone(name, stored, TRUSTED, REPOSITORY)
        assert found.generation == GENERATION


def marker(data: bytes) -> None:
    """What a repository is known by."""

    class Store(LocalStore):
        def get(self, name: str) -> bytes:
            assert name == names.MARKER
            return data

    with suppress(SetupError):
        assert isinstance(create.repository_id(Store(GOLDEN)), str)


def identity_file(data: bytes) -> None:
    """The text of an identity file, which may come out of a bundle in the store."""
    with suppress(SetupError):
        found = keys.keyring_of({"a file": data.decode("utf-8", "replace")})
        assert found.identities


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    each.__name__: each
    for each in (
        row,
        archive,
        object_name,
        signature,
        frames,
        whole_segment,
        run_record,
        grave,
        marker,
        identity_file,
    )
}


def seeds() -> dict[str, list[bytes]]:
    """Return what each target begins with: parts of golden repositories."""
    found: dict[str, list[bytes]] = {name: [] for name in TARGETS}
    found["identity_file"] += [each.read_bytes() for each in GOLDEN.rglob("identity.txt")]
    opened = keys.load_keyring([GOLDEN / "keys" / "daily.txt"]).identities
    for folder in ("small", "healthy", "later-additions", "tombstone-of-an-expired-one"):
        store = LocalStore(GOLDEN / folder / "repository")
        found["marker"].append(store.get(names.MARKER))
        for each in list(store.list())[:40]:
            found["object_name"].append(each.name.encode())
            data = store.get(each.name)
            if each.name.endswith(".age"):
                compressed = age.unseal(data, opened)
                found["frames"].append(compressed)
                data = b"".join(zstd.inflate(compressed, LIMIT))
            if each.name not in {names.MARKER, names.README}:
                found["archive"].append(data)
                _add(found, dict(tar.members([data], lambda *_: True)))
    return found


def _add(found: dict[str, list[bytes]], files: Mapping[str, bytes]) -> None:
    changes = files.get(segment.CHANGES, b"")
    found["row"] += changes.splitlines()
    for name, content in files.items():
        if name.endswith(".sig"):
            found["signature"].append(content)
    for document, target in (
        (segment.DOCUMENT, "whole_segment"),
        (runs.DOCUMENT, "run_record"),
        (tombstone.DOCUMENT, "grave"),
    ):
        if document in files:
            found[target].append(_here(files[document], changes, target))


def _here(document: bytes, changes: bytes, target: str) -> bytes:
    """Return a document as one of the place that the targets read it at."""
    said = json.loads(document)
    said |= {"repository": REPOSITORY, "time": "2026-01-01T07:00:00Z"}
    if target != "run_record":
        said |= {"stream": GENERATION.stream, "generation": GENERATION.name}
    if target != "whole_segment":
        return json.dumps(said).encode()
    said |= {"number": 0, "changes": "CHANGES"}
    return json.dumps(said).encode() + b"\0" + changes


def _file(name: str, content: bytes) -> bytes:
    return tar.header(name, len(content), 0) + content + tar.padding(len(content))


def _fits(name: str) -> bool:
    try:
        tar.header(name, 0, 0)
    except ValueError:
        return False
    return bool(name) and "\0" not in name


@cache
def _identity() -> age.Identity:
    return age.new_identity()[0]


def _sealed(files: Mapping[str, bytes]) -> bytes:
    made = envelope.Envelope(0)
    for name, content in files.items():
        made.add(name, content)
    return made.seal((_identity().recipient,))
