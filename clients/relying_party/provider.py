"""The OpenID Provider as seen from a relying party: discovery, keys, and the endpoints it calls."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, JWKRegistry, Key, KeySet

from clients.relying_party.manifest import Manifest
from clients.relying_party.tokens import Untrusted, kid_of

DISCOVERY_LIFETIME: Final = timedelta(minutes=10)
KEYS_AGAIN_AFTER: Final = timedelta(seconds=5)
"""A `kid` we do not know makes us fetch the keys again, but not for every forged token."""
LONGEST_ANSWER: Final = 512 * 1024


class ProviderUnavailable(Exception):
    """No usable answer; trying again later may help."""


class ProviderRefused(Exception):
    """An OAuth error answer; `code` is its `error`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Credentials:
    """How this client proves who it is; never in a log or a repr."""

    method: str
    secret: str | None = field(default=None, repr=False)
    key: Key | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, method: str) -> "Credentials":
        """From the files that PORTAL_CLIENT_SECRET_FILE or PORTAL_CLIENT_KEY_FILE name."""
        if method == "private_key_jwt":
            key = JWKRegistry.import_key(json.loads(_read("PORTAL_CLIENT_KEY_FILE")))
            return cls(method, key=key)
        return cls(method, secret=_read("PORTAL_CLIENT_SECRET_FILE").strip())


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token answer (RFC 6749 §5.1), with the time it runs out."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    scope: str = ""


