"""A provider at the network edge that a test can make lie: wrong issuer, wrong nonce, somebody else's UserInfo.

The relying parties' own checks are what is tested, so nothing of `idp` is used here.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

PERSON: dict[str, Any] = {
    "sub": "subject-1",
    "name": "Rosa Delgado",
    "given_name": "Rosa",
    "provider_id": "204817",
    "provider_name": "Harbor Point Family Medicine",
    "npi": "1598230471",
    "tin": "840000017",
    "entitlements": ["claims.inquiry"],
}


def sign(claims: dict[str, Any], *, key: RSAKey | ECKey, typ: str | None, alg: str = "RS256", **header: Any) -> str:
    start = {"alg": alg, "kid": key.kid, **header} | ({"typ": typ} if typ else {})
    return jwt.encode(start, claims, key, algorithms=[alg])


def at_hash(access_token: str) -> str:
    return urlsafe_b64encode(sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()


@dataclass
class LyingProvider:
    """Honest until told otherwise: each `…_lies` is laid over what the truth would be."""

    server: HTTPServer
    client_id: str
    clock: Callable[[], datetime]
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}))
    nonce: str = ""
    auth_time: int = 0
    id_token_lies: dict[str, Any] = field(default_factory=dict)
    userinfo_lies: dict[str, Any] = field(default_factory=dict)
    metadata_lies: dict[str, Any] = field(default_factory=dict)
    token_error: str | None = None
    expires_in: int = 300
    token_requests: list[dict[str, str]] = field(default_factory=list)
    token_headers: list[dict[str, str]] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.issuer = self.server.url_for("").rstrip("/")
        serve = self.server.expect_request
        serve("/.well-known/openid-configuration").respond_with_handler(lambda _: _json(self._metadata()))
        serve("/oauth/jwks").respond_with_handler(lambda _: _json({"keys": [self.key.as_dict(private=False)]}))
        serve("/oauth/token", method="POST").respond_with_handler(self._token)
        serve("/oauth/userinfo").respond_with_handler(lambda _: _json({**PERSON, **self.userinfo_lies}))
        serve("/oauth/revoke", method="POST").respond_with_handler(self._revoke)

    def logout_token(self, *, typ: str = "logout+jwt", **lies: Any) -> str:
        moment = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": moment,
            "exp": moment + 120,
            "jti": "logout-1",
            "sid": "session-1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        return sign(_without_none({**claims, **lies}), key=self.key, typ=typ)

    def id_token(self, **lies: Any) -> str:
        moment = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": moment,
            "exp": moment + 300,
            "auth_time": self.auth_time,
            "nonce": self.nonce,
            "sid": "session-1",
            **{name: PERSON[name] for name in ("sub", "provider_id", "npi", "tin", "provider_name")},
        }
        return sign(_without_none({**claims, **lies}), key=self.key, typ="JWT")

    def access_token(self, *, audience: str, typ: str = "at+jwt", **lies: Any) -> str:
        moment = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": audience,
            "iat": moment,
            "exp": moment + 300,
            "jti": "access-1",
            "sub": PERSON["sub"],
            "client_id": self.client_id,
            "scope": "openid provider_id",
            "provider_id": PERSON["provider_id"],
        }
        return sign(_without_none({**claims, **lies}), key=self.key, typ=typ)

    def _metadata(self) -> dict[str, Any]:
        names = ("authorization", "token", "userinfo", "revocation", "end_session")
        paths = ("authorize", "token", "userinfo", "revoke", "logout")
        endpoints = {f"{name}_endpoint": f"{self.issuer}/oauth/{path}" for name, path in zip(names, paths, strict=True)}
        document = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/oauth/jwks", **endpoints}
        return document | self.metadata_lies

    def _token(self, request: Request) -> Response:
        self.token_requests.append(
            {name: values[0] for name, values in parse_qs(request.get_data(as_text=True)).items()}
        )
        self.token_headers.append(dict(request.headers))
        if self.token_error:
            return _json({"error": self.token_error}, status=400)
        access_token = self.access_token(audience=self.issuer)
        answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": self.expires_in}
        if self.token_requests[-1]["grant_type"] != "client_credentials":
            lies = {"at_hash": at_hash(access_token), **self.id_token_lies}
            answer |= {"refresh_token": f"refresh-{len(self.token_requests)}", "id_token": self.id_token(**lies)}
        return _json(answer)

    def _revoke(self, request: Request) -> Response:
        self.revoked.append(request.form["token"])
        return Response("", 200)


def later(moment: datetime, **much: int) -> datetime:
    return moment + timedelta(**much)


def _without_none(claims: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")
