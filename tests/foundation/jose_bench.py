"""Keys and tokens for tests of signed tokens."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from idp.foundation import jose, jwk
from idp.foundation.algorithms import Alg
from idp.foundation.jose import Purpose, SigningKey
from idp.foundation.jwk import VerificationKey

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER = "https://credence.test"
CLIENT = "harborline-analytics"
TYPES = {
    Purpose.ACCESS_TOKEN: "at+jwt",
    Purpose.ID_TOKEN_HINT: "JWT",
    Purpose.CLIENT_ASSERTION: "JWT",
    Purpose.LOGOUT_TOKEN: "logout+jwt",
    Purpose.UPSTREAM_ID_TOKEN: "JWT",
    Purpose.UPSTREAM_LOGOUT: "logout+jwt",
    Purpose.PHONE_CALL: "phone+jwt",
}
UPSTREAM = "https://hospital.test"
_ISSUERS = {
    Purpose.CLIENT_ASSERTION: CLIENT,
    Purpose.UPSTREAM_ID_TOKEN: UPSTREAM,
    Purpose.UPSTREAM_LOGOUT: UPSTREAM,
    Purpose.PHONE_CALL: "k1",
}
"""Who makes such tokens, where it is not we."""


def members(alg: Alg, kid: str = "k1") -> dict[str, Any]:
    """The same private key every time for one algorithm and kid."""
    return _members(alg, kid)


@cache
def _members(alg: Alg, kid: str) -> dict[str, Any]:
    return {**jwk.generate(alg), "kid": kid}


def signing(alg: Alg = Alg.ES256, kid: str = "k1") -> SigningKey:
    return SigningKey(kid, alg, jwk.read_private(members(alg, kid)))


def verifying(alg: Alg = Alg.ES256, kid: str = "k1") -> VerificationKey:
    key = jwk.read_public(jwk.public_members(members(alg, kid)))
    assert key is not None
    return key


def claims(purpose: Purpose, **changed: Any) -> dict[str, Any]:
    """Good claims for a purpose; `None` takes one away."""
    usual: dict[Purpose, dict[str, Any]] = {
        Purpose.ACCESS_TOKEN: {"iss": ISSUER, "sub": "s", "client_id": CLIENT, "scope": "openid"},
        Purpose.ID_TOKEN_HINT: {"iss": ISSUER, "sub": "s", "sid": "x"},
        Purpose.CLIENT_ASSERTION: {"iss": CLIENT, "sub": CLIENT},
        Purpose.LOGOUT_TOKEN: {
            "iss": ISSUER,
            "sub": "s",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        },
    }
    usual[Purpose.UPSTREAM_ID_TOKEN] = {"iss": UPSTREAM, "sub": "s", "nonce": "n"}
    usual[Purpose.UPSTREAM_LOGOUT] = usual[Purpose.LOGOUT_TOKEN] | {"iss": UPSTREAM}
    usual[Purpose.PHONE_CALL] = {"iss": "k1"}
    audience = ISSUER if purpose is Purpose.CLIENT_ASSERTION else CLIENT
    lasts = 60 if purpose is Purpose.PHONE_CALL else 300
    everything = {**usual[purpose], "aud": audience, "iat": AT, "exp": AT + lasts, "jti": "j", **changed}
    return {name: value for name, value in everything.items() if value is not None}


def token(purpose: Purpose, *, alg: Alg = Alg.ES256, **changed: Any) -> str:
    return jose.sign(claims(purpose, **changed), key=signing(alg), typ=TYPES[purpose])


def forge(header: Any, payload: Any, *, key: SigningKey | None = None) -> str:
    """A token whose parts are what the test says, JSON or raw bytes, rightly signed over them."""
    first = ".".join(
        encode(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, payload)
    )
    return f"{first}.{encode((key or signing()).sign_bytes(first.encode()))}"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read(text: str, purpose: Purpose = Purpose.ACCESS_TOKEN, **changed: Any) -> Mapping[str, Any] | Any:
    """`verify` as its caller for this purpose would, with the ES256 key `k1`."""
    assertion = purpose is Purpose.CLIENT_ASSERTION
    usual: dict[str, Any] = {
        "keys": [verifying()] if assertion else {"k1": verifying()},
        "issuer": _ISSUERS.get(purpose, ISSUER),
        "audience": ISSUER if assertion else CLIENT,
        "now": NOW,
    }
    return jose.verify(text, purpose=purpose, **(usual | changed))
