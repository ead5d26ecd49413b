"""Keys: what a backup host holds, and what opens a repository.

`identity.txt` opens everything and belongs away from the backup host; its comments carry what
else a reader needs. `writer.key` signs, names streams and opens the writer's own rows.
"""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from caldav_run.errors import SetupError
from caldav_run.repository import age, names
from caldav_run.repository.sshsig import Signer
from caldav_run.secret import hide

IDENTITY: Final = "identity.txt"
RECIPIENTS: Final = "recipients.txt"
WRITER: Final = "writer.key"
_FOLDER_VARIABLE: Final = "CALDAV_RUN_CONFIG_DIR"
_SIGNER: Final = re.compile(
    r"(?P<fingerprint>SHA256:[A-Za-z0-9+/]{43})"
    r"(?:\s+until(?P<until>(?:[\s,]+[0-9a-f]{64})*)\s*)?"
)
_MENDS: Final = {
    # A new identity opens no old backup.
    "identity": "name the file that opens this repository with --identity",
    "recipients": "name the file, or make keys with `caldav-run create`",
    "writer key": "make it and the repository with `caldav-run create`, or name the file",
}


@dataclass(frozen=True, slots=True)
class Writer:
    """What a backup host signs and names with.

    Attributes:
        signer: Its Ed25519 key.
        name_key: The key of stream names.
        metadata: The identity that opens its own segments and run records.
    """

    signer: Signer
    name_key: bytes = field(repr=False)
    metadata: age.Identity

    @property
    def name(self) -> str:
        """Eight hex digits that stand for it in object names."""
        return names.writer_of(self.signer.fingerprint)


@dataclass(frozen=True, slots=True)
class Keyring:
    """What a reader opens and believes with.

    Attributes:
        identities: Any of them may open an object.
        trusted: Fingerprints of the signers that are believed.
        removed: Signers that are believed no more, by fingerprint: the ids of the segments that
            still count, with their ancestors.
    """

    identities: tuple[age.Identity, ...]
    trusted: frozenset[str]
    removed: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[str]:
        """Fingerprints of all whose segments can count, whatever else is asked of them."""
        return self.trusted | self.removed.keys()

    def until(self, writer: str) -> frozenset[str] | None:
        """Return up to which segments a removed writer is believed; None for any other one.

        Args:
            writer: The eight hex digits that stand for it in names.
        """
        found = [ids for each, ids in self.removed.items() if names.writer_of(each) == writer]
        return found[0].union(*found) if found else None


