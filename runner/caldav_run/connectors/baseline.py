"""The baseline of who holds nothing."""

from collections.abc import Collection


class Nothing:
    """A baseline that holds nothing, so that everything is read."""

    def etag(self, calendar: str, href: str) -> None:
        """Know no etag."""

    def knows(self, calendar: str) -> bool:
        """Know no calendar."""
        del calendar
        return False

    def mark(self, calendar: str) -> None:
        """Know no mark."""

    def doubtful(self, calendar: str) -> Collection[str]:
        """Doubt nothing."""
        del calendar
        return ()

    def hrefs(self, calendar: str) -> Collection[str]:
        """Know no name."""
        del calendar
        return ()
