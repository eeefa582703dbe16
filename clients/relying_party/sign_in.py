"""The code flow from a relying party's side: ask, check the answer, keep it fresh (OpenID Connect Core §3.1)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from clients.relying_party.provider import Provider, ProviderRefused, Tokens
from clients.relying_party.tokens import Untrusted, check_fresh, check_id_token
from clients.relying_party.visits import Pending, SignedIn, Visit, Visits

REFRESH_BEFORE: Final = timedelta(seconds=10)


class NotAsked(Exception):
    """An answer that this browser did not ask for, or asked for too long ago."""


class SignInRefused(Exception):
    """The provider said no; `code` is the OAuth error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AccessEnded(Exception):
    """The grant is gone: the affiliation ended, the person signed out elsewhere, or it ran out."""


def ask(
    visit: Visit,
    *,
    visits: Visits,
    provider: Provider,
    scope: str,
    target: str,
    now: datetime,
    fresh: bool = False,
    **parameters: str,
) -> str:
    """The URL that sends this browser to sign in; the answer comes back to `target` by way of /callback."""
    state, verifier, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    visits.ask(visit, state=state, pending=Pending(nonce, verifier, target, now, fresh))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if fresh:
        query |= {"prompt": "login", "max_age": "0"}
    query |= {name: value for name, value in parameters.items() if value}
    return f"{provider.metadata(now=now)['authorization_endpoint']}?{urlencode(query)}"


def answer(
    visit: Visit,
    *,
    visits: Visits,
    provider: Provider,
    parameters: Mapping[str, str],
    now: datetime,
    resource: str | None = None,
) -> tuple[SignedIn, str]:
    """Who signed in, and where they wanted to go.

    `state` comes first (CSRF), then `iss` (mix-up, RFC 9207 §2.4), and only then is anything else looked at.
    """
    pending = visits.answered(visit, state=parameters.get("state", ""), now=now)
    if pending is None:
        raise NotAsked
    if not hmac.compare_digest(parameters.get("iss", "").encode(), provider.issuer.encode()):
        raise Untrusted("the answer names another issuer, or none")
    if "error" in parameters:
        raise SignInRefused(parameters["error"])
    if not parameters.get("code"):
        raise NotAsked
    tokens = provider.exchange(parameters["code"], verifier=pending.verifier, now=now, resource=resource)
    signed_in = _believed(tokens, provider=provider, nonce=pending.nonce, now=now)
    if pending.fresh:
        check_fresh(signed_in.id_claims, asked_at=pending.asked_at)
        signed_in.asked_afresh = True
    signed_in.userinfo = provider.userinfo(tokens.access_token, subject=signed_in.id_claims["sub"], now=now)
    return signed_in, pending.target


def keep_fresh(signed_in: SignedIn, *, provider: Provider, now: datetime) -> None:
    """Uses the refresh token when the access token has run out; the claims are then read anew."""
    with signed_in.lock:
        if now < signed_in.expires_at - REFRESH_BEFORE:
            return
        _refresh(signed_in, provider=provider, now=now)


def read_userinfo(signed_in: SignedIn, *, provider: Provider, now: datetime) -> None:
    """Asks UserInfo now; where the access token is no longer good, once more with a new one."""
    keep_fresh(signed_in, provider=provider, now=now)
    subject = signed_in.id_claims["sub"]
    try:
        signed_in.userinfo = provider.userinfo(signed_in.access_token, subject=subject, now=now)
    except ProviderRefused:
        with signed_in.lock:
            _refresh(signed_in, provider=provider, now=now)


def _refresh(signed_in: SignedIn, *, provider: Provider, now: datetime) -> None:
    if signed_in.refresh_token is None:
        raise AccessEnded
    subject = signed_in.id_claims["sub"]
    try:
        tokens = provider.refresh(signed_in.refresh_token, now=now)
        if tokens.id_token is not None:
            newer = _believed(tokens, provider=provider, nonce=signed_in.nonce, now=now, refreshed=True)
            if newer.id_claims["sub"] != subject:
                raise Untrusted("a refresh changed the person")  # Core §12.2
            signed_in.id_token, signed_in.id_claims = newer.id_token, newer.id_claims
        signed_in.access_token, signed_in.expires_at = tokens.access_token, tokens.expires_at
        signed_in.refresh_token = tokens.refresh_token or signed_in.refresh_token
        signed_in.userinfo = provider.userinfo(tokens.access_token, subject=subject, now=now)
    except ProviderRefused as error:
        if error.code in ("invalid_grant", "invalid_token"):
            raise AccessEnded from error
        raise


def _believed(tokens: Tokens, *, provider: Provider, nonce: str, now: datetime, refreshed: bool = False) -> SignedIn:
    if tokens.id_token is None:
        raise Untrusted("no ID token")
    claims = check_id_token(
        tokens.id_token,
        keys=provider.keys_for(tokens.id_token, now=now),
        issuer=provider.issuer,
        client_id=provider.client_id,
        now=now,
        nonce=nonce,
        access_token=tokens.access_token,
        nonce_may_be_absent=refreshed,
    )
    return SignedIn(
        id_token=tokens.id_token,
        id_claims=claims,
        access_token=tokens.access_token,
        expires_at=tokens.expires_at,
        nonce=nonce,
        refresh_token=tokens.refresh_token,
    )
