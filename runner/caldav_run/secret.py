"""Secrets that cannot be printed by accident, and the list of what must never be printed."""

import re
from collections.abc import Callable, Iterable
from typing import Final, NoReturn, final

MASK: Final = "***"
# Shorter ones are masked as whole words only: a password `at` must not make `l***est` of latest,
# which hides the report and, by its holes, tells the password.
_MASKED_ANYWHERE: Final = 8
_revealed: set[str] = set()


@final
class Secret:
    """A value that is looked up when it is needed, and shows itself as `***` everywhere else.

    Args:
        resolve: Looks the value up; called at most once.
    """

    __slots__ = ("_resolve", "_value")

    def __init__(self, resolve: Callable[[], str]) -> None:
        """Remember how to look the value up, without doing so."""
        self._resolve = resolve
        self._value: str | None = None

    @classmethod
    def of(cls, value: str) -> "Secret":
        """Wrap a value that is already at hand, as tests and the demo have it."""
        return cls(lambda: value)

    def reveal(self) -> str:
        """Return the value, and have `redact` hide it from now on.

        Raises:
            SetupError: The place that the pipeline names holds no such secret.
        """
        if self._value is None:
            self._value = self._resolve()
            hide([self._value])
        return self._value

    def __repr__(self) -> str:
        """Return the mask."""
        return MASK

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied into a file."""
        message = "a secret is not serialisable"
        raise TypeError(message)


def hide(values: Iterable[str]) -> None:
    """Have `redact` replace these values from now on; empty ones are passed over."""
    _revealed.update(value for value in values if value)


def redact(text: str) -> str:
    """Return the text with every revealed secret replaced by `***`.

    A secret of less than 8 characters is replaced where no letter or digit stands beside it.
    """
    # Longest first, so that a secret which contains another one is hidden whole.
    for value in sorted(_revealed, key=len, reverse=True):
        if len(value) < _MASKED_ANYWHERE:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text)
        else:
            text = text.replace(value, MASK)
    return text
