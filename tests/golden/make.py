"""How the golden repositories were made.

    PYTHONPATH=runner python tests/golden/make.py

makes those that are missing, and never touches one that is there: format v1 stays readable for
ever, so what was once committed here has to be read by every later version. A repository that
shows something new gets a new name. The keys in `keys/` were made for these tests and open
nothing else.

`expected.json` beside each repository says what a reader has to list, restore and report. For
`healthy` it comes from a plain model of what was written, not from our reader.
"""

import hashlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from caldav_run.errors import CaldavRunError
from caldav_run.model import Calendar, Change, Item, Op, Provenance
from caldav_run.repository import (
    bundles,
    create,
    envelope,
    fields,
    keys,
    names,
    segment,
    signed,
    tar,
    tombstone,
)
from caldav_run.repository.archive import RepositoryWriter, Settings
from caldav_run.repository.keys import Writer
from caldav_run.repository.local import LocalStore
from caldav_run.repository.names import SegmentName
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import SnapshotInfo
from caldav_run.repository.sshsig import Signer
from caldav_run.repository.survey import survey
from caldav_run.repository.tombstone import Reason, Tombstone

HERE: Final = Path(__file__).parent
KEYS: Final = HERE / "keys"
PASSPHRASE: Final = "six golden words of a test"
START: Final = datetime(2026, 1, 1, 6, tzinfo=UTC)
State = dict[str, dict[str, str | None]]
"""What an account holds: calendar, href, hash of the bytes (None: they were never read)."""


# Making


def writer(name: str) -> Writer:
    """Return one of the two backup hosts, `one` or `two`."""
    return keys.load_writer(KEYS / f"writer-{name}.key")


def recipients(*readers: str) -> tuple[str, ...]:
    """Return the public keys of some of the readers, `daily` and `paper`."""
    return tuple(
        each for name in readers for each in keys.load_recipients(KEYS / f"{name}-recipients.txt")
    )


