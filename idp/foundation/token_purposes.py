"""What a token may be presented as, and what each of them must then be: the table that `jose.verify` reads."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

LEEWAY: Final = timedelta(seconds=60)
"""How far another clock may be off (SECURITY R-19)."""


@dataclass(frozen=True, slots=True)
class Rules:
    types: frozenset[str | None]
    required: frozenset[str]
    max_age: timedelta
    """From `iat` backwards and, where `exp` counts, from now forwards."""
    expires: bool = True
    one_audience: bool = True
    ahead: timedelta = LEEWAY
    """How far `iat` and `nbf` may lie in the future."""
    forbidden: frozenset[str] = frozenset()
    ignores: frozenset[str] = frozenset()
    """Names of the header that may stand there and say nothing to us."""


THUMBPRINTS: Final = frozenset({"x5t", "x5t#S256"})
"""Thumbprints of a certificate (RFC 7515 §4.1.7), which AD FS writes beside `kid`: they bring no key."""


class Purpose(Enum):
    """What a token is presented as. One of another purpose is never taken for it (KY-08, LO-06, LO-11)."""

    ACCESS_TOKEN = Rules(
        frozenset({"at+jwt"}),
        frozenset({"iss", "aud", "sub", "client_id", "iat", "exp", "jti"}),
        timedelta(hours=1),
        one_audience=False,
    )
    """RFC 9068 §4."""
    ID_TOKEN_HINT = Rules(
        frozenset({"JWT"}), frozenset({"iss", "aud", "sub", "iat", "exp"}), timedelta(days=1), expires=False
    )
    """RP-Initiated Logout §2: good after its `exp`, as long as the sign-in may live."""
    CLIENT_ASSERTION = Rules(
        frozenset({None, "JWT", "client-authentication+jwt"}),
        frozenset({"iss", "sub", "aud", "exp", "jti"}),
        timedelta(hours=1),
        ahead=timedelta(seconds=30),
    )
    """RFC 7523 §3; `iss` = `sub` = the client, one audience (ruling 16)."""
    LOGOUT_TOKEN = Rules(
        frozenset({"logout+jwt"}),
        frozenset({"iss", "aud", "iat", "exp", "jti", "events"}),
        timedelta(minutes=10),
        one_audience=False,
        forbidden=frozenset({"nonce"}),
    )
    """Back-Channel Logout §2.6."""
    UPSTREAM_ID_TOKEN = Rules(
        frozenset({None, "JWT"}),
        frozenset({"iss", "sub", "aud", "iat", "exp"}),
        timedelta(days=1),
        one_audience=False,
        ignores=THUMBPRINTS,
    )
    """OIDC Core §3.1.3.7, from a provider that people sign in at; `azp`, nonce and hashes are that room's to judge."""
    UPSTREAM_LOGOUT = Rules(
        frozenset({None, "JWT", "logout+jwt"}),
        frozenset({"iss", "aud", "iat", "jti", "events"}),
        timedelta(minutes=10),
        expires=False,
        one_audience=False,
        forbidden=frozenset({"nonce"}),
        ignores=THUMBPRINTS,
    )
    """Back-Channel Logout §2.6, from such a provider; older ones name no type and no `exp`."""
    PHONE_CALL = Rules(frozenset({"phone+jwt"}), frozenset({"iss", "aud", "iat", "exp"}), timedelta(minutes=2))
    """What an enrolled phone says to one address of ours; `iss` is the thumbprint of its key."""
