#!/usr/bin/env python3
"""Get calendars out of a caldav-run repository without caldav-run.

    python3 rescue.py list    REPOSITORY -i identity.txt
    python3 rescue.py restore REPOSITORY SNAPSHOT TARGET -i identity.txt [--account NAME]

SNAPSHOT is `latest`, a time (the newest snapshot not after it) such as 2026-05-01T08:00:00Z or
2026-05-01, which means the end of that day in UTC, or the beginning of an id that `list` shows.
REPOSITORY is a folder: copy a bucket first.
Each item comes out with the bytes that the server gave, in TARGET/account/calendar/name.ics;
TARGET/account/index.json tells its true names, and the properties of the calendars.

Needed: Python 3.8 or newer, and the programs age, zstd and ssh-keygen (OpenSSH 8.1 or newer).
A passphrase bundle of the repository (keys/….age) serves as identity too; age asks for the phrase.

Nothing is believed because it lies in the repository: objects have to match the hash in their name,
segments have to be signed by a signer that the identity file names (`# trusted-signer: SHA256:…`)
or that --trust does, and every item has to match the hash in its signed row. What does not is left
out and named, and the exit status is 1 then. The format: docs/repository-format.md of caldav-run.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Callable, Iterator, Mapping, NamedTuple, Sequence
from urllib.parse import unquote

SUFFIX = ".tar.zst.age"
ROWS = "changes.jsonl"
_GENERATION = r"(?P<generation>[0-9]{8}T[0-9]{6}Z-(?P<writer>[0-9a-f]{8})-[0-9a-f]{6})"
_FOLDER = rf"a/(?P<stream>[0-9a-f]{{20}})/{_GENERATION}/"
_TIME = r"(?P<time>[0-9]{8}T[0-9]{6}Z)"
_ID = r"(?P<id>[0-9a-f]{64})"
SEGMENT = re.compile(rf"{_FOLDER}seg-(?P<number>[0-9]{{8}})-{_TIME}-{_ID}\.tar\.zst\.age")
TOMBSTONE = re.compile(rf"{_FOLDER}zz-expire-{_TIME}-{_ID}")
RUN = re.compile(
    rf"runs/[0-9]{{4}}-[0-9]{{2}}/{_TIME}-(?P<writer>[0-9a-f]{{8}})-{_ID}\.tar\.zst\.age"
)
STAMP = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
TRUSTED = re.compile(
    r"#\s*trusted-signer:\s*(SHA256:[A-Za-z0-9+/]{43})(\s+until)?((?:[\s,]+[0-9a-f]{64})*)"
)
MAX_SIZES = {
    "segment.json": 64 << 20,
    ROWS: 1 << 30,
    "run.json": 16 << 20,
    "tombstone.json": 1 << 20,
}
MAX_SIGNATURE = 4 << 10
MAX_UNPACKED = 4 << 30
CHUNK = 1 << 20
RECORDS_LOOKED_INTO = 16
# What a signed document of an unknown shape makes Python raise.
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
OPERATIONS = {"+", "=", "-", "x", "!", "c", "d"}
CUT_OFF = "its archive is cut off"


class RescueError(Exception):
    """Something that a person must be told."""


# Keys


class Keys:
    """Identities as text for age, and which signers are believed."""

    def __init__(self, files: Sequence[str], trust: Sequence[str]) -> None:
        self.text = b""
        trusted = set(trust)
        # Of a removed signer only the segments with these ids count, and their ancestors.
        self.removed: dict[str, set[str]] = {}
        for file in files:
            text = Path(file).read_bytes()
            if text.startswith((b"age-encryption.org/", b"-----BEGIN AGE")):
                command = ["age", "-d", file]  # It asks for the phrase.
                text = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
            if b"AGE-SECRET-KEY-1" not in text:
                raise RescueError(f"{file} holds no age identity")
            self.text += text.rstrip() + b"\n"
            for line in text.decode("utf-8", "replace").splitlines():
                match = TRUSTED.fullmatch(line.strip())
                if match and match[2]:
                    ids = set(re.findall("[0-9a-f]{64}", match[3]))
                    self.removed.setdefault(match[1], set()).update(ids)
                elif match and not match[3]:
                    trusted.add(match[1])
                elif re.match(r"#\s*trusted-signer:", line.strip()):
                    raise RescueError(f"{file}: {line!r} names no trusted signer")
        self.trusted = trusted - self.removed.keys()

    def until(self, writer: str) -> set[str] | None:
        """Return the ids that count of a writer who was removed, and None for any other."""
        found = [ids for each, ids in self.removed.items() if writer_of(each) == writer]
        return {each for ids in found for each in ids} if found else None


def writer_of(fingerprint: str) -> str:
    """Return the eight hex digits that stand for a signer in names."""
    return base64.b64decode(fingerprint[7:] + "=").hex()[:8]


# Objects, each a tar archive in a Zstandard frame in an age file


def members(stream: IO[bytes]) -> Iterator[tuple[str, int, Callable[[], Iterator[bytes]]]]:
    """Yield name, size and content of each file of a tar archive; refuse all but plain files."""

    def take(size: int) -> bytes:
        data = stream.read(size)
        if len(data) != size:
            raise RescueError(CUT_OFF)
        return data

    unpacked = 0
    while (block := take(512)) != bytes(512):
        size, checksum = octal(block[124:136]), octal(block[148:156])
        if checksum != sum(block) - sum(block[148:156]) + 8 * 32 or block[257:263] != b"ustar\0":
            raise RescueError("it holds a broken tar header")
        if block[156:157] != b"0":
            raise RescueError("it holds a tar member that is no plain file")
        unpacked += 512 + size
        if unpacked > MAX_UNPACKED:
            raise RescueError(f"it unpacks to more than {MAX_UNPACKED} bytes")
        name, prefix = (
            part.rstrip(b"\0").decode("latin-1") for part in (block[:100], block[345:500])
        )
        parts = iter([min(CHUNK, size - at) for at in range(0, size, CHUNK)])
        yield (f"{prefix}/{name}" if prefix else name), size, partial(map, take, parts)
        for left in parts:
            take(left)
        take(-size % 512)


def octal(field: bytes) -> int:
    digits = field.rstrip(b"\0 ")
    if not re.fullmatch(b"[0-7]+", digits):
        raise RescueError("it holds a broken tar header")
    return int(digits, 8)


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def json_object(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text.decode("utf-8"))
    except MALFORMED as error:
        raise RescueError("its document is no JSON") from error
    if not isinstance(document, dict):
        raise RescueError("its document is no JSON object")
    return document


def stamp(time: str) -> str:
    """Return a time as documents hold it, from one as names hold it; both sort as text."""
    return f"{time[:4]}-{time[4:6]}-{time[6:11]}:{time[11:13]}:{time[13:]}"


def verify(document: bytes, signature: bytes, namespace: str) -> str:
    """Have ssh-keygen check a signature; return the fingerprint of the key that made it."""
    try:
        blob = base64.b64decode(b"".join(signature.split(b"\n")[1:-2]), validate=True)
    except ValueError:
        raise RescueError("it is not signed") from None
    public = blob[14 : 14 + int.from_bytes(blob[10:14], "big")]
    if blob[:10] != b"SSHSIG\0\0\0\1" or not public.startswith(b"\0\0\0\x0bssh-ed25519"):
        raise RescueError("it is not signed")
    with tempfile.TemporaryDirectory() as folder:
        allowed, detached = Path(folder, "allowed"), Path(folder, "signature")
        allowed.write_bytes(b"writer ssh-ed25519 " + base64.b64encode(public) + b"\n")
        detached.write_bytes(signature)
        command = ["ssh-keygen", "-Y", "verify", "-n", namespace, "-I", "writer"]
        done = subprocess.run(
            [*command, "-f", str(allowed), "-s", str(detached)],
            input=document,
            capture_output=True,
            check=False,
        )
    if done.returncode != 0:
        raise RescueError("its signature does not match its content")
    digest = base64.b64encode(hashlib.sha256(public).digest()).decode()
    return "SHA256:" + digest.rstrip("=")


class Store:
    """A repository's objects, and the keys that open them."""

    def __init__(self, root: Path, keys: Keys) -> None:
        self.root, self.keys = root, keys
        try:
            marker = json_object((root / "format.json").read_bytes())
        except FileNotFoundError:
            raise RescueError(f"there is no repository in {root}") from None
        if marker.get("format") != "caldav-run repository" or marker.get("version") != 1:
            raise RescueError(
                f"format.json is of version {marker.get('version')!r}: not for this program"
            )
        self.repository = marker.get("id")

    def names(self, pattern: str, *kinds: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Yield what the names of objects tell, sorted by name."""
        for path in sorted(self.root.glob(pattern), key=lambda each: each.name):
            name = path.relative_to(self.root).as_posix()
            yield from filter(None, (kind.fullmatch(name) for kind in kinds))

    @contextmanager
    def archive(self, name: str) -> Iterator[IO[bytes]]:
        """Compare an object with the hash in its name, and yield its tar archive as a stream."""
        path, sealed = self.root / name, name.endswith(SUFFIX)
        if not path.is_file():
            raise RescueError(f"{name} is missing")
        if sha256_of(path) != (name[: -len(SUFFIX)] if sealed else name)[-64:]:
            raise RescueError(f"{name} is damaged: its content does not match its name")
        with tempfile.TemporaryFile() as said:
            programs = list(self._decoders(path, said)) if sealed else []
            stream: Any = programs[-1].stdout if sealed else path.open("rb")
            try:
                yield stream
            except RescueError as problem:
                said.seek(0)
                reason = said.readline().decode("utf-8", "replace").strip()
                because = reason if reason and str(problem) == CUT_OFF else problem
                raise RescueError(f"{name} is not used: {because}") from problem
            finally:
                stream.close()
                for program in programs:
                    program.kill()
                    program.wait()

    def _decoders(self, path: Path, said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
        pipe: Any = subprocess.PIPE
        command = ["age", "-d", "-i", "-", str(path)]
        age: Any = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=said)
        yield age
        yield subprocess.Popen(["zstd", "-dcq"], stdin=age.stdout, stdout=pipe, stderr=said)
        age.stdout.close()
        with suppress(BrokenPipeError):  # It says why.
            age.stdin.write(self.keys.text)
            age.stdin.close()

    def signed(self, match: re.Match[str], kind: str) -> dict[str, Any]:
        """Read a signed document (of a segment, a run, a tombstone), and check all that it says."""
        with self.archive(match[0]) as stream:
            files, rows = self._files(stream, kind)
        try:
            text, signature = files.get(f"{kind}.json", b""), files.get(f"{kind}.json.sig", b"")
            signer = verify(text, signature, f"caldav-run-{kind}")
            known = signer in self.keys.trusted or (
                kind != "tombstone" and signer in self.keys.removed
            )
            document = json_object(text) if known else {}
        except RescueError as problem:
            raise RescueError(f"{match[0]} is not used: {problem}") from problem
        if not known:
            why = (
                f"it is signed by {signer}; if that is your own backup host, pass --trust {signer}"
            )
        elif document.get("format") != f"caldav-run {kind} 1":
            why = f"its format is {document.get('format')!r}"
        elif not self._made_for(match, kind, document, signer):
            why = "it was made for another place"
        elif kind == "segment" and document.get("changes") != rows:
            why = "its rows are not the signed ones"
        else:
            return {**document, "signer": signer, "id": match["id"]}
        raise RescueError(f"{match[0]} is not used: {why}")

    def _files(self, stream: IO[bytes], kind: str) -> tuple[dict[str, bytes], str]:
        """Return document and signature, and the hash of the rows."""
        files: dict[str, bytes] = {}
        rows = hashlib.sha256()
        for member, size, content in members(stream):
            if member in files or member not in {f"{kind}.json", f"{kind}.json.sig", ROWS}:
                continue  # A member of a later version.
            if size > MAX_SIZES.get(member, MAX_SIGNATURE):
                raise RescueError(f"its {member} has {size} bytes")
            if member == ROWS:
                files[member] = b""
                for part in content():
                    rows.update(part)
            else:
                files[member] = b"".join(content())
        return files, rows.hexdigest()

    def _made_for(
        self, match: re.Match[str], kind: str, document: dict[str, Any], signer: str
    ) -> bool:
        said = match.groupdict()
        place = {"repository": self.repository, "time": stamp(said["time"])}
        place.update((key, said[key]) for key in ("stream", "generation") if key in said)
        if "number" in said:
            place["number"] = int(said["number"])
        # A tombstone may be another writer's.
        ours = kind == "tombstone" or writer_of(signer) == said["writer"]
        return ours and {key: document.get(key) for key in place} == place


# Generations: a base, and the numbered log of segments after it


class Generation:
    """One generation, read from its newest segment back to the one that names all before it.

    `log` holds, by id, what is said of each of its snapshots: number, time, id, stored size,
    guarded, counts, packs.
    """

    def __init__(self, store: Store, found: Sequence[re.Match[str]]) -> None:
        self.store = store
        self.stream, self.name = found[0]["stream"], found[0]["generation"]
        self.writer = found[0]["writer"]
        self.folder = f"a/{self.stream}/{self.name}/"
        self.listed = {each["id"]: each for each in found if each.re is SEGMENT}
        self.begun = stamp(self.name[:16])
        self.based = any(int(each["number"]) == 0 for each in self.listed.values())
        self.opened: dict[str, dict[str, Any]] = {}
        self.problems: dict[str, str] = {}
        self.removed: dict[str, str] = {}
        self.log: dict[str, list[Any]] = {}
        self.tombstones = [each for each in found if each.re is TOMBSTONE]
        # Grows by the ancestors of what is opened: their hashes name their bytes.
        self._until = store.keys.until(self.writer)
        self._cumulative: list[dict[str, Any]] = []
        self._load()

    @property
    def account(self) -> str | None:
        return next((each["account"] for each in self.opened.values()), None)

    def _load(self) -> None:
        for number in sorted({int(each["number"]) for each in self.listed.values()}, reverse=True):
            same = [key for key, each in self.listed.items() if int(each["number"]) == number]
            found = [each for each in map(self._try, same) if each]
            for each in found:
                self._note(each)
            self._cumulative += [each for each in found if "log" in each]
            if any("log" in each or number == 0 for each in found):
                break
        # The other branch of a fork is in no log of this one's cumulative segments.
        for each in filter(
            None, map(self._try, [key for key in self.listed if key not in self.log])
        ):
            self._note(each)

    def _note(self, each: dict[str, Any]) -> None:
        said = [each[key] for key in ("number", "time", "id")]
        said += [0, each["guarded"], each["counts"], each["packs"], each.get("replaces")]
        for entry in [said, *each.get("log", ())]:
            self.log.setdefault(entry[2], entry)

    def _try(self, identity: str) -> dict[str, Any] | None:
        try:
            return self.segment(identity)
        except RescueError:
            return None

    def segment(self, identity: str) -> dict[str, Any]:
        """Return a segment's document, checked."""
        if identity in self.opened:
            return self.opened[identity]
        problem = self.problems.get(identity) or self.removed.get(identity)
        if problem is None and identity not in self.listed:
            problem = f"{self.folder}seg-*-{identity} is missing"
        elif problem is None and self._until is not None and identity not in self._until:
            problem = f"{self.listed[identity][0]} is not used: its signer was removed"
            self.removed[identity] = problem
        if problem is not None:
            raise RescueError(problem)
        try:
            found = self.opened[identity] = self._checked(identity)
        except RescueError as error:
            self.problems[identity] = str(error)
            raise
        if self._until is not None:
            self._until |= {found["parent"], *(each[2] for each in found.get("log", ()))}
        return found

    def _checked(self, identity: str) -> dict[str, Any]:
        found = self.store.signed(self.listed[identity], "segment")
        try:
            own = [0, found["time"], identity, 0, found["guarded"], found["counts"], found["packs"]]
            entries = [[*own, found.get("replaces")], *found.get("log", ())]
            texts = [found["account"], found["parent"] or "", *(each[2] for each in entries)]
            good = all(isinstance(each, str) for each in texts)
            for number, time, _, _, _, counts, _, *more in entries:
                good = good and all(isinstance(each or "", str) for each in more[:1])
                good = good and isinstance(number, int) and bool(STAMP.fullmatch(time))
                good = good and all(isinstance(each, int) for each in counts) and len(counts) == 5
            before = [each[0] for each in found["log"]] if "log" in found else None
            good = good and before in (None, list(range(found["number"])))
        except MALFORMED:
            good = False
        if not good:
            raise RescueError(f"{self.listed[identity][0]} is not used: it lacks a field")
        return found

    def path(self, identity: str) -> tuple[str, list[tuple[str, int]]]:
        """Return the base's id, and the segments to apply after it, each up to a number."""
        for whole in self._cumulative:
            for entry in whole["log"]:
                if entry[2] == identity:
                    return whole["log"][0][2], [(whole["id"], entry[0])]
        steps: list[tuple[str, int]] = []
        segment = self.segment(identity)
        while segment["parent"] is not None:
            steps.append((segment["id"], segment["number"]))
            if "log" in segment:
                return segment["log"][0][2], steps[::-1]
            parent = self.segment(segment["parent"])
            if parent["number"] != segment["number"] - 1:
                raise RescueError(f"{segment['id']} is not used: its number breaks the chain")
            segment = parent
        return segment["id"], steps[::-1]

    def rows(self, identity: str) -> Iterator[Row]:
        """Yield all rows up to a snapshot, oldest first."""
        base, steps = self.path(identity)
        for each, up_to in [(base, 0), *steps]:
            self.segment(each)
            name = self.listed[each][0]
            with self.store.archive(name) as stream, tempfile.TemporaryFile() as lines:
                for member, _, content in members(stream):
                    if member == ROWS:
                        lines.writelines(content())
                        break
                lines.seek(0)
                yield from (
                    row for row in (parsed(name, line) for line in lines) if row.seq <= up_to
                )


class Row(NamedTuple):
    """What an item, or with `href` None a calendar, is from one segment on."""

    seq: Any
    op: Any
    calendar: str
    href: str | None = None
    etag: Any = None
    sha256: Any = None
    size: Any = None
    object: str | None = None
    member: str | None = None
    uid: str | None = None
    provenance: Any = None
    extra: Mapping[str, Any] = MappingProxyType({})


def parsed(name: str, line: bytes) -> Row:
    try:
        row = Row(*json.loads(line.decode("utf-8"))[:12])
        good = isinstance(row.seq, int) and row.op in OPERATIONS
        for each in (
            row.calendar,
            row.href or "",
            row.object or "",
            row.member or "",
            row.uid or "",
        ):
            good = good and isinstance(each, str)
        if good and isinstance(row.extra, Mapping):
            return row
    except MALFORMED:
        pass
    raise RescueError(f"{name} holds a row that this program cannot read")


# Snapshots


class Snapshot:
    """One account at one committed state."""

    def __init__(self, account: str, generation: Generation, identity: str) -> None:
        self.account, self.generation, self.id = account, generation, identity
        self.entry = generation.log.get(identity)
        if self.entry:
            self.number, self.time = self.entry[:2]
        else:
            name = generation.listed[identity]
            self.number, self.time = int(name["number"]), stamp(name["time"])
        said = self.entry[7] if self.entry and len(self.entry) > 7 else None
        self.original = said or identity
        self.problem = generation.problems.get(identity)
        try:
            generation.segment(generation.path(identity)[0])
        except RescueError as problem:
            self.problem = str(problem)


class Repository:
    """What a folder holds: snapshots, oldest first, and problems."""

    def __init__(self, store: Store) -> None:
        self.store = store
        found: dict[tuple[str, str], list[re.Match[str]]] = {}
        for name in store.names("a/*/*/*", SEGMENT, TOMBSTONE):
            found.setdefault((name["generation"], name["stream"]), []).append(name)
        self.generations = [Generation(store, found[key]) for key in sorted(found)]
        self.problems: list[str] = []
        self.marked: set[str] = set()
        replaced = self._replaced()
        snapshots: list[Snapshot] = []
        for each in self.generations:
            bad = {} if each.name in replaced else {**each.problems, **each.removed}
            self.problems += bad.values()
            account = self._account(each.stream)
            if account is not None:
                ids = [key for key in each.log if key in bad or key not in each.problems]
                ids += [key for key in bad if key not in each.log and key not in each.removed]
                snapshots += [Snapshot(account, each, identity) for identity in ids]
        # Of all that stand for one original, as a rewriting leaves them, one is shown.
        snapshots.sort(
            key=lambda each: (
                each.problem is None,
                each.generation.name not in replaced,
                each.generation.name,
            )
        )
        shown = {each.original: each for each in snapshots}
        self.snapshots = sorted(
            shown.values(),
            key=lambda each: (each.time, each.generation.name, each.number, each.id),
        )
        for one in self.snapshots:
            # What is marked for deletion may lack something by now.
            known = one.problem in self.problems or one.generation.name in self.marked
            if one.problem is not None and not known:
                self.problems.append(one.problem)
        self.problems += self._cut_off()

    def _account(self, stream: str) -> str | None:
        mine = (each.account for each in self.generations if each.stream == stream)
        return next((each for each in mine if each), None)

    def _replaced(self) -> set[str]:
        """Return the names of generations that were rewritten, and whose successors are there."""
        based = {(each.stream, each.name) for each in self.generations if each.based}
        replaced = set()
        for each in self.generations:
            for name in each.tombstones:
                try:
                    tombstone = self.store.signed(name, "tombstone")
                except RescueError as problem:
                    self.problems.append(str(problem))
                    continue
                self.marked.add(each.name)
                successor = (each.stream, str(tombstone.get("successor")))
                if tombstone.get("reason") == "rewritten" and successor in based:
                    replaced.add(each.name)
        return replaced

    def _cut_off(self) -> Iterator[str]:
        """Yield what each writer's newest run records name and the repository does not hold."""
        known: set[Any] = set()
        for each in self.generations:
            known.update(each.log, each.problems, each.removed)
            known.update(entry[7] for entry in each.log.values() if len(entry) > 7)
        names: dict[str, list[re.Match[str]]] = {}
        for name in self.store.names("runs/*/*", RUN):
            # What a removed signer misses does not count.
            if self.store.keys.until(name["writer"]) is None:
                names.setdefault(name["writer"], []).insert(0, name)
        for writer, newest_first in names.items():
            found = self._newest_heads(writer, newest_first[:RECORDS_LOOKED_INTO])
            for account, head in found.items():
                if head not in known:
                    yield f"the newest snapshot of {account} is missing: {head[:12]}"

    def _newest_heads(self, writer: str, newest_first: list[re.Match[str]]) -> dict[str, str]:
        own = (each for each in self.generations if each.writer == writer)
        waiting = {each.account for each in own if each.account}
        found: dict[str, str] = {}
        for name in newest_first:
            try:
                found = {**self._heads(name), **found}
            except RescueError as problem:
                self.problems.append(str(problem))
            else:
                # Pipelines of one host may have an account each, and records of their own.
                if waiting <= found.keys():
                    break
        return found

    def _heads(self, name: re.Match[str]) -> dict[str, str]:
        """Return what a run record says is the newest snapshot of each account."""
        record = self.store.signed(name, "run")
        try:
            pairs = [(each["account"], each["head"]) for each in record["accounts"]]
            return {str(account): str(head) for account, head in pairs if head is not None}
        except MALFORMED:
            raise RescueError(f"{name[0]} is not used: it lacks a field") from None

    def chosen(self, wanted: str, account: str | None) -> list[Snapshot]:
        """Return the snapshots that are meant: one, or one of each account."""
        known = [each for each in self.snapshots if account in (None, each.account)]
        by_id = [each for each in known if each.id.startswith(wanted)]
        if by_id and re.fullmatch("[0-9a-f]{4,64}", wanted):
            if len(by_id) > 1:
                raise RescueError(f"{wanted} begins the ids of {len(by_id)} snapshots")
            return by_id
        if wanted != "latest":
            end = "T23:59:59" if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", wanted) else ""
            try:
                time = datetime.fromisoformat(wanted.replace("Z", "+00:00") + end)
            except ValueError:
                raise RescueError(f"there is no snapshot {wanted}") from None
            time = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
            until = time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            known = [each for each in known if each.time <= until]
        if not known:
            raise RescueError("there is no such snapshot")
        return list({each.account: each for each in known}.values())


class Contents:
    """What a snapshot holds; what its generation never read is carried forward from before it."""

    def __init__(self, repository: Repository, snapshot: Snapshot) -> None:
        self.repository, self.snapshot = repository, snapshot
        self.calendars: dict[str, Row] = {}
        self.rows: dict[str, dict[str, Row]] = {}
        self._earlier: Contents | None = None
        for row in snapshot.generation.rows(snapshot.id):
            self._apply(row)

    def _apply(self, row: Row) -> None:
        if row.href is not None:
            if row.op == "-":
                self.rows.get(row.calendar, {}).pop(row.href, None)
            else:
                self.rows.setdefault(row.calendar, {})[row.href] = row
            return
        if row.op in {"d", "x"}:
            self.rows.pop(row.calendar, None)
        if row.op == "d":
            self.calendars.pop(row.calendar, None)
        else:
            self.calendars[row.calendar] = row

    def calendar(self, identity: str) -> dict[str, Any] | None:
        """Return a calendar's properties, and since when and why it could not be read."""
        row = self.calendars.get(identity)
        if row is None:
            return None
        before = self._before(row)
        older = before.calendar(identity) if before else None
        since = row.extra.get("read") if row.op == "!" else None
        if before and older:
            since = older["stale_since"] or before.snapshot.time
        return {
            "id": identity,
            "properties": older["properties"] if older else row.extra.get("properties", {}),
            "excluded": row.op == "x",
            "unread": row.op == "!",
            "stale_since": since,
            "reason": row.extra.get("reason"),
        }

    def items(self, calendar: str) -> dict[str, dict[str, Any]]:
        """Return a calendar's items by href; not the excluded ones."""
        rows = self.rows.get(calendar, {})
        before = self._before(self.calendars.get(calendar))
        found = {}
        for href, item in (before.items(calendar) if before else {}).items():
            if before and href not in rows:
                found[href] = before.carried(item)
        found.update((href, self._item(row)) for href, row in rows.items() if row.op != "x")
        return found

    def carried(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return an item of this snapshot as a later one carries it forward."""
        return {**item, "stale_since": item["stale_since"] or self.snapshot.time}

    def _item(self, row: Row) -> dict[str, Any]:
        before = self._before(row)
        href, reason = row.href or "", row.extra.get("reason")
        older = before.items(row.calendar).get(href) if before else None
        if before and older:
            return {**before.carried(older), "reason": reason}
        since = row.extra.get("read") if row.op == "!" else None
        whole = self.calendars.get(row.calendar)
        # What was still read before the calendar broke off is up to date.
        if since is None and whole and whole.op == "!" and row.seq < whole.seq:
            since = whole.extra.get("read")
        uid = unquote(without_ending(href.rpartition("/")[2])) if row.uid is None else row.uid
        pack = f"{self.snapshot.generation.folder}pack-{row.object}{SUFFIX}"
        return {
            "calendar": row.calendar,
            "href": href,
            "uid": (uid or None) if row.object else None,
            "etag": row.etag,
            "sha256": row.sha256,
            "size": row.size,
            "pack": pack if row.object else None,
            "member": row.member,
            "stale_since": since,
            "reason": reason,
        }

    def _before(self, row: Row | None) -> Contents | None:
        if row is None or not row.extra.get("before"):
            return None
        if self._earlier is None:
            mine = self.snapshot.generation
            older = [
                each
                for each in self.repository.snapshots
                if each.account == self.snapshot.account and each.generation.name != mine.name
                if each.time < mine.begun and not each.problem
            ]
            self._earlier = Contents(self.repository, older[-1]) if older else None
        return self._earlier


def without_ending(href: str) -> str:
    return href[:-4] if href.endswith(".ics") else href


# Commands


class Namer:
    """Makes names of files that are safe on any disk, no two alike."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def __call__(self, folder: str, text: str, ending: str = "") -> str:
        name = re.sub("[^A-Za-z0-9._@-]+", "-", unquote(text)).strip("-.")[:60].rstrip(".")
        number, made = 1, f"{folder}{name or 'unnamed'}{ending}"
        while made.lower() in self._used:
            number += 1
            made = f"{folder}{name or 'unnamed'}-{number}{ending}"
        self._used.add(made.lower())
        return made


def restore(repository: Repository, snapshot: Snapshot, target: Path, name: Namer) -> bool:
    """Write an account's items and its index; return whether all came out."""
    if snapshot.problem:
        raise RescueError(f"the snapshot {snapshot.id[:12]} cannot be read: {snapshot.problem}")
    contents = Contents(repository, snapshot)
    top = name("", snapshot.account)
    calendars, items = [], []
    for identity in sorted({*contents.calendars, *contents.rows}):
        folder = name(f"{top}/", identity)
        about = contents.calendar(identity) or {"id": identity, "properties": {}}
        calendars.append({**about, "folder": folder})
        (target / folder).mkdir(parents=True)
        for href, item in sorted(contents.items(identity).items()):
            file = name(f"{folder}/", without_ending(href.rpartition("/")[2]), ".ics")
            items.append({**item, "file": file, "lost": item["reason"] or "it was never read"})
    for pack in sorted({each["pack"] for each in items if each["pack"]}):
        unpack(repository.store, pack, [each for each in items if each["pack"] == pack], target)
    lost = [each for each in items if each["lost"]]
    for each in lost:
        each["file"] = None
        print(f"{each['calendar']}/{each['href']} is lost: {each['lost']}", file=sys.stderr)
    index = {"account": snapshot.account, "snapshot": snapshot.id, "time": snapshot.time}
    text = json.dumps({**index, "calendars": calendars, "items": items}, indent=1)
    (target / top).mkdir(parents=True, exist_ok=True)
    (target / top / "index.json").write_text(text + "\n", encoding="ascii")
    done = len(items) - len(lost)
    print(f"{snapshot.account} as of {snapshot.time}: {done} items restored, {len(lost)} lost")
    return not lost


def unpack(store: Store, pack: str, waiting: list[dict[str, Any]], target: Path) -> None:
    """Write the files that a pack holds, and note at the others why they are lost."""
    by_member: dict[str, list[dict[str, Any]]] = {}
    for each in waiting:
        each["lost"] = f"{pack} does not hold it"
        by_member.setdefault(each["member"], []).append(each)
    try:
        with store.archive(pack) as stream:
            for member, size, content in members(stream):
                found = by_member.pop(member, [])
                body = b"".join(content()) if any(each["size"] == size for each in found) else b""
                for each in found:
                    each["lost"] = f"{pack} holds other bytes than the signed row says"
                    if hashlib.sha256(body).hexdigest() == each["sha256"]:
                        (target / each["file"]).write_bytes(body)
                        each["lost"] = None
    except RescueError as problem:
        for each in (each for found in by_member.values() for each in found):
            each["lost"] = str(problem)


def show(snapshot: Snapshot) -> None:
    about = [snapshot.time, snapshot.id[:12], snapshot.account]
    if snapshot.entry:
        kinds = ("calendars", "items", "stale", "missing", "excluded")
        about += [f"{count} {kind}" for count, kind in zip(snapshot.entry[5], kinds)]
        about += ["guarded"] * bool(snapshot.entry[4])
    about += [f"incomplete: {snapshot.problem}"] * bool(snapshot.problem)
    print("  ".join(about))


def run(options: argparse.Namespace) -> bool:
    """Do what is asked; return whether nothing is wrong."""
    repository = Repository(Store(Path(options.repository), Keys(options.identity, options.trust)))
    for problem in repository.problems:
        print("problem:", problem, file=sys.stderr)
    good = not repository.problems
    if options.command == "list":
        for each in repository.snapshots:
            show(each)
        return good and bool(repository.snapshots)
    target, name = Path(options.target), Namer()
    if target.exists() and any(target.iterdir()):
        raise RescueError(f"{target} is not empty")
    for each in repository.chosen(options.snapshot, options.account):
        try:
            good = restore(repository, each, target, name) and good
        except RescueError as problem:
            print("problem:", problem, file=sys.stderr)
            good = False
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("list", "restore"):
        one = commands.add_parser(command)
        one.add_argument("repository", metavar="REPOSITORY")
        if command == "restore":
            one.add_argument("snapshot", metavar="SNAPSHOT")
            one.add_argument("target", metavar="TARGET")
            one.add_argument("--account", metavar="NAME")
        one.add_argument("-i", "--identity", metavar="FILE", action="append", required=True)
        one.add_argument("--trust", metavar="FINGERPRINT", action="append", default=[])
    try:
        return 0 if run(parser.parse_args()) else 1
    except RescueError as problem:
        print("problem:", problem, file=sys.stderr)
    except FileNotFoundError as error:
        print(f"problem: there is no {error.filename}", file=sys.stderr)
    except OSError as error:
        print(f"problem: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