@dataclass
class Maker:
    """Writes one repository, with a clock that moves an hour a run."""

    root: Path
    scratch: Path
    readers: tuple[str, ...] = ("daily",)
    now: datetime = START
    held: dict[str, State] = field(default_factory=dict)
    expected: dict[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the repository."""
        self.store = LocalStore(self.root)
        create.create(self.store, recipients(*self.readers), writer("one"), self.now)

    def run(
        self, *changes: Change, account: str = "home", host: str = "one", full: bool = False
    ) -> SegmentName:
        """Back up one account, and keep in mind what it holds now."""
        self.now += timedelta(hours=1)
        settings = Settings(
            pipeline="nightly",
            state_dir=self.scratch / host,
            full_every=timedelta(0) if full else timedelta(days=90),
            clock=lambda: self.now,
        )
        archive = RepositoryWriter(self.store, writer(host), recipients(*self.readers), settings)
        opened = archive.open_account(account, f"https://dav.example.org/{account}/")
        for change in changes:
            opened.append(change)
        outcome = opened.commit("f0", guarded=False)
        archive.close({account: "ok"})
        state = self.held.setdefault(account, {})
        for change in changes:
            remember(state, change)
        assert outcome.snapshot is not None
        self.expected[outcome.snapshot] = {key: dict(each) for key, each in state.items()}
        return self.segments()[outcome.snapshot]

    def segments(self) -> dict[str, SegmentName]:
        """Return all segments by id, oldest first."""
        found = survey(self.store.list(names.ACCOUNTS))
        every = [each for listed in found for each in listed.segments.values()]
        every.sort(key=lambda each: (each.time, each.number))
        return {each.sha256: each for each in every}

    def path(self, name: str) -> Path:
        """Return where an object lies."""
        return self.root / name


def remember(state: State, change: Change) -> None:
    """Let a change happen to a plain model."""
    if change.href is None:
        if change.op in {Op.CALENDAR_GONE, Op.EXCLUDED}:
            state.pop(change.calendar, None)
    elif change.op in {Op.GONE, Op.EXCLUDED}:
        state.get(change.calendar, {}).pop(change.href, None)
    elif change.item is not None:
        state.setdefault(change.calendar, {})[change.href] = change.item.sha256


def calendar(identity: str, **properties: Any) -> Change:
    """Return the row of a calendar that was read."""
    return Change(op=Op.CALENDAR, calendar=identity, properties=Calendar(id=identity, **properties))


def event(
    href: str, calendar: str = "family", *, version: int = 1, uid: str | None = None, more: str = ""
) -> Change:
    """Return the row of a new or changed event."""
    uid = names.stem(href) if uid is None else uid
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//golden//EN",
        "BEGIN:VEVENT",
        *((f"UID:{uid}",) if uid else ()),
        "DTSTAMP:20260101T000000Z",
        f"DTSTART:202602{version:02}T100000Z",
        f"SEQUENCE:{version}",
        f"SUMMARY:{href} {version}",
        *more.splitlines(),
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return bytes_of(href, "\r\n".join(lines).encode(), calendar, etag=f'"{version}"', uid=uid)


def bytes_of(
    href: str, body: bytes, calendar: str = "family", *, etag: str = '"1"', uid: str = ""
) -> Change:
    """Return the row of an item with these bytes."""
    item = Item(calendar, href, etag, body, Provenance.GET)
    return Change(op=Op.ADD, calendar=calendar, href=href, item=item, etag=etag, uid=uid)


def about(op: Op, href: str | None, calendar: str = "family", **more: Any) -> Change:
    """Return a row without bytes."""
    return Change(op=op, calendar=calendar, href=href, **more)


def healthy(maker: Maker) -> None:
    """Everything that a healthy repository may hold, but for what came later."""
    weekly = (
        "RRULE:FREQ=WEEKLY\nEND:VEVENT\nBEGIN:VEVENT\nUID:weekly\nRECURRENCE-ID:20260208T100000Z"
    )
    maker.run(
        calendar("family", display_name="Family", color="#AABBCCFF", order=2, token="t1"),
        event("weekly.ics", more=weekly),
        event("Gr%C3%B6%C3%9Fe.ics"),
        event("no-uid.ics", uid=""),
        event("other-name.ics", uid="another@example.org"),
        bytes_of("line-ends.ics", b"BEGIN:VCALENDAR\nX:\xff\xfe\x00\nEND:VCALENDAR"),
        bytes_of("empty.ics", b""),
        event(f"{'long' * 60}.ics"),
        calendar("日本語 и русский", display_name="🗓", components=("VEVENT", "VTODO")),
        event("%F0%9F%8E%82.ics", "日本語 и русский"),
        about(Op.EXCLUDED, "private.ics", etag='"p"', valid_until=1767225600.0),
        about(Op.EXCLUDED, None, "birthdays", properties=Calendar(id="birthdays")),
        calendar("old", read_only=True),
        event("o.ics", "old"),
    )
    maker.run(calendar("plans"), event("p.ics", "plans"), account="work")
    maker.run(event("weekly.ics", version=2), about(Op.GONE, "empty.ics"))
    maker.run(about(Op.UNREAD, "no-uid.ics", reason="500 at the server"), event("new.ics"))
    maker.run(about(Op.CALENDAR_GONE, None, "old"))
    unread = Calendar(id="日本語 и русский")
    maker.run(about(Op.UNREAD, None, unread.id, reason="503", properties=unread))
    for version in range(2, 32):
        maker.run(
            event("p.ics", "plans", version=version % 28 + 1, more=f"X-A:{version}"), account="work"
        )
    for version in range(3):
        maker.run(event(f"late-{version}.ics", "plans"), account="work")
    maker.run(
        calendar("family", display_name="Family"),
        event("weekly.ics", version=3),
        *(about(Op.UNREAD, each, reason="500") for each in ("no-uid.ics", "new.ics", "never.ics")),
        about(Op.UNREAD, None, unread.id, reason="503", properties=unread),
        about(Op.GONE, "Gr%C3%B6%C3%9Fe.ics"),
        full=True,
    )
    # A new generation says everything again; what it does not say is gone.
    for href in ("other-name.ics", "line-ends.ics", f"{'long' * 60}.ics", "Gr%C3%B6%C3%9Fe.ics"):
        maker.held["home"]["family"].pop(href, None)
    maker.held["home"]["family"]["never.ics"] = None
    maker.expected[list(maker.segments())[-1]] = {
        key: dict(each) for key, each in maker.held["home"].items()
    }
    del maker.held["home"]
    maker.run(calendar("family"), event("from-two.ics"), host="two")
    maker.held["home"] = {"family": {}}


def small(maker: Maker) -> list[SegmentName]:
    """Two accounts and a few runs, to be damaged."""
    maker.run(calendar("family"), event("a.ics"), event("b.ics"))
    maker.run(event("c.ics"))
    maker.run(event("a.ics", version=2), about(Op.GONE, "b.ics"))
    maker.run(calendar("plans"), event("p.ics", "plans"), account="work")
    home = [each for each in maker.segments().values() if each.generation.stream == stream("home")]
    return sorted(home, key=lambda each: each.number)


def stream(account: str) -> str:
    """Return the name of an account's history."""
    return names.stream_name(writer("one").name_key, account)


# Damaging: each takes a repository as `small` left it, and the segments of the account `home`.


def packs(maker: Maker, name: SegmentName) -> list[str]:
    """Return the packs that a segment brought."""
    listed = maker.store.list(name.generation.folder)
    opened = document(maker, name)
    brought = {each[0] for each in opened["packs"]}
    return [each.name for each in listed if names.sha256_of(each.name) in brought]


def files(maker: Maker, name: SegmentName) -> dict[str, bytes]:
    """Return the members of a segment."""
    identities = keys.load_keyring([KEYS / "daily.txt"]).identities
    archive = envelope.unseal(name.name, maker.store.get(name.name), identities)
    return dict(envelope.unpack(name.name, archive, lambda *_: True))


def document(maker: Maker, name: SegmentName) -> dict[str, Any]:
    """Return what a segment says."""
    found: dict[str, Any] = json.loads(files(maker, name)[segment.DOCUMENT])
    return found


def replace_segment(
    maker: Maker,
    name: SegmentName,
    change: Callable[[dict[str, Any]], Any],
    *,
    rows: Callable[[bytes], bytes] = lambda each: each,
    signer: Writer | None = None,
    more: dict[str, bytes] | None = None,
) -> str:
    """Put a changed segment in the place of the newest one, sealed to the same readers."""
    parts = files(maker, name)
    parts[segment.CHANGES] = rows(parts[segment.CHANGES])
    said = json.loads(parts[segment.DOCUMENT])
    said["changes"] = hashlib.sha256(parts[segment.CHANGES]).hexdigest()
    change(said)
    parts[segment.DOCUMENT] = signed.encode(said)
    who = signer or writer("one")
    parts[segment.SIGNATURE] = who.signer.sign(segment.NAMESPACE, parts[segment.DOCUMENT])
    stored = sealed(maker, {**parts, **(more or {})})
    maker.path(name.name).unlink()
    return put_segment(maker, name, stored)


def sealed(maker: Maker, parts: dict[str, bytes]) -> bytes:
    """Return an object with these files, sealed to readers and writer."""
    made = envelope.Envelope(int(START.timestamp()))
    for member, content in parts.items():
        made.add(member, content)
    return made.seal((*recipients(*maker.readers), writer("one").metadata.recipient))


def put_segment(maker: Maker, name: SegmentName, stored: bytes) -> str:
    """Store bytes as a segment, under the name that fits them."""
    made = name.generation.segment(name.number, name.time, envelope.sha256(stored))
    maker.store.put(made, stored)
    return made


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    """Cut the last byte off."""
    path.write_bytes(path.read_bytes()[:-1])


def swap(one: Path, other: Path) -> None:
    """Exchange the bytes of two objects."""
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def fork(maker: Maker, home: list[SegmentName]) -> None:
    """A cloned machine appends to what it knows: two segments have one number."""
    away = maker.scratch / "away"
    maker.path(home[-1].name).rename(away)
    shutil.rmtree(maker.scratch / "one")
    maker.now = home[-1].time - timedelta(minutes=30)
    settings = Settings(pipeline="clone", state_dir=maker.scratch / "one", clock=lambda: maker.now)
    archive = RepositoryWriter(maker.store, writer("one"), recipients("daily"), settings)
    opened = archive.open_account("home", "https://dav.example.org/home/")
    opened.append(event("clone.ics"))
    opened.commit("f0", guarded=False)
    opened.abandon()
    away.rename(maker.path(home[-1].name))


def tombstone_of(maker: Maker, home: list[SegmentName], host: str) -> None:
    """Say that the generation is to be deleted."""
    said = Tombstone(
        repository=json.loads(maker.store.get(names.MARKER))["id"],
        generation=home[0].generation,
        time=maker.now,
        reason=Reason.EXPIRED,
    )
    signer = writer("one").signer if host == "one" else Signer.from_seed(bytes(32))
    name, stored = tombstone.build(said, signer)
    maker.store.put(name, stored)


def later_marker(maker: Maker, _: list[SegmentName]) -> None:
    """Have another version of the whole format."""
    path = maker.path(names.MARKER)
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))


