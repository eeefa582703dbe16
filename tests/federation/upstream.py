"""An upstream OpenID provider inside the test process: what leaves Credence by its one way out arrives here.

    saint_anne = Upstream(app)                 # in force for the app from now on
    saint_anne.claims["email"] = "…"           # what it will say
    saint_anne.spoil = lambda claims: …        # the ID token's claims, last of all

It checks what a strict provider checks (code once, PKCE, client assertion), so a request that is wrong gets no token.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask

from idp.foundation import clock, house, jose, jwk
from idp.foundation.algorithms import Alg
from idp.foundation.jose import Purpose, SigningKey
from idp.foundation.outgoing import Outgoing, Reply
from idp.foundation.outgoing import Purpose as Errand
from idp.foundation.outgoing import Reason as Network
from idp.keyring.rules import Use
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused

ISSUER = "https://id.saintanne.example"


def new_key(kid: str, alg: Alg = Alg.ES256) -> tuple[SigningKey, dict[str, Any]]:
    members = {**jwk.generate(alg), "kid": kid}
    return SigningKey(kid, alg, jwk.read_private(members)), jwk.public_members(members)


def left_half(text: str, name: str = "sha256") -> str:
    digest = hashlib.new(name, text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


class Upstream:
    """One provider and, in place of `Outgoing`, everything that can be reached."""

    def __init__(self, app: Flask, issuer: str = ISSUER, *, client_id: str = "credence") -> None:
        self.issuer, self.client_id = issuer, client_id
        self.key, public = new_key("up-1")
        self.published: list[dict[str, Any]] = [public]
        self.document: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "end_session_endpoint": f"{issuer}/end",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.claims: dict[str, Any] = {
            "sub": "up-248289", "email": "maria@saintanne.example", "email_verified": True, "given_name": "Maria",
            "family_name": "Ortega", "sid": "up-session-1",
        }  # fmt: skip
        self.userinfo: dict[str, Any] = {"sub": "up-248289"}
        self.spoil: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.write: Callable[[dict[str, Any]], str] | None = None
        self.wants = issuer
        """The audience of assertions."""
        self.down = False
        self.lost: set[str] = set()
        """Paths that do not answer."""
        self.hits: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        house.furnish(app, self, kind=Outgoing)

    # as Outgoing

    def may_call(self, url: str) -> bool:
        return True

    def get(self, url: str, *, purpose: Errand, headers: Mapping[str, str] | None = None, **_: Any) -> Reply | Refused:
        assert purpose in {Errand.UPSTREAM_METADATA, Errand.JWKS_URI, Errand.UPSTREAM_USERINFO}
        documents = {
            "/.well-known/openid-configuration": self.document,
            "/keys": {"keys": self.published},
            "/userinfo": self.userinfo,
        }
        path = urlsplit(url).path
        self.hits.append(path)
        if self.down or path in self.lost or not url.startswith(f"{self.issuer}/"):
            return Refused(Network.UNREACHABLE)
        if path == "/userinfo" and not (headers or {}).get("Authorization", "").startswith("Bearer "):
            return Reply(401, {}, b"{}")
        return Reply(200, {}, json.dumps(documents[path]).encode())

    def post(
        self, url: str, *, purpose: Errand, body: bytes | None = None, headers: Any = None, **_: Any
    ) -> Reply | Refused:
        assert purpose is Errand.UPSTREAM_TOKEN
        self.hits.append("/token")
        if self.down or "/token" in self.lost:
            return Refused(Network.TOO_SLOW)
        sent = {name: values[0] for name, values in parse_qs((body or b"").decode()).items()}
        asked = self._codes.pop(sent.get("code", ""), None)
        if asked is None or not self._knows(sent) or not self._proves(asked, sent):
            return Reply(400, {}, b'{"error": "invalid_grant"}')
        return Reply(200, {}, json.dumps(self._tokens(asked, sent["code"])).encode())

    # as a provider

    def authorize(self, url: str, **changed: Any) -> str:
        """The person signs in there: the address that their browser is sent back to; `changed` parameters of the answer."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        usual = {"code": code, "state": asked["state"], "iss": self.issuer}
        answer = {name: value for name, value in (usual | changed).items() if value is not None}
        query = "&".join(f"{name}={value}" for name, value in answer.items())
        return f"{urlsplit(asked['redirect_uri']).path}?{query}"

    def logout_token(self, **changed: Any) -> str:
        now = int(clock.now().timestamp())
        usual = {
            "iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 120, "jti": secrets.token_urlsafe(8),
            "sub": self.claims["sub"], "sid": self.claims.get("sid"),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }  # fmt: skip
        claims = {name: value for name, value in (usual | changed).items() if value is not None}
        return jose.sign(claims, key=self.key, typ="logout+jwt")

    def rotate(self) -> None:
        self.key, public = new_key("up-2")
        self.published = [public]

    def _knows(self, sent: Mapping[str, str]) -> bool:
        ours = house.get(Keyring).upstream(Use.FEDERATION)
        assert ours is not None
        keys = jwk.read_set(json.loads(ours.jwks))
        read = jose.verify(
            sent.get("client_assertion", ""), purpose=Purpose.CLIENT_ASSERTION, keys=keys, issuer=self.client_id,
            audience=self.wants, now=clock.now(),
        )  # fmt: skip
        return not isinstance(read, Refused)

    def _proves(self, asked: Mapping[str, str], sent: Mapping[str, str]) -> bool:
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return challenge == asked["code_challenge"] and sent.get("redirect_uri") == asked["redirect_uri"]

    def _tokens(self, asked: Mapping[str, str], code: str) -> dict[str, Any]:
        now, access = int(clock.now().timestamp()), secrets.token_urlsafe(16)
        claims = {
            "iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 300, "auth_time": now,
            "nonce": asked["nonce"], "at_hash": left_half(access), "c_hash": left_half(code), **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in self.spoil(claims).items() if value is not None}
        token = self.write(claims) if self.write is not None else jose.sign(claims, key=self.key, typ="JWT")
        return {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": token}