@dataclass(frozen=True, slots=True)
class Keys:
    """New keys: where they lie, and what may be shown of them.

    Attributes:
        folder: Holds `identity.txt`, `recipients.txt` and `writer.key`.
        recipient: The public side of the identity.
        fingerprint: Of the writer's signer.
    """

    folder: Path
    recipient: str
    fingerprint: str


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where keys lie unless somebody says otherwise.

    Raises:
        SetupError: Nothing is chosen, and the user has no home.
    """
    if chosen := environment.get(_FOLDER_VARIABLE):
        return Path(chosen)
    config = environment.get("XDG_CONFIG_HOME")
    try:
        return (Path(config) if config else Path.home() / ".config") / "caldav-run"
    except RuntimeError as error:
        raise SetupError(
            "there is no home folder to keep keys in", mend=f"name a folder in {_FOLDER_VARIABLE}"
        ) from error


def create_keys(folder: Path) -> Keys:
    """Make an identity and a writer key.

    Raises:
        SetupError: One of the files exists: overwriting a key loses every backup made with it.
    """
    for name in (IDENTITY, RECIPIENTS, WRITER):
        if (folder / name).exists():
            raise SetupError(
                f"{folder / name} exists and is not overwritten",
                mend="use it, or give another folder",
            )
    identity, identity_text = age.new_identity()
    metadata_text = age.new_identity()[1]
    seed, name_key = secrets.token_bytes(32), secrets.token_bytes(32)
    signer = Signer.from_seed(seed)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(
            folder / IDENTITY,
            "# caldav-run identity: opens every backup made to it. Keep a copy off this machine.",
            f"# public key: {identity.recipient}",
            f"# trusted-signer: {signer.fingerprint}",
            f"# name-key: {name_key.hex()}",
            identity_text,
        )
        _write(folder / RECIPIENTS, "# caldav-run recipients: public", identity.recipient)
        _write(
            folder / WRITER,
            "# caldav-run writer key: stays on the backup host; opens no event.",
            f"signer-seed: {base64.b64encode(seed).decode()}",
            f"name-key: {name_key.hex()}",
            f"metadata-key: {metadata_text}",
        )
    except OSError as error:
        raise SetupError(f"cannot write keys to {folder}: {error.strerror}") from error
    return Keys(folder, identity.recipient, signer.fingerprint)


def load_writer(path: Path) -> Writer:
    """Read a writer key.

    Raises:
        SetupError: There is none, or it is broken.
    """
    fields = dict(_fields(line) for line in _lines(path, "writer key"))
    try:
        seed = base64.b64decode(fields["signer-seed"], validate=True)
        name_key = bytes.fromhex(fields["name-key"])
        metadata_text = fields["metadata-key"]
        hide((fields["signer-seed"], fields["name-key"], metadata_text))
        signer = Signer.from_seed(seed)
    except (KeyError, ValueError, binascii.Error):
        raise SetupError(f"{path} is no writer key", mend=_MENDS["writer key"]) from None
    return Writer(signer, name_key, age.parse_identity(metadata_text, str(path)))


def load_keyring(paths: Sequence[Path], trust: Iterable[str] = ()) -> Keyring:
    """Read identity files and the trusted signers in their comments.

    Args:
        paths: age identity files.
        trust: Fingerprints of further signers to believe.

    Raises:
        SetupError: A file is missing or holds no identity.
    """
    return keyring_of({str(path): _text(path, "identity") for path in paths}, trust)


def keyring_of(texts: Mapping[str, str], trust: Iterable[str] = ()) -> Keyring:
    """Read the texts of identity files.

    Args:
        texts: By the place where each stands, for errors.
        trust: Fingerprints of further signers to believe.

    Raises:
        SetupError: One of them holds no identity, or says of a signer what cannot be read.
    """
    identities: list[age.Identity] = []
    trusted, removed = set(trust), dict[str, frozenset[str]]()
    for place, text in texts.items():
        found = [_identity(line, place) for line in _meant(text)]
        if not found:
            raise SetupError(f"{place} holds no usable age identity", mend=_MENDS["identity"])
        identities += found
        for value in comments(text, "trusted-signer"):
            match = _SIGNER.fullmatch(value)
            if match is None:
                raise SetupError(
                    f"{place}: {value!r} is no trusted signer",
                    mend="write SHA256:…, and behind it for a removed one: until ID,ID",
                )
            if match["until"] is None:
                trusted.add(match["fingerprint"])
            else:
                ids = frozenset(filter(None, re.split(r"[,\s]+", match["until"])))
                removed[match["fingerprint"]] = removed.get(match["fingerprint"], ids) | ids
    # Whoever is removed anywhere is removed: an old copy of an identity file trusts it still.
    return Keyring(tuple(identities), frozenset(trusted - removed.keys()), removed)


def comments(text: str, wanted: str) -> Iterator[str]:
    """Yield what the comments `# wanted: …` of an identity file say."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (_fields(line.lstrip("# ")) for line in lines if line.startswith("#"))
    return (value for key, value in pairs if key == wanted)


def load_recipients(path: Path) -> tuple[str, ...]:
    """Read a file of age recipients, one a line.

    Raises:
        SetupError: It is missing, or holds anything else.
    """
    found = tuple(age.check_recipient(line, str(path)) for line in _lines(path, "recipients"))
    if not found:
        raise SetupError(f"{path} holds no age recipient", mend="give the public key, age1…")
    return found


def _identity(line: str, place: str) -> age.Identity:
    hide((line,))
    return age.parse_identity(line, place)


def _lines(path: Path, what: str) -> Iterator[str]:
    return _meant(_text(path, what))


def _meant(text: str) -> Iterator[str]:
    lines = (line.strip() for line in text.splitlines())
    return (line for line in lines if line and not line.startswith("#"))


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SetupError(f"there is no {what} file {path}", mend=_MENDS[what]) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SetupError(f"cannot read the {what} file {path}: {reason}") from error


def _fields(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()


def _write(path: Path, *lines: str) -> None:
    # The mode is given at creation: nobody may read the file for an instant either.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join((*lines, "")))
        file.flush()
        os.fsync(file.fileno())
