"""The tokens of one login."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from caldav_run.errors import ConnectorError, SetupError
from caldav_run.secret import hide

# An answer without a lifetime (RFC 6749 recommends one): its end shows by a 401.
_FOREVER: Final = 0.0
_LONGEST_MARGIN_S: Final = 60.0
_MARGIN: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a provider gave.

    Attributes:
        access: What the CalDAV server is asked with.
        refresh: What a new access token is asked for with; None where the provider gave none.
        expires_at: When the access token ends, in seconds since 1970; 0 when that is not known.
        lifetime_s: How long it was good for in all.
    """

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_at: float = _FOREVER
    lifetime_s: float = 0.0

    def __post_init__(self) -> None:
        """Have no output show the tokens."""
        hide([self.access, self.refresh or ""])

    @classmethod
    def of_answer(cls, answer: Mapping[str, Any], now: float, before: Self | None = None) -> Self:
        """Return what an answer of the token endpoint gives (RFC 6749 section 5.1).

        Args:
            answer: The answer.
            now: When it came, in seconds since 1970.
            before: What was held before, whose refresh token stays where no new one comes.

        Raises:
            ConnectorError: It gives no bearer token.
        """
        access, kind = answer.get("access_token"), str(answer.get("token_type", "bearer"))
        if not isinstance(access, str) or not access or kind.lower() != "bearer":
            raise ConnectorError("the provider gave no bearer token", mend="check the endpoints")
        refresh, kept = answer.get("refresh_token"), None if before is None else before.refresh
        try:
            lifetime_s = max(0.0, float(answer.get("expires_in") or 0))
        except (TypeError, ValueError):
            lifetime_s = 0.0
        return cls(
            access=access,
            refresh=refresh if isinstance(refresh, str) and refresh else kept,
            expires_at=now + lifetime_s if lifetime_s else _FOREVER,
            lifetime_s=lifetime_s,
        )

    @classmethod
    def of_document(cls, document: Any) -> Self:
        """Return what `document` gave.

        Raises:
            SetupError: It is none of ours.
        """
        try:
            return cls(
                access=str(document["access_token"]),
                refresh=document["refresh_token"] and str(document["refresh_token"]),
                expires_at=float(document["expires_at"]),
                lifetime_s=float(document["lifetime"]),
            )
        except (TypeError, KeyError, ValueError):
            raise SetupError("what is kept of the login is damaged") from None

    def document(self) -> dict[str, Any]:
        """Return the tokens as they are kept."""
        return {
            "access_token": self.access,
            "refresh_token": self.refresh,
            "expires_at": self.expires_at,
            "lifetime": self.lifetime_s,
        }

    def near_its_end(self, now: float) -> bool:
        """Return whether a new token should be had before the next request."""
        margin_s = min(_LONGEST_MARGIN_S, self.lifetime_s * _MARGIN)
        return self.expires_at != _FOREVER and now >= self.expires_at - margin_s

    def over(self, now: float) -> bool:
        """Return whether the access token is known to be good for nothing."""
        return self.expires_at != _FOREVER and now >= self.expires_at
