"""Calendars from a CalDAV account."""

from collections.abc import Iterator
from datetime import datetime
from typing import Self, TypeGuard

from caldav_run.connectors.caldav_settings import settings_from
from caldav_run.connectors.protocol import Baseline, Context
from caldav_run.connectors.selection import Selection
from caldav_run.dav import discovery
from caldav_run.dav.collections import Collection
from caldav_run.dav.discovery import Account
from caldav_run.dav.reading import AccountReader
from caldav_run.dav.settings import Settings
from caldav_run.model import CalendarExcluded, CalendarStart, Failed, Options, Reading


class CaldavSource:
    """Reads an account; see `schemas/sources/caldav.schema.json` for the options."""

    as_of: datetime | None = None

    def __init__(
        self, settings: Settings, account: str, selection: Selection, now: datetime
    ) -> None:
        """Take the options, without contacting anybody."""
        self.account = account
        self.selection = selection.text
        self._settings = settings
        self._selection = selection
        self._now = now
        self._found: Account | None = None

    @classmethod
    def from_options(cls, options: Options, context: Context) -> Self:
        """Make a source from checked options.

        Raises:
            SetupError: The connection's options cannot work together.
        """
        return cls(
            settings_from(options, context),
            str(options.get("account", context.name)),
            Selection.from_option(options.get("calendars")),
            context.now,
        )

    def origin(self) -> str:
        """Return the principal's URL and the user."""
        return self._account().origin

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield every calendar of the account and its members."""
        account = self._account()
        # Listed to the end first: an open answer would time out behind a slow sink.
        listed = list(account.collections())
        reader = AccountReader(
            account.connection, [each for each in listed if self._wants(each)], baseline, self._now
        )
        try:
            for each in listed:
                if isinstance(each, Failed):
                    yield each
                elif not self._wants(each):
                    yield CalendarExcluded(each.calendar)
                else:
                    yield CalendarStart(each.calendar)
                    yield from reader.members(each)
        finally:
            reader.close()

    def close(self) -> None:
        """Let go of the connection."""
        if self._found is not None:
            self._found.connection.close()
            self._found = None

    def _wants(self, each: Collection | Failed) -> TypeGuard[Collection]:
        return isinstance(each, Collection) and self._selection.selects(each.calendar)

    def _account(self) -> Account:
        if self._found is None:
            self._found = discovery.find(self._settings)
        return self._found
