"""Bombs and hostile archives, documents and rows: refused by name, and with bounded memory."""

import hashlib
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from caldav_run.errors import CaldavRunError
from caldav_run.repository import age, envelope, keys, names, segment, tar
from caldav_run.repository.names import SegmentName
from caldav_run.testing.vault import Vault

ROOT = Path(__file__).parents[3]
MEBI = 1 << 20
# Python with all that reading needs takes a fifth of it.
MAX_RESIDENT = 250 * MEBI
MAX_ADDRESS_SPACE = 2048 * MEBI

READ = """
import resource, sys
from pathlib import Path
from caldav_run.errors import CaldavRunError
from caldav_run.repository import keys
from caldav_run.repository.local import LocalStore
from caldav_run.repository.reader import Reader

reader = Reader(LocalStore(Path(sys.argv[1])), keys.load_keyring([Path(sys.argv[2])]))
try:
    for snapshot in reader.snapshots():
        for each in reader.bodies(list(reader.items(snapshot))):
            print(getattr(each, "reason", ""))
    list(reader.runs())
except CaldavRunError as error:
    print(error)
for problem in reader.problems:
    print(problem)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
"""


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path)
    vault.fill()
    return vault


def parts_of(vault: Vault, name: str) -> dict[str, bytes]:
    identities = keys.load_keyring([vault.keys / keys.IDENTITY]).identities
    archive = age.unseal(vault.local.get(name), identities)
    return dict(envelope.unpack(name, archive, lambda *_: True))


def replaced(vault: Vault, name: str, archive: bytes) -> str:
    """Put an archive, compressed already, in the place of an object; return its name."""
    stored = age.seal(archive, (*vault.recipients, vault.writer.metadata.recipient))
    made = name.replace(names.sha256_of(name), envelope.sha256(stored))
    (vault.root / name).unlink()
    vault.local.put(made, stored)
    return made


def archived(parts: dict[str, bytes]) -> bytes:
    blocks = [
        tar.header(name, len(content), 0) + content + tar.padding(len(content))
        for name, content in parts.items()
    ]
    return b"".join(blocks)


def zeros(size: int) -> bytes:
    """Return frames that unpack to so many zeros, a whole number of 64 MiB."""
    return zstd.compress(bytes(64 * MEBI), 1) * (size // (64 * MEBI))


def segment_name(vault: Vault) -> SegmentName:
    (name,) = vault.segments()
    return name


def bomb_before_the_document(vault: Vault) -> str:
    """An unknown member of 5 GiB, in an object that anybody can seal."""
    front = zstd.compress(tar.header("novelty", 5 << 30, 0))
    return replaced(vault, segment_name(vault).name, front + zeros(5 << 30))


def bomb_as_the_document(vault: Vault) -> str:
    front = zstd.compress(tar.header(segment.DOCUMENT, 5 << 30, 0))
    return replaced(vault, segment_name(vault).name, front + zeros(5 << 30))


def bomb_as_the_rows(vault: Vault) -> str:
    """Signed by a thief of the key."""
    parts = parts_of(vault, segment_name(vault).name)
    parts.pop(segment.CHANGES)
    front = zstd.compress(archived(parts) + tar.header(segment.CHANGES, 2 << 30, 0))
    return replaced(vault, segment_name(vault).name, front + zeros(2 << 30))


def bomb_as_a_run_record(vault: Vault) -> str:
    (path,) = vault.root.glob("runs/*/*")
    front = zstd.compress(tar.header("novelty", 5 << 30, 0))
    return replaced(vault, path.relative_to(vault.root).as_posix(), front + zeros(5 << 30))


def bomb_in_one_frame(vault: Vault) -> str:
    compressor = zstd.ZstdCompressor(1)
    parts = [compressor.compress(tar.header("novelty", 5 << 30, 0))]
    parts += [compressor.compress(bytes(64 * MEBI)) for _ in range(16)]
    return replaced(vault, segment_name(vault).name, b"".join(parts) + compressor.flush())


BOMBS = [
    bomb_before_the_document,
    bomb_as_the_document,
    bomb_as_the_rows,
    bomb_as_a_run_record,
    bomb_in_one_frame,
]


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))