def hostile(maker: Maker, home: list[SegmentName]) -> None:
    """Put a symbolic link into a validly encrypted archive."""
    parts = files(maker, home[-1])
    made = envelope.Envelope(0)
    made.add("../../etc/passwd", b"")
    for member, content in parts.items():
        made.add(member, content)
    frame = made._compressor
    link = bytearray(tar.header("link", 0, 0))
    link[156:157] = b"2"
    link[148:156] = b"%06o\0 " % (sum(link[:148]) + sum(link[156:]) + 8 * 32)
    frame.feed(bytes(link))
    maker.path(home[-1].name).unlink()
    put_segment(maker, home[-1], made.seal(recipients("daily")))


Damage = Callable[[Maker, list[SegmentName]], Any]
DAMAGES: Final[dict[str, Damage]] = {
    "small": lambda *_: None,
    "dropped-pack": lambda m, h: m.path(packs(m, h[0])[0]).unlink(),
    "dropped-base": lambda m, h: m.path(h[0].name).unlink(),
    "dropped-newest-segment": lambda m, h: m.path(h[2].name).unlink(),
    "gap": lambda m, h: m.path(h[1].name).unlink(),
    "flipped-pack": lambda m, h: flip(m.path(packs(m, h[0])[0])),
    "flipped-segment": lambda m, h: flip(m.path(h[2].name)),
    "truncated-pack": lambda m, h: cut(m.path(packs(m, h[1])[0])),
    "truncated-segment": lambda m, h: cut(m.path(h[2].name)),
    "truncated-run": lambda m, _: cut(max(m.root.glob("runs/*/*"))),
    "replayed-segment": lambda m, h: put_segment(
        m, replace(h[2], number=3), m.store.get(h[1].name)
    ),
    "replayed-under-another-name": lambda m, h: m.path(h[2].name).write_bytes(
        m.store.get(h[1].name)
    ),
    "swapped-packs": lambda m, h: swap(m.path(packs(m, h[0])[0]), m.path(packs(m, h[1])[0])),
    "unsigned": lambda m, h: replace_segment(
        m, h[2], lambda _: None, more={segment.SIGNATURE: b""}
    ),
    "signed-by-a-stranger": lambda m, h: replace_segment(
        m,
        h[2],
        lambda _: None,
        signer=replace(writer("one"), signer=Signer.from_seed(bytes(32))),
    ),
    "signed-by-another-host": lambda m, h: replace_segment(
        m, h[2], lambda _: None, signer=writer("two")
    ),
    "signed-for-another-account": lambda m, h: replace_segment(
        m, h[2], lambda each: each.update(stream=stream("work"))
    ),
    "signed-for-another-repository": lambda m, h: replace_segment(
        m, h[2], lambda each: each.update(repository="0" * 20)
    ),
    "other-rows": lambda m, h: replace_segment(
        m, h[2], lambda _: None, more={segment.CHANGES: b""}
    ),
    "fork": fork,
    "unknown-operation": lambda m, h: replace_segment(
        m, h[2], lambda _: None, rows=lambda each: each + b'[2,"a","family","a.ics"]\n'
    ),
    "later-repository": later_marker,
    "later-segment": lambda m, h: replace_segment(
        m, h[2], lambda each: each.update(format="caldav-run segment 2")
    ),
    "later-additions": lambda m, h: replace_segment(
        m,
        h[2],
        lambda each: each.update(novelty={"a": 1}),
        rows=lambda each: each.replace(b'"get"]', b'"get",{"novelty":1},"more"]'),
        more={"novelty.json": b"{}"},
    ),
    "hostile-archive": hostile,
    "tombstone-of-an-expired-one": lambda m, h: tombstone_of(m, h, "one"),
    "tombstone-by-a-stranger": lambda m, h: tombstone_of(m, h, "stranger"),
    "removed-signer": lambda *_: None,
    "bundle": lambda m, _: bundles.add(m.store, (KEYS / "daily.txt").read_text(), PASSPHRASE),
}


