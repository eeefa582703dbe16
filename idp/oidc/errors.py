"""OAuth errors as values: returned, so that what a failure writes (a burned code, a revoked family) is committed."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class OAuthError:
    """RFC 6749 §5.2. `description` is ours and printable ASCII (§5.2, PROTOCOL 19); it never repeats the request."""

    error: str
    description: str = ""
    status: int = 400
    headers: tuple[tuple[str, str], ...] = field(default=())

    def as_json(self) -> dict[str, str]:
        return {"error": self.error, **({"error_description": self.description} if self.description else {})}


@dataclass(frozen=True, slots=True)
class RequestError(Refused):
    """An authorization request that can be answered only at the client's redirect URI."""

    description: str = ""


INVALID_CLIENT: Final = OAuthError(
    "invalid_client", "Client authentication failed.", 401, (("WWW-Authenticate", 'Basic realm="credence"'),)
)
"""The one answer for an unknown client, a wrong secret, a wrong method (TK-14), with the challenge that RFC 9110 §15.5.2 wants of every 401."""
INVALID_GRANT: Final = OAuthError("invalid_grant", "The grant is not valid, has expired or was used before.")
INVALID_SCOPE: Final = OAuthError("invalid_scope", "A scope was asked that cannot be given.")
UNAUTHORIZED_CLIENT: Final = OAuthError("unauthorized_client", "This client is not registered for this grant type.")
UNSUPPORTED_GRANT: Final = OAuthError("unsupported_grant_type", "This grant type is not supported.")
INVALID_REQUEST: Final = OAuthError("invalid_request", "The request is not well formed.")
INVALID_TARGET: Final = OAuthError("invalid_target", "This client is not registered for this resource.")
BUSY: Final = OAuthError("temporarily_unavailable", "Try again in a moment.", 503, (("Retry-After", "2"),))


def too_many(retry_after: timedelta | None) -> OAuthError:
    """RFC 6585 §4; always says when to come back."""
    wait = str(max(1, int((retry_after or timedelta(minutes=1)).total_seconds())))
    return OAuthError(
        "temporarily_unavailable", "Too many failed attempts. Try again later.", 429, (("Retry-After", wait),)
    )


def invalid_token(description: str = "The access token is not valid.") -> OAuthError:
    """RFC 6750 §3.1."""
    challenge = f'Bearer error="invalid_token", error_description="{description}"'
    return OAuthError("invalid_token", description, 401, (("WWW-Authenticate", challenge),))


NO_TOKEN: Final = OAuthError("invalid_request", "No access token was sent.", 401, (("WWW-Authenticate", "Bearer"),))
INSUFFICIENT_SCOPE: Final = OAuthError(
    "insufficient_scope",
    "The access token lacks the scope openid.",
    403,
    (("WWW-Authenticate", 'Bearer error="insufficient_scope", scope="openid"'),),
)
