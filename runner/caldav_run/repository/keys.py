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
from caldav_run.repository import age, durable, names
from caldav_run.repository.sshsig import Signer
from caldav_run.secret import hide

IDENTITY: Final = "identity.txt"
RECIPIENTS: Final = "recipients.txt"
WRITER: Final = "writer.key"
_FOLDER_VARIABLE: Final = "CALDAV_RUN_CONFIG_DIR"
_MAX_FILE: Final = 1 << 20
_SIGNER: Final = re.compile(
    r"(?P<fingerprint>SHA256:[A-Za-z0-9+/]{43})"
    r"(?:\s+until(?P<until>(?:[\s,]+[0-9a-f]{64})*)\s*)?"
)
_MENDS: Final = {
    # A new identity opens no old backup.
    "identity": "name the file that opens this repository with --identity; "
    "a new repository and its keys are made by `caldav-run create`",
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
        folder: Holds `recipients.txt`, `writer.key` and, unless it was given, `identity.txt`.
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
    refuse_existing(folder, IDENTITY, RECIPIENTS, WRITER)
    identity, identity_text = age.new_identity()
    name_key = secrets.token_bytes(32).hex()
    fingerprint, writer_text = new_writer(name_key)
    lines = (
        "# caldav-run identity: opens every backup made to it. Keep a copy off this machine.",
        f"# public key: {identity.recipient}",
        f"# trusted-signer: {fingerprint}",
        f"# name-key: {name_key}",
        identity_text,
    )
    with durable.writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.write_new(folder / IDENTITY, durable.text_of(lines))
        durable.write_new(folder / RECIPIENTS, recipients_text(identity.recipient))
        durable.write_new(folder / WRITER, writer_text)
    return Keys(folder, identity.recipient, fingerprint)


def refuse_existing(folder: Path, *found: str) -> None:
    """Refuse to go on where one of the files exists.

    Raises:
        SetupError: One does.
    """
    for name in found:
        if (folder / name).exists():
            raise SetupError(
                f"{folder / name} exists and is not overwritten",
                mend="use it, or give another folder",
            )


def new_writer(name_key: str) -> tuple[str, str]:
    """Return a new signer's fingerprint, and the text of its writer key."""
    seed, metadata = secrets.token_bytes(32), age.new_identity()[1]
    lines = (
        "# caldav-run writer key: stays on the backup host; opens no event.",
        f"signer-seed: {base64.b64encode(seed).decode()}",
        f"name-key: {name_key}",
        f"metadata-key: {metadata}",
    )
    return Signer.from_seed(seed).fingerprint, durable.text_of(lines)


def recipients_text(recipient: str) -> str:
    """Return the text of a new file of recipients."""
    return durable.text_of(("# caldav-run recipients: public", recipient))


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
    return keyring_of({str(path): read(path, "identity") for path in paths}, trust)


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


def read(path: Path, what: str) -> str:
    """Return the text of a key file.

    Args:
        path: Which file.
        what: `identity`, `recipients` or `writer key`, for the error.

    Raises:
        SetupError: It is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
        if len(data) > _MAX_FILE:
            raise SetupError(f"{path} is too large: no {what} file is", mend=_MENDS[what])
        return data.decode()
    except FileNotFoundError as error:
        raise SetupError(f"there is no {what} file {path}", mend=_MENDS[what]) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SetupError(f"cannot read the {what} file {path}: {reason}") from error


def _identity(line: str, place: str) -> age.Identity:
    hide((line,))
    return age.parse_identity(line, place)


def _lines(path: Path, what: str) -> Iterator[str]:
    return _meant(read(path, what))


def _meant(text: str) -> Iterator[str]:
    lines = (line.strip() for line in text.splitlines())
    return (line for line in lines if line and not line.startswith("#"))


def _fields(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()
