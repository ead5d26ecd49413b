"""Names in the store: what an object is called, and what its name tells."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

MARKER: Final = "format.json"
README: Final = "README.txt"
ACCOUNTS: Final = "a/"
RUNS: Final = "runs/"
BUNDLES: Final = "keys/"
_TIME: Final = "%Y%m%dT%H%M%SZ"
_SUFFIX: Final = ".tar.zst.age"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._@-]+")
_STREAM: Final = r"a/(?P<stream>[0-9a-f]{20})"
_GENERATION: Final = (
    r"(?P<generation>(?P<begun>[0-9]{8}T[0-9]{6}Z)-(?P<writer>[0-9a-f]{8})-[0-9a-f]{6})"
)
_PACK_NAME: Final = re.compile(
    rf"{_STREAM}/{_GENERATION}/pack-(?P<sha256>[0-9a-f]{{64}})\.tar\.zst\.age"
)
_SEGMENT_NAME: Final = re.compile(
    rf"{_STREAM}/{_GENERATION}/seg-(?P<number>[0-9]{{8}})-(?P<time>[0-9]{{8}}T[0-9]{{6}}Z)"
    r"-(?P<sha256>[0-9a-f]{64})\.tar\.zst\.age"
)
_RUN_NAME: Final = re.compile(
    r"runs/[0-9]{4}-[0-9]{2}/(?P<time>[0-9]{8}T[0-9]{6}Z)-(?P<writer>[0-9a-f]{8})"
    r"-(?P<sha256>[0-9a-f]{64})\.tar\.zst\.age"
)
_TOMBSTONE_NAME: Final = re.compile(
    rf"{_STREAM}/{_GENERATION}/zz-expire-(?P<time>[0-9]{{8}}T[0-9]{{6}}Z)-(?P<sha256>[0-9a-f]{{64}})"
)
_BUNDLE_NAME: Final = re.compile(r"keys/([0-9a-f]{64})\.age")
_SLUG_LENGTH: Final = 40
_HREF_LENGTH: Final = 60


@dataclass(frozen=True, slots=True, order=True)
class GenerationName:
    """One full backup and the log after it; later ones sort behind earlier ones.

    Attributes:
        name: `<utc>-<writer8>-<rand6>`.
        stream: The account's history that it belongs to.
        writer: Eight hex digits of the writer.
        begun: When it was begun.
    """

    name: str
    stream: str
    writer: str
    begun: datetime

    @property
    def folder(self) -> str:
        """The prefix of its objects' names, with a final slash."""
        return f"{ACCOUNTS}{self.stream}/{self.name}/"

    def pack(self, sha256: str) -> str:
        """Return the name of one of its packs."""
        return f"{self.folder}pack-{sha256}{_SUFFIX}"

    def segment(self, number: int, time: datetime, sha256: str) -> str:
        """Return the name of one of its segments."""
        return f"{self.folder}seg-{number:08}-{compact(time)}-{sha256}{_SUFFIX}"

    def tombstone(self, time: datetime, sha256: str) -> str:
        """Return the name of a tombstone on it: behind its other objects, so deleted last."""
        return f"{self.folder}zz-expire-{compact(time)}-{sha256}"


@dataclass(frozen=True, slots=True)
class SegmentName:
    """A segment as its name tells it; its hash is the snapshot's id."""

    name: str
    generation: GenerationName
    number: int
    time: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class TombstoneName:
    """A tombstone as its name tells it."""

    name: str
    generation: GenerationName
    time: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class RunName:
    """A run record as its name tells it."""

    name: str
    time: datetime
    writer: str


def compact(time: datetime) -> str:
    """Return a time as names hold it: `20260501T080000Z`."""
    utc = time.astimezone(UTC)
    # `%Y` leaves the zeros of early years out.
    return f"{utc.year:04}{utc:%m%dT%H%M%SZ}"


def parse_compact(text: str) -> datetime:
    """Read a time as names hold it.

    Raises:
        ValueError: It is none, as an invented month.
    """
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def stream_name(name_key: bytes, account: str) -> str:
    """Return the name of an account's history: nobody without the key can guess accounts."""
    return hmac.new(name_key, account.encode(), hashlib.sha256).hexdigest()[:20]


