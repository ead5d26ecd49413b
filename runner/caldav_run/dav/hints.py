"""What python-caldav knows of servers, as a profile needs it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from caldav_run.dav.profiles import Profile, Sync

_BAD: Final = frozenset({"unsupported", "ungraceful", "broken"})
# Servers that limit the rate of requests count those of all connections together.
_LIMITED: Final = 2


def seeded(profile: Profile, name: str) -> Profile:
    """Return a profile with what the library's `compatibility_hints` say of a server.

    Args:
        profile: What is known apart from them.
        name: What the library calls the server.
    """
    # A large table, and at hand anyhow once a connection has been opened.
    from caldav import compatibility_hints

    features: Mapping[str, Any] = getattr(compatibility_hints, name)
    found = profile.with_sync(_sync(features))
    limit = features.get("rate-limit")
    if isinstance(limit, Mapping) and limit.get("enable"):
        return replace(found, concurrency=min(found.concurrency, _LIMITED))
    return found


def _sync(features: Mapping[str, Any]) -> Sync:
    if _support(features, "sync-token") in _BAD:
        return Sync.NONE
    doubtful = _support(features, "sync-token") == "fragile"
    for each in ("sync-token.invalid-token", "sync-token.delete"):
        # "ungraceful" refuses, only not in the way that the standard asks for.
        doubtful = doubtful or _support(features, each) in {"broken", "unsupported"}
    return Sync.STALE_TOKENS if doubtful else Sync.TRUSTED


def _support(features: Mapping[str, Any], name: str) -> str:
    """Return how a feature is supported; the library writes that as text, map or truth value."""
    told = features.get(name, "full")
    if isinstance(told, Mapping):
        told = told.get("support", "full")
    if isinstance(told, bool):
        return "full" if told else "unsupported"
    return str(told)