# Looking


def observed(folder: Path) -> dict[str, Any]:
    """Return what our reader lists, restores and reports of a golden repository."""
    reader = Reader(LocalStore(folder / "repository"), keys.load_keyring([identity(folder)]))
    try:
        snapshots = reader.snapshots()
    except CaldavRunError as error:
        return {"problems": [_named(error)], "snapshots": []}
    shown = [_shown(reader, each) for each in snapshots]
    return {"problems": [_named(each) for each in reader.problems], "snapshots": shown}


def _named(problem: CaldavRunError) -> str:
    """Return what a report has to name, whatever its words: an object, else what is missing."""
    name = re.search(r"(a|runs)/[0-9a-f-]+/[-0-9A-Za-z/*.]*[0-9a-z]", problem.message)
    said = re.search("the newest snapshot of [a-z]+ is missing|version 2", problem.message)
    return (name or said or [problem.message])[0]


def _shown(reader: Reader, snapshot: SnapshotInfo) -> dict[str, Any]:
    problem = snapshot.problem
    items: dict[str, str | None] = {}
    try:
        items = {} if problem else dict(_items(reader, snapshot))
    except CaldavRunError as error:
        problem = error
    return {
        "id": snapshot.id,
        "account": snapshot.account,
        "time": fields.stamp(snapshot.time),
        "counts": snapshot.counts and list(snapshot.counts),
        "problem": problem and _named(problem),
        "items": items,
    }


