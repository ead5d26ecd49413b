"""Giving a login up."""

from caldav_run.dav.oauth2 import wire
from caldav_run.dav.oauth2.access import Login
from caldav_run.dav.oauth2.store import intact


def forget(login: Login) -> bool:
    """Take the tokens back where the provider offers it (RFC 7009), then delete them.

    Returns:
        Whether the provider took them back.

    Raises:
        ConnectorError: The provider could not be asked; the tokens are deleted all the same.
        SetupError: They could not be deleted.
    """
    with login.store.lock():
        held = intact(login.store)
        login.store.delete()
    if held is None:
        return False
    endpoints = login.client.endpoints(login.network)
    if endpoints.revoke_url is None:
        return False
    # Taking the refresh token back ends what came of it (section 2.1).
    kind = "access_token" if held.refresh is None else "refresh_token"
    form = {"token": held.refresh or held.access, "token_type_hint": kind}
    wire.post(endpoints.revoke_url, form, login.client, endpoints, login.network)
    return True