def run_limited(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
    )


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_by_name_in_bounded_memory(
    vault: Vault, bomb: Callable[[Vault], str]
) -> None:
    name = bomb(vault)
    done = run_limited("-c", READ, vault.root, vault.keys / keys.IDENTITY)
    assert done.returncode == 0, done.stderr
    assert name in done.stdout
    assert int(done.stderr.splitlines()[-1]) < MAX_RESIDENT


@pytest.mark.parametrize("bomb", BOMBS)
def test_rescue_refuses_a_bomb_by_name_in_bounded_memory(
    vault: Vault, bomb: Callable[[Vault], str]
) -> None:
    name = bomb(vault)
    identity = vault.keys / keys.IDENTITY
    done = run_limited(ROOT / "rescue.py", "list", vault.root, "-i", identity)
    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def header(name: bytes, kind: bytes = b"0", size: bytes = b"00000000000\0") -> bytes:
    block = bytearray(tar.header("x", 0, 0))
    block[:100] = name.ljust(100, b"\0")
    block[124:136], block[156:157] = size, kind
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * 32)
    return bytes(block)


# What a link, a device or an outside name would do, if anything were extracted by its name.
HOSTILE_MEMBERS = {
    "hard link": header(b"x", b"1"),
    "symbolic link": header(b"x", b"2"),
    "character device": header(b"x", b"3"),
    "block device": header(b"x", b"4"),
    "folder": header(b"x", b"5"),
    "fifo": header(b"x", b"6"),
    "pax header": header(b"x", b"x"),
    "long GNU name": header(b"x", b"L"),
    "sparse file": header(b"x", b"S"),
    "10 GB in base 256": header(b"x", size=b"\x80" + (10 << 30).to_bytes(11, "big")),
    "negative size in base 256": header(b"x", size=b"\xff" * 12),
    "negative size": header(b"x", size=b"-0000000001\0"),
    "size with a plus": header(b"x", size=b"+0000000001\0"),
    "8 GB": header(b"x", size=b"77777777777\0"),
    "no size": header(b"x", size=bytes(12)),
    "foreign name": header("größe".encode()),
    "no header": bytes(range(256)) * 2,
    "cut off": b"",
}


@pytest.mark.parametrize("member", HOSTILE_MEMBERS)
def test_a_hostile_member_is_refused_by_name(vault: Vault, member: str) -> None:
    name = segment_name(vault)
    made = replaced(vault, name.name, zstd.compress(HOSTILE_MEMBERS[member]))
    with pytest.raises(CaldavRunError, match=names.sha256_of(made)):
        vault.reader().snapshots()


@pytest.mark.parametrize("outside", ["../../outside", "/outside", "a/../../outside", "x" * 99])
def test_a_name_that_leads_outside_is_only_a_name(vault: Vault, outside: str) -> None:
    name = segment_name(vault)
    files = {outside: b"", **parts_of(vault, name.name)}
    replaced(vault, name.name, zstd.compress(archived(files) + tar.END))
    before = sorted(vault.folder.rglob("*"))
    assert len(vault.held()) == 2
    assert sorted(vault.folder.rglob("*")) == before


# Documents and rows that a thief of the key signed, or a later version.

VALUES: tuple[Any, ...] = (None, True, -1, 1.5, 10**30, "", "\ud800", "x", [], [[]], {}, {"a": 1})
JSON_BOMBS = {
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "ten million digits": b'{"number":' + b"9" * 10_000_000 + b"}",
    "not a number": b'{"number":NaN}',
    "infinite": b'{"number":1e999}',
    "no UTF-8": b'{"account":"\xff"}',
    "a list": b"[]",
    "nothing": b"",
}


def resigned(vault: Vault, name: str, kind: str, text: bytes, rows: bytes | None = None) -> str:
    parts = parts_of(vault, name)
    parts[f"{kind}.json"] = text
    parts[f"{kind}.json.sig"] = vault.writer.signer.sign(f"caldav-run-{kind}", text)
    if rows is not None:
        parts[segment.CHANGES] = rows
    return replaced(vault, name, zstd.compress(archived(parts) + tar.END))


