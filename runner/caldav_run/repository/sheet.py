"""The recovery sheet: one page that gets the calendars back when everything else is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

_PAGE: Final = """\
caldav-run recovery sheet, {day}

Repository  {location}{endpoint}
Id          {id}
Signed by   {signers}
Opened by the identity of any of these recipients:
    {recipients}

Keep this page and the identity together, away from the machine that is backed
up. Without an identity nobody can open the backup, not even its owner. Keep
older identities too: what was stored before this one opens with them alone.

Identity (the line AGE-SECRET-KEY-1... of identity.txt, 74 characters)

{identity}

To get everything back, on any machine, write a file identity.txt that holds
the identity and, as comments, the signers:
    # trusted-signer: {trusted}
    AGE-SECRET-KEY-1...
{bundles}
In the following, VAULT is where the repository lies, see above.{copy}

WITH CALDAV-RUN, installed as its README says
    caldav-run snapshots --repository VAULT -i identity.txt
    caldav-run export --repository VAULT -i identity.txt latest --to calendars

WITH RESCUE.PY, one file out of caldav-run's source or wheel; it needs Python
3.8 or newer, and the programs age, zstd and ssh-keygen
    python3 rescue.py list VAULT -i identity.txt
    python3 rescue.py restore VAULT latest calendars -i identity.txt

WITH AGE, ZSTD AND TAR ALONE: every version of every event, unsorted
    for pack in VAULT/a/*/*/pack-*; do
        folder=$(basename "$pack"); mkdir "$folder"
        age -d -i identity.txt "$pack" | zstd -d | tar x -C "$folder"
    done
What belongs together is told by the seg-* files: see README.txt there.
"""
_NO_BUNDLE: Final = "Nothing else is secret, and nothing else is needed."
_BUNDLE: Final = """\
A passphrase opens the repository as well, and gives that file:
    age -d VAULT/keys/HASH.age > identity.txt"""
_COPY: Final = "\nFor the last two ways copy the bucket into a folder first, as with rclone."
_BLANK: Final = ("    " + "_" * 68,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a recovery sheet says.

    Attributes:
        location: Where the repository is.
        endpoint: The URL of its service, where the location does not tell.
        id: Its id.
        signers: Fingerprints of the backup hosts, the one in use first.
        recipients: Who can open it.
        bundles: Whether a passphrase opens it as well.
        day: When the sheet was made.
    """

    location: str
    endpoint: str | None
    id: str
    signers: Sequence[str]
    recipients: Sequence[str]
    bundles: bool
    day: date

    def text(self, identity: Sequence[str] = _BLANK) -> str:
        """Return the page.

        Args:
            identity: The lines that stand for the identity: room to write by default, so that
                the page holds no secret.
        """
        return _PAGE.format(
            day=self.day,
            location=self.location,
            endpoint=f"\nService     {self.endpoint}" if self.endpoint else "",
            id=self.id,
            identity="\n".join(identity),
            signers="\n            ".join(self.signers),
            recipients="\n    ".join(self.recipients),
            trusted="\n    # trusted-signer: ".join(self.signers),
            bundles=_BUNDLE if self.bundles else _NO_BUNDLE,
            copy=_COPY if "://" in self.location else "",
        )
