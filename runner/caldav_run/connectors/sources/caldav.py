"""Calendars from a CalDAV account."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Self, TypeGuard

from caldav_run import shelf
from caldav_run.connectors.attached import Attached
from caldav_run.connectors.caldav_settings import settings_from
from caldav_run.connectors.protocol import Baseline, Context
from caldav_run.connectors.remembered import Remembered
from caldav_run.connectors.selection import Selection
from caldav_run.dav import discovery
from caldav_run.dav.collections import Collection
from caldav_run.dav.discovery import Account, Kind
from caldav_run.dav.profiles import Profile
from caldav_run.dav.reading import AccountReader
from caldav_run.dav.settings import Settings
from caldav_run.dav.signpost import Signpost
from caldav_run.errors import CaldavRunError, ConnectorError, TemporaryError
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    Failed,
    Options,
    Reading,
)

_UNNAMED: Final = (
    "the server does not tell its name ({}), so that it is not known whether it was chosen;"
    " choose it by its id in the address, and exclude nothing"
)


class CaldavSource:
    """Reads an account; see `schemas/sources/caldav.schema.json` for the options."""

    as_of: datetime | None = None

    def __init__(
        self, settings: Settings, selection: Selection, account: str, context: Context
    ) -> None:
        """Take the options, without contacting anybody."""
        self.account = account
        self.selection = selection.text
        self._settings = settings
        self._selection = selection
        self._now = context.now
        self._remembered = Remembered.of(settings, context.state_dir, context.now)
        self._listed: Sequence[Collection | Failed] | None = None
        self._found: Account | None = None
        self._signpost = Signpost()
        self._unlisted: list[ConnectorError] = []

    @classmethod
    def from_options(cls, options: Options, context: Context) -> Self:
        """Make a source from checked options.

        Raises:
            SetupError: The connection's options cannot work together.
        """
        return cls(
            settings_from(options, context),
            Selection.from_option(options.get("calendars")),
            str(options.get("account", context.name)),
            context,
        )

    def origin(self) -> str:
        """Return the principal's URL and the user."""
        return self._account().origin

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield every calendar of the account and its members."""
        account = self._account()
        # Listed to the end first: an open answer would time out behind a slow sink.
        listed, self._listed = self._listed, None
        if listed is None:
            self._signpost = Signpost()
            listed = list(account.collections(self._signpost.look, self._unlisted))
            self._remembered.keep(account, self._signpost.told)
        wanted = [each for each in listed if self._wants(each)]
        profile = self._remembered.profile(account, wanted)
        urls = {each.calendar.id: each.url for each in wanted}
        attached = Attached(account.connection, baseline, urls, all_named=not self._unlisted)
        reader = AccountReader(account.connection, wanted, baseline, self._now, profile)
        try:
            for each in listed:
                yield from attached.follow(self._read(account, each, reader, profile))
        except CaldavRunError as broken_off:
            yield from attached.owed(broken_off)
            raise
        finally:
            reader.close()
        yield from attached.files()
        yield from self._of_account(baseline)
        # What lies in another home was read all the same, and nothing is taken for gone.
        for error in self._unlisted:
            raise error

    def _read(
        self,
        account: Account,
        each: Collection | Failed,
        reader: AccountReader,
        profile: Profile,
    ) -> Iterator[Reading]:
        if isinstance(each, Failed):
            yield each
        elif self._cannot_tell(each):
            yield Failed(each.calendar.id, None, _UNNAMED.format(each.unnamed))
        elif not self._wants(each):
            yield CalendarExcluded(each.calendar)
        else:
            yield CalendarStart(each.calendar, _note(account, each, profile))
            yield from reader.members(each)

    def _of_account(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield what belongs to no calendar."""
        found = self._signpost
        if found.availability is not None:
            yield CalendarStart(
                Calendar(
                    id=shelf.ACCOUNT,
                    display_name="Account",
                    read_only=True,
                    availability=found.availability,
                )
            )
            yield CalendarDone(shelf.ACCOUNT)
        elif found.withheld and baseline.knows(shelf.ACCOUNT):
            yield Failed(shelf.ACCOUNT, None, f"the server does not tell: {found.withheld}")

    def close(self) -> None:
        """Let go of the connection."""
        if self._found is not None:
            self._found.connection.close()
            self._found = self._listed = None

    def _wants(self, each: Collection | Failed) -> TypeGuard[Collection]:
        if not isinstance(each, Collection) or self._cannot_tell(each):
            return False
        return self._selection.selects(each.calendar)

    def _cannot_tell(self, each: Collection) -> bool:
        # Neither left out in silence, nor given to a destination that it may be kept from.
        return each.unnamed != 0 and self._selection.hangs_on_name(each.calendar)

    def _account(self) -> Account:
        if self._found is None:
            self._found = self._known_account() or discovery.find(self._settings)
        return self._found

    def _known_account(self) -> Account | None:
        """Return the account where it was last time, if there are calendars still.

        Raises:
            ConnectorError: It does not answer for now, and is not found elsewhere.
        """
        account = self._remembered.account()
        if account is None:
            return None
        signpost, found = Signpost(), None
        try:
            listed = list(account.collections(signpost.look))
            if listed and self._remembered.agrees(signpost.told):
                self._listed, self._signpost = listed, signpost
                return account
        except TemporaryError:
            # It may have moved. Where it is not found, what is remembered outlasts the outage.
            account.connection.close()
            found = discovery.find(self._settings)
        except ConnectorError:
            pass  # Whatever it is, looking again finds it out, or says what is wrong.
        self._remembered.forget()
        account.connection.close()
        return found


def _note(account: Account, collection: Collection, profile: Profile) -> str | None:
    if collection.unnamed:
        return f"the server does not tell its name ({collection.unnamed})"
    shared = account.kind(collection) is Kind.SHARED
    return profile.share_note(account.owner_name(collection)) if shared else None
