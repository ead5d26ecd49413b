"""File and folder names for hrefs and calendar ids: readable, and safe on every file system."""

import hashlib
import re
from typing import Final
from urllib.parse import unquote

SUFFIX: Final = ".ics"
MAX_NAME_BYTES: Final = 100

_CLEAN: Final = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9._@-]*")
_UNCLEAN_RUN: Final = re.compile(r"[^A-Za-z0-9._@-]+")
# Windows takes these for devices, whatever follows the first dot.
_DEVICE: Final = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")
_HASH_DIGITS: Final = 8


def plain_item_name(href: str) -> str | None:
    """Return the href itself where it is a safe name of an `.ics` file, else None."""
    return href if href.endswith(SUFFIX) and _is_safe(href) else None


def hashed_item_name(href: str) -> str:
    """Return a safe name that differs for each href: slug, `-`, 8 hex digits, `.ics`."""
    return _hashed(unquote(href).removesuffix(SUFFIX), href, fallback="item", suffix=SUFFIX)


def plain_folder_name(text: str) -> str | None:
    """Return a calendar's id or a source's name itself where it is a safe name, else None."""
    return text if _is_safe(text) else None


def hashed_folder_name(text: str) -> str:
    """Return a safe name that differs for each text: slug, `-`, 8 hex digits."""
    return _hashed(unquote(text), text, fallback="calendar", suffix="")


def folder_name(text: str) -> str:
    """Return the text where it is a safe name, else its hashed name."""
    return plain_folder_name(text) or hashed_folder_name(text)


def _is_safe(name: str) -> bool:
    return (
        len(name) <= MAX_NAME_BYTES
        and _CLEAN.fullmatch(name) is not None
        # Windows drops a dot at the end.
        and not name.endswith(".")
        and _DEVICE.match(name) is None
    )


def _hashed(readable: str, identity: str, *, fallback: str, suffix: str) -> str:
    room = MAX_NAME_BYTES - len("-") - _HASH_DIGITS - len(suffix)
    slug = _UNCLEAN_RUN.sub("-", readable).lstrip("-.")[:room].rstrip("-.")
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{slug or fallback}-{digest[:_HASH_DIGITS]}{suffix}"
