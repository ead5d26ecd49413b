"""What producers call their events: UIDs, and names at the server."""

from random import Random
from typing import Final
from urllib.parse import quote
from uuid import UUID

_BASE32: Final = "0123456789abcdefghijklmnopqrstuv"


def uuid(random: Random) -> str:
    """Return a random UUID."""
    return str(UUID(int=random.getrandbits(128), version=4))


def hex_digits(random: Random, digits: int) -> str:
    """Return random hex digits."""
    return f"{random.getrandbits(4 * digits):0{digits}x}"


def google_uid(random: Random) -> str:
    """Return a UID as Google makes it."""
    return "".join(random.choices(_BASE32, k=26)) + "@google.com"


def apple_uid(random: Random) -> str:
    """Return a UID as Apple makes it."""
    return uuid(random).upper()


def outlook_uid(random: Random) -> str:
    """Return a UID as Outlook makes it: a GlobalObjectId in hex."""
    times = f"00000000{hex_digits(random, 16)}000000000000000010000000"
    return f"040000008200E00074C5B7101A82E008{times}{hex_digits(random, 32)}".upper()


def same(random: Random, uid: str) -> str:
    """Return the name that most programs give: the UID."""
    del random
    return f"{quote(uid, safe='@')}.ics"


def another(random: Random, uid: str) -> str:
    """Return the name that Nextcloud gives, which is not the UID."""
    del uid
    return f"{uuid(random).upper()}.ics"
