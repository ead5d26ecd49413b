"""The access token that a connection uses, renewed before it ends and when it is refused."""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from time import sleep as pause
from typing import Final

from caldav_run.dav.failures import InterruptedAnswerError, UnreachableError
from caldav_run.dav.oauth2 import wire
from caldav_run.dav.oauth2.grant import Grant
from caldav_run.dav.oauth2.provider import Client
from caldav_run.dav.oauth2.store import Store
from caldav_run.dav.oauth2.wire import Network, RefusalError
from caldav_run.errors import AccessError, SetupError, TemporaryError

_log: Final = logging.getLogger(__name__)
_SECOND_TRY_S: Final = 2.0
_KEY_LENGTH: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One login: who is asked, how, and where its tokens are kept.

    Attributes:
        client: This program at the provider.
        network: How the provider is reached.
        store: Where the tokens are kept.
        command: What a person runs to log in.
    """

    client: Client
    network: Network
    store: Store
    command: str

    @property
    def mend(self) -> str:
        """What to do when there is no login, or no good one."""
        return f"run: {self.command}"


def key_of(client: Client, url: str, username: str | None) -> str:
    """Return the name that the tokens of this account are kept under.

    Nothing of the pipeline is in it, so that several pipelines share one login.

    Args:
        client: This program at the provider.
        url: The account's URL.
        username: The account's user, where the pipeline names one.
    """
    parts = [client.name, client.client_id, sorted(client.scopes), url, username]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_KEY_LENGTH]


class Access:
    """Gives the token for the next request; for several threads at once.

    Args:
        login: The login.
        clock: Gives the seconds since 1970.
    """

    def __init__(self, login: Login, clock: Callable[[], float] = time.time) -> None:
        """Read and ask nothing yet."""
        self.login = login
        self._clock = clock
        self._held: Grant | None = None
        self._made = ""
        # Answers to an older one may come late, so that the last one says too little.
        self._accepted: set[str] = set()

    def bearer(self) -> str:
        """Return a token that is good by what is known of it.

        Raises:
            AccessError: There is no login, or the provider does not renew it.
            TemporaryError: The provider cannot be reached, and the token has ended.
        """
        held = self._held or self._stored()
        self._held = held
        if not held.near_its_end(self._clock()):
            return held.access
        try:
            return self._renewed(held).access
        except TemporaryError as error:
            if held.over(self._clock()):
                raise
            _log.warning("the login could not be renewed yet: %s", error.message)
            return held.access

    def accepted(self, token: str) -> None:
        """Remember that a server took this token."""
        self._accepted.add(token)

    def renew(self, refused: str) -> bool:
        """Have another token than the one that the server refused.

        Returns:
            Whether there is one; a new one that no server ever took is not renewed again.

        Raises:
            AccessError: The provider does not renew the login.
            TemporaryError: The provider cannot be reached.
        """
        held = self._held or self._stored()
        if held.access != refused:
            return True
        if refused == self._made and refused not in self._accepted:
            return False
        self._made = self._renewed(held).access
        return True

    def _stored(self) -> Grant:
        found = self.login.store.load()
        if found is None:
            raise AccessError(
                f"there is no login at {self.login.client.name} yet", mend=self.login.mend
            )
        return found

    def _renewed(self, held: Grant) -> Grant:
        store = self.login.store
        with store.lock():
            stored = self._stored()
            if stored.access != held.access and not stored.near_its_end(self._clock()):
                # Another run was first; asking with its old refresh token would end the login.
                self._held = stored
                return stored
            if stored.refresh is None:
                raise AccessError(
                    f"the login at {self.login.client.name} has ended, and the provider gave "
                    "nothing to renew it with",
                    mend=self.login.mend,
                )
            # The old refresh token may end with the answer: what cannot be kept is not asked for.
            store.save(stored)
            self._held = Grant.of_answer(self._asked(stored.refresh), self._clock(), stored)
            try:
                store.save(self._held)
            except SetupError as error:
                _log.warning("%s; this run goes on, then %s", error.message, self.login.mend)
        return self._held

    def _asked(self, refresh: str) -> wire.Answer:
        try:
            return self._ask(refresh)
        except (UnreachableError, InterruptedAnswerError):
            pause(_SECOND_TRY_S)
            return self._ask(refresh)

    def _ask(self, refresh: str) -> wire.Answer:
        login = self.login
        endpoints = login.client.endpoints(login.network)
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        try:
            return wire.post(endpoints.token_url, form, login.client, endpoints, login.network)
        except RefusalError as error:
            if error.code == "invalid_grant":
                raise AccessError(
                    f"the login at {login.client.name} was revoked or has ended",
                    mend=login.mend,
                ) from error
            raise
