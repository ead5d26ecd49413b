"""What a misspelt word may have been meant as."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_LONGEST_GUESS: Final = 60
"""Characters; comparing costs the product of two lengths."""


def similar(word: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the known word that is nearest, if one is near."""
    if len(word) > _LONGEST_GUESS:
        return None
    candidates = {one.lower(): one for one in known}
    close = get_close_matches(word.lower(), list(candidates), n=1)
    return f'did you mean "{candidates[close[0]]}"?' if close else None
