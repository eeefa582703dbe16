"""One browser at one client: authorize with PKCE, the sign-in pages as they come, the code, the tokens.

    flow = Flow(client, clients.portal)
    tokens = flow.tokens()                       # signs in if it must
    again = flow.authorize(prompt="none")        # the raw answer; `answered(again)` are its parameters

A `Registered` client knows how it proves itself; `call(browser, path, form)` sends its POST.
"""

import base64
import hashlib
import itertools
import re
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlencode, urlsplit

import orjson
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.foundation import clock, jose
from idp.foundation.algorithms import Alg
from idp.foundation.jose import SigningKey
from tests.authenticators.browsing import post_form
from tests.conftest import ISSUER
from tests.factories.make import CLIENT_SECRET, PASSWORD

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
VERIFIER = "verifier-of-the-tests-0123456789-0123456789-abc"
_numbers = itertools.count(1)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Registered:
    """A client of the tests and how it proves itself."""

    client_id: str
    method: str = "client_secret_basic"
    secret: str = CLIENT_SECRET
    key: SigningKey | None = None
    scope: str = "openid profile email provider_id tin entitlements"
    redirect_uri: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.redirect_uri = self.redirect_uri or f"https://{self.client_id}.test/callback"

    def proof(self, **changed: Any) -> tuple[dict[str, str], dict[str, str]]:
        """(headers, form fields) of its authentication; `changed` claims of an assertion."""
        if self.method == "client_secret_basic":
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
            return {"Authorization": "Basic " + b64encode(pair.encode()).decode()}, {}
        if self.method == "client_secret_post":
            return {}, {"client_id": self.client_id, "client_secret": self.secret}
        if self.method == "none":
            return {}, {"client_id": self.client_id}
        return {}, {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion(**changed)}

    def assertion(self, **changed: Any) -> str:
        """A `private_key_jwt`; a claim changed to `None` is left out."""
        assert self.key is not None
        now = clock.now()
        usual: dict[str, Any] = {
            "iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "jti": f"jti-{next(_numbers)}-{secrets.token_hex(4)}",
            "iat": int(now.timestamp()), "exp": int((now + timedelta(minutes=1)).timestamp()),
        }  # fmt: skip
        claims = {name: value for name, value in (usual | changed).items() if value is not None}
        return jose.sign(claims, key=self.key, typ="JWT")

    def call(self, browser: FlaskClient, path: str, form: dict[str, Any], **options: Any) -> TestResponse:
        headers, fields = self.proof()
        return browser.post(path, data={**form, **fields}, headers={**headers, **options.pop("headers", {})}, **options)


def new_key(kid: str = "k1") -> tuple[SigningKey, dict[str, Any]]:
    """A private key for assertions and its public JWK set."""
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    part = {
        name: base64.urlsafe_b64encode(value.to_bytes(32, "big")).rstrip(b"=").decode()
        for name, value in (("x", numbers.x), ("y", numbers.y))
    }
    jwk = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, **part}
    return SigningKey(kid, Alg.ES256, private), {"keys": [jwk]}


def answered(response: TestResponse) -> dict[str, str]:
    """The parameters that a redirect to the client carries, each once."""
    assert response.status_code == 303, (response.status_code, response.text[:300])
    pairs = parse_qsl(urlsplit(response.location).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def payload_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def header_of(token: str) -> dict[str, Any]:
    part = token.split(".")[0]
    return orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Flow:
    """One browser at one client."""

    def __init__(self, browser: FlaskClient, party: Registered, *, login: str = "rosa.delgado") -> None:
        self.browser, self.party, self.login = browser, party, login

    def parameters(self, **changed: Any) -> dict[str, str]:
        """A good authorization request; `None` leaves a parameter out."""
        usual: dict[str, Any] = {
            "client_id": self.party.client_id,
            "redirect_uri": self.party.redirect_uri,
            "response_type": "code",
            "scope": self.party.scope,
            "state": "state-of-the-tests",
            "nonce": "nonce-of-the-tests",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def authorize(self, **changed: Any) -> TestResponse:
        """The endpoint's own answer: a redirect to the client, or to the next page, or an error page."""
        return self.browser.get("/oauth/authorize?" + urlencode(self.parameters(**changed)))

    def follow(self, page: TestResponse) -> TestResponse:
        """Along the provider's own redirects, to a page or to the redirect that leads to the client."""
        while page.status_code in {302, 303} and (page.location.startswith("/") or page.location.startswith(ISSUER)):
            page = self.browser.get(page.location)
        return page

    def through(self, page: TestResponse, *, choose: str | None = None, consent: str = "allow") -> TestResponse:
        """Fill in whatever pages come until the client is answered (or nothing is known to do)."""
        for _ in range(8):
            page = self.follow(page)
            if page.status_code != 200:
                return page
            filled = self._fill(page, choose=choose, consent=consent)
            if filled is None:
                return page
            page = filled
        return page

    def _fill(self, page: TestResponse, *, choose: str | None, consent: str) -> TestResponse | None:
        step = urlsplit(page.request.url).path.rsplit("/", 1)[-1]
        if step == "identify":
            return post_form(self.browser, page, "login-form", username=self.login)
        if step == "password":
            typed = {"username": self.login} if 'name="username"' in page.text else {}
            return post_form(self.browser, page, "login-form", password=PASSWORD, **typed)
        if step == "consent":
            return post_form(self.browser, page, "consent-form", answer=consent)
        if step == "choose" and choose is not None:
            return post_form(self.browser, page, "choose-form", choice=choose)
        return None

    def code(self, **changed: Any) -> str:
        options = {name: changed.pop(name) for name in ("choose", "consent") if name in changed}
        answer = answered(self.through(self.authorize(**changed), **options))
        assert "code" in answer, answer
        return answer["code"]

    def exchange(self, code: str, **changed: Any) -> TestResponse:
        usual = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.party.redirect_uri,
                 "code_verifier": VERIFIER}  # fmt: skip
        form = {name: value for name, value in (usual | changed).items() if value is not None}
        return self.party.call(self.browser, "/oauth/token", form)

    def tokens(self, **changed: Any) -> dict[str, Any]:
        answer = self.exchange(self.code(**changed))
        assert answer.status_code == 200, answer.text
        return answer.json

    def refresh(self, token: str, **changed: Any) -> TestResponse:
        return self.party.call(
            self.browser, "/oauth/token", {"grant_type": "refresh_token", "refresh_token": token, **changed}
        )

    def introspect(self, token: str) -> dict[str, Any]:
        answer = self.party.call(self.browser, "/oauth/introspect", {"token": token})
        assert answer.status_code == 200, answer.text
        return answer.json

    def userinfo(self, token: str) -> TestResponse:
        return self.browser.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})


def query_of(location: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(location).query)


def transaction_of(parked: Any) -> str:
    """The id in the address that a parked request leads to."""
    found = re.search(r"/([0-9a-f-]{36})(/|$)", parked.location)
    assert found is not None
    return found[1]