def identity(folder: Path) -> Path:
    """Return what opens a golden repository."""
    own = folder / "identity.txt"
    return own if own.exists() else KEYS / "daily.txt"


def _items(reader: Reader, snapshot: SnapshotInfo) -> Iterator[tuple[str, str | None]]:
    for each in reader.bodies(list(reader.items(snapshot))):
        yield f"{each.calendar}/{each.href}", each.sha256 if isinstance(each, Item) else None


def _expected(maker: Maker) -> dict[str, dict[str, str | None]]:
    return {
        snapshot: {
            f"{calendar}/{href}": sha256
            for calendar, items in state.items()
            for href, sha256 in items.items()
        }
        for snapshot, state in maker.expected.items()
    }


def _make(name: str, folder: Path, scratch: Path) -> None:
    readers = ("daily", "paper") if name == "healthy" else ("daily",)
    maker = Maker(folder / "repository", scratch, readers)
    if name == "healthy":
        healthy(maker)
    else:
        DAMAGES[name](maker, small(maker))
    if name == "removed-signer":
        home = [e for e in maker.segments().values() if e.generation.stream == stream("home")]
        text = (KEYS / "daily.txt").read_text()
        signer = writer("one").signer.fingerprint
        (folder / "identity.txt").write_text(
            text.replace(signer, f"{signer} until {home[1].sha256}")
        )
    found = observed(folder)
    if name == "healthy":
        wanted = _expected(maker)
        for each in found["snapshots"]:
            assert each["items"] == wanted[each["id"]], each
    (folder / "expected.json").write_text(
        json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def main() -> None:
    """Make what is missing."""
    for name in ("healthy", *DAMAGES):
        if (HERE / name).exists():
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, name)
            folder.mkdir()
            _make(name, folder, Path(scratch))
            shutil.copytree(folder, HERE / name)
        sys.stdout.write(f"made {name}\n")


if __name__ == "__main__":
    main()