def writer_of(fingerprint: str) -> str:
    """Return the eight hex digits that stand for a signer in names: its hash's first ones."""
    return base64.b64decode(fingerprint.removeprefix("SHA256:") + "=").hex()[:8]


def new_generation(stream: str, writer: str, now: datetime) -> GenerationName:
    """Return the name of a generation that begins now."""
    name = f"{compact(now)}-{writer}-{secrets.token_hex(3)}"
    return GenerationName(name, stream, writer, now)


def rewritten_generation(
    original: GenerationName, writer: str, taken: Collection[str]
) -> GenerationName:
    """Return the name of what a generation is rewritten to.

    It has the original's time, and sorts before it: a rewriting that was cut off must not be taken
    for the newest generation.

    Args:
        original: The generation.
        writer: Who rewrites it.
        taken: Names of generations that are there.
    """
    while True:
        end = (int(original.name[-6:], 16) - 1 - secrets.randbelow(4096)) % 0x1000000
        name = f"{compact(original.begun)}-{writer}-{end:06x}"
        if name not in taken:
            return GenerationName(name, original.stream, writer, original.begun)


def run_name(time: datetime, writer: str, sha256: str) -> str:
    """Return the name of a run record."""
    return f"{RUNS}{time.year:04}-{time:%m}/{compact(time)}-{writer}-{sha256}{_SUFFIX}"


def parse_segment(name: str) -> SegmentName | None:
    """Return what a segment's name tells, or None for any other name."""
    match = _SEGMENT_NAME.fullmatch(name)
    try:
        return match and SegmentName(
            name,
            _generation(match),
            int(match["number"]),
            parse_compact(match["time"]),
            match["sha256"],
        )
    except ValueError:
        return None


def parse_pack(name: str) -> GenerationName | None:
    """Return the generation that a pack's name tells, or None for any other name."""
    match = _PACK_NAME.fullmatch(name)
    try:
        return match and _generation(match)
    except ValueError:
        return None


def parse_tombstone(name: str) -> TombstoneName | None:
    """Return what a tombstone's name tells, or None for any other name."""
    match = _TOMBSTONE_NAME.fullmatch(name)
    try:
        return match and TombstoneName(
            name, _generation(match), parse_compact(match["time"]), match["sha256"]
        )
    except ValueError:
        return None


def parse_run(name: str) -> RunName | None:
    """Return what a run record's name tells, or None for any other name."""
    match = _RUN_NAME.fullmatch(name)
    try:
        return match and RunName(name, parse_compact(match["time"]), match["writer"])
    except ValueError:
        return None


def bundle_name(sha256: str) -> str:
    """Return the name of a passphrase bundle."""
    return f"{BUNDLES}{sha256}.age"


def parse_bundle(name: str) -> str | None:
    """Return the hash in a passphrase bundle's name, or None for any other name."""
    match = _BUNDLE_NAME.fullmatch(name)
    return match and match[1]


def sha256_of(name: str) -> str:
    """Return the hash that the name of an object ends with, before its suffix."""
    return parse_bundle(name) or name.removesuffix(_SUFFIX)[-64:]


def member(number: int, calendar: str, href: str) -> str:
    """Return an item's name in its pack: told apart by number, readable by its href."""
    stem = _safe(href.removesuffix(".ics"), _HREF_LENGTH) or "item"
    return f"{_safe(calendar, _SLUG_LENGTH) or 'calendar'}/{number:06}-{stem}.ics"


def stem(href: str) -> str:
    """Return the UID that an href suggests: percent-decoded, without folders and `.ics`."""
    return unquote(href.rpartition("/")[2].removesuffix(".ics"))


def _safe(text: str, length: int) -> str:
    return _UNSAFE.sub("-", unquote(text)).strip("-.")[:length]


def _generation(match: re.Match[str]) -> GenerationName:
    begun = parse_compact(match["begun"])
    return GenerationName(match["generation"], match["stream"], match["writer"], begun)