class Provider:
    """One issuer, for one client. Safe to share between threads."""

    def __init__(self, issuer: str, *, manifest: Manifest, credentials: Credentials) -> None:
        self.issuer = issuer
        self.client_id = manifest.client_id
        self.redirect_uri = manifest.url("/callback")
        self._credentials = credentials
        self._transport = httpx2.HTTPTransport(trust_env=False)
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._metadata_until: datetime | None = None
        self._keys: KeySet | None = None
        self._keys_fetched: datetime | None = None

    def metadata(self, *, now: datetime) -> Mapping[str, Any]:
        """The discovery document; believed only when it speaks of this very issuer (Discovery §4.3)."""
        with self._lock:
            if self._metadata is None or self._metadata_until is None or now >= self._metadata_until:
                document = self._get_json(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
                if document.get("issuer") != self.issuer:
                    raise ProviderUnavailable("the discovery document names another issuer")
                self._metadata, self._metadata_until = document, now + DISCOVERY_LIFETIME
            return self._metadata

    def keys_for(self, token: str, *, now: datetime) -> KeySet:
        """The provider's public keys, fetched again when `token` names one that we do not hold."""
        kid = kid_of(token)
        jwks_uri = self.metadata(now=now)["jwks_uri"]
        with self._lock:
            known = self._keys is not None and any(key.kid == kid for key in self._keys.keys)
            recently = self._keys_fetched is not None and now - self._keys_fetched < KEYS_AGAIN_AFTER
            if self._keys is None or (not known and not recently):
                self._keys = KeySet.import_key_set({"keys": self._get_json(jwks_uri)["keys"]})
                self._keys_fetched = now
            if not any(key.kid == kid for key in self._keys.keys):
                raise Untrusted("unknown key")
            return self._keys

    def exchange(self, code: str, *, verifier: str, now: datetime, resource: str | None = None) -> Tokens:
        """A code for tokens (RFC 6749 §4.1.3, PKCE RFC 7636 §4.5)."""
        extra = {"resource": resource} if resource else {}
        return self._tokens(
            now,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=self.redirect_uri,
            **extra,
        )

    def refresh(self, refresh_token: str, *, now: datetime) -> Tokens:
        return self._tokens(now, grant_type="refresh_token", refresh_token=refresh_token)

    def by_itself(self, *, scope: str, resource: str, now: datetime) -> Tokens:
        """Client credentials (RFC 6749 §4.4): the client acts for nobody but itself."""
        return self._tokens(now, grant_type="client_credentials", scope=scope, resource=resource)

    def revoke(self, token: str, *, now: datetime) -> None:
        """Ends the grant that the token hangs on (RFC 7009); the provider's answer is the same for unknown tokens."""
        endpoint = self.metadata(now=now)["revocation_endpoint"]
        with self._client() as client:
            try:
                answer = client.revoke_token(endpoint, token=token, token_type_hint="refresh_token")
            except (httpx2.HTTPError, OAuthError) as error:
                raise ProviderUnavailable(type(error).__name__) from error
        if answer.status_code != 200:
            raise ProviderUnavailable(f"revocation answered {answer.status_code}")

    def userinfo(self, access_token: str, *, subject: str, now: datetime) -> dict[str, Any]:
        """Claims at UserInfo, of the very person the ID token spoke of (Core §5.3.2)."""
        endpoint = self.metadata(now=now)["userinfo_endpoint"]
        claims = self._get_json(endpoint, bearer=access_token)
        if claims.get("sub") != subject:
            raise Untrusted("UserInfo speaks of somebody else")
        return claims

    def _tokens(self, now: datetime, **parameters: str) -> Tokens:
        endpoint = self.metadata(now=now)["token_endpoint"]
        with self._client() as client:
            try:
                answer = client.fetch_token(endpoint, **parameters)
            except OAuthError as error:
                raise ProviderRefused(str(error.error)) from error
            except (httpx2.HTTPError, ValueError) as error:
                raise ProviderUnavailable(type(error).__name__) from error
        if str(answer.get("token_type", "")).lower() != "bearer" or "access_token" not in answer:
            raise ProviderUnavailable("not a token answer")
        return Tokens(
            access_token=answer["access_token"],
            expires_at=now + timedelta(seconds=int(answer.get("expires_in", 60))),
            refresh_token=answer.get("refresh_token"),
            id_token=answer.get("id_token"),
            scope=answer.get("scope", parameters.get("scope", "")),
        )

    def _client(self) -> OAuth2Client:
        """A client for one exchange: Authlib's object keeps the last token, so it is never shared."""
        credentials = self._credentials
        client = OAuth2Client(
            client_id=self.client_id,
            client_secret=credentials.key or credentials.secret,
            token_endpoint_auth_method=credentials.method,
            revocation_endpoint_auth_method=credentials.method,
            transport=self._transport,
            timeout=5,
        )
        if credentials.key is not None:
            # The audience of an assertion is the issuer, one string, at every endpoint (RFC 7523 §3).
            client.register_client_auth_method(
                PrivateKeyJWT(self.issuer, headers=_named(credentials.key), alg=_algorithm(credentials.key))
            )
        return client

    def _get_json(self, url: str, *, bearer: str | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        try:
            answer = httpx2.Client(transport=self._transport, timeout=5).get(url, headers=headers)
        except httpx2.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if answer.status_code in (401, 403):
            raise ProviderRefused("invalid_token")
        if answer.status_code != 200 or len(answer.content) > LONGEST_ANSWER:
            raise ProviderUnavailable(f"answered {answer.status_code}")
        try:
            document = answer.json()
        except ValueError as error:
            raise ProviderUnavailable("not JSON") from error
        if not isinstance(document, dict):
            raise ProviderUnavailable("not an object")
        return document


def _named(key: Key) -> dict[str, str]:
    return {"kid": key.kid} if key.kid else {}


def _algorithm(key: Key) -> str:
    if isinstance(key, ECKey):
        return {"P-256": "ES256", "P-384": "ES384"}[str(key.curve_name)]
    return {"RSA": "RS256", "OKP": "EdDSA"}[key.key_type]


def _read(variable: str) -> str:
    path = os.environ.get(variable)
    if not path:
        raise SystemExit(f"{variable} must name the file with this client's credentials")
    return Path(path).read_text(encoding="utf-8")