def everything(vault: Vault) -> list[str]:
    """Read all that there is, and return what is said of it; nothing but our errors comes out."""
    reader = vault.reader()
    said: list[str] = []
    try:
        for snapshot in reader.snapshots():
            reader.calendars(snapshot)
            list(reader.bodies(list(reader.items(snapshot))))
        list(reader.runs())
    except CaldavRunError as error:
        said.append(str(error))
    return said + [str(each) for each in reader.problems]


@pytest.mark.parametrize("bomb", JSON_BOMBS)
@pytest.mark.parametrize("kind", ["segment", "run"])
def test_a_hostile_document_is_refused_by_name(vault: Vault, kind: str, bomb: str) -> None:
    path = next(vault.root.glob("runs/*/*" if kind == "run" else "a/*/*/seg-*"))
    made = resigned(vault, path.relative_to(vault.root).as_posix(), kind, JSON_BOMBS[bomb])
    assert any(made in line for line in everything(vault))


def altered(document: Any) -> Iterator[Any]:
    """Yield the document with another value in each place, one at a time."""
    places = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(places):
        for other in VALUES:
            copy = document.copy()
            copy[key] = other
            yield copy
        if isinstance(value, list | dict):
            for inner in altered(value):
                copy = document.copy()
                copy[key] = inner
                yield copy


@pytest.mark.parametrize("kind", ["segment", "run"])
def test_another_value_in_any_field_is_read_or_refused_and_breaks_nothing(
    vault: Vault, kind: str
) -> None:
    path = next(vault.root.glob("runs/*/*" if kind == "run" else "a/*/*/seg-*"))
    name = path.relative_to(vault.root).as_posix()
    original = vault.local.get(name)
    document = json.loads(parts_of(vault, name)[f"{kind}.json"])
    if kind == "segment":
        entry = [0, document["time"], "0" * 64, 1, False, [1, 2, 0, 0, 0], document["packs"]]
        document = {**document, "log": [entry], "replaces": "0" * 64}
    variants = list(altered(document))
    assert len(variants) > 100
    for each in variants:
        text = json.dumps(each).encode()
        made = resigned(vault, name, kind, text)
        assert everything(vault) is not None
        (vault.root / made).unlink()
        vault.local.put(name, original)


def test_another_value_in_any_column_is_read_or_refused_and_breaks_nothing(vault: Vault) -> None:
    name = segment_name(vault).name
    original = vault.local.get(name)
    parts = parts_of(vault, name)
    calendar, item, *_ = map(json.loads, parts[segment.CHANGES].splitlines())
    extra = {"properties": {"display_name": "x", "order": 1, "components": ["VEVENT"]}}
    unread = {"reason": "r", "read": "2026-05-01T08:00:00Z", "before": True, "valid_until": 1.5}
    said = json.loads(parts[segment.DOCUMENT])
    for row in (calendar, [*calendar, extra], item, [0, "!", *item[2:], unread]):
        for each in altered(row):
            rows = json.dumps(each).encode() + b"\n"
            said["changes"] = hashlib.sha256(rows).hexdigest()
            made = resigned(vault, name, "segment", json.dumps(said).encode(), rows)
            assert everything(vault) is not None
            (vault.root / made).unlink()
            vault.local.put(name, original)


def test_huge_names_are_passed_over() -> None:
    for name in ("a/" * 10_000, "x" * 10_000_000, f"runs/2026-05/{'9' * 1_000_000}"):
        assert names.parse_segment(name) is None
        assert names.parse_run(name) is None
        assert names.parse_pack(name) is None


def test_a_run_record_of_another_writer_is_refused(vault: Vault) -> None:
    path = next(vault.root.glob("runs/*/*"))
    name = path.relative_to(vault.root).as_posix()
    path.rename(vault.root / name.replace(vault.writer.name, "0" * 8))
    assert any("another place" in line for line in everything(vault))
