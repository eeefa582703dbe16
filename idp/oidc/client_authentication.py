"""`authenticate_client(headers, form)`: the one decision on who a client is, for every endpoint and for Authlib.

One method a request, the registered one, compared in constant time; every failure is the same answer after the same
work (TK-09…16, TK-18…20). Failures are counted per client and address; successes cost nothing.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final
from urllib.parse import unquote_plus

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import artefacts, house, limiter, logs
from idp.foundation.artefacts import Kind
from idp.foundation.database import writing
from idp.foundation.jose import claimed_issuer
from idp.foundation.limiter import Budget, Throttled
from idp.foundation.origin import Origin
from idp.oidc.errors import INVALID_CLIENT, INVALID_REQUEST, OAuthError, too_many
from idp.relying_parties import service as relying_parties
from idp.relying_parties.remote_keys import ClientKeys
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary.refused import Refused

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FAILURES: Final = Budget(
    "client_authentication",
    limit=20,
    window=timedelta(minutes=5),
    lock_first=timedelta(minutes=1),
    lock_max=timedelta(hours=1),
)
"""Wrong secrets for one client from one address; its owner elsewhere is still served (TK-15). Names that nobody has
share one count, so inventing them fills neither the budgets nor the audit."""
_BASIC: Final = re.compile(r"Basic +([A-Za-z0-9+/=]{1,2048})\Z", re.ASCII | re.IGNORECASE)
_BY_SECRET: Final = frozenset({"client_secret_basic", "client_secret_post"})
_LONGEST: Final = 1024
_NOTHING: Final = artefacts.digest_of("a client that does not exist")


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request presents: one method, the client it names, and its proof."""

    method: str
    client_id: str
    proof: str = ""


def authenticate_client(
    headers: Mapping[str, str], form: Mapping[str, str], *, now: datetime, origin: Origin
) -> RelyingParty | OAuthError:
    """The client of this request, or the error to answer."""
    presented = _presented(headers, form)
    if isinstance(presented, OAuthError):
        return presented
    party = relying_parties.find(presented.client_id)
    if _proven(party, presented, now=now) and party is not None and party.enabled:
        logs.client.set({"client_id": party.client_id})
        return party
    return _refuse(presented, now=now, origin=origin)


def known_by_secret(
    headers: Mapping[str, str], form: Mapping[str, str], *, parties: Mapping[str, RelyingParty], now: datetime
) -> RelyingParty | None:
    """The client among `parties` that proves itself by its secret; asks nobody and counts nothing.

    `None` is no refusal: it says that `authenticate_client` must judge, which counts and audits what fails.
    """
    presented = _presented(headers, form)
    if isinstance(presented, OAuthError) or presented.method not in _BY_SECRET:
        return None
    party = parties.get(presented.client_id)
    return party if _proven(party, presented, now=now) and party is not None and party.enabled else None


def _presented(headers: Mapping[str, str], form: Mapping[str, str]) -> Presented | OAuthError:
    authorization = headers.get("Authorization", "")
    assertion = "client_assertion" in form or "client_assertion_type" in form
    secret = "client_secret" in form
    if (bool(authorization) + assertion + secret) > 1:
        return INVALID_REQUEST
    if authorization:
        return _basic(authorization, form)
    if assertion:
        return _assertion(form)
    client_id = form.get("client_id", "")
    if secret:
        return Presented("client_secret_post", client_id, form["client_secret"])
    return Presented("none", client_id) if client_id else INVALID_CLIENT


def _basic(authorization: str, form: Mapping[str, str]) -> Presented | OAuthError:
    """RFC 6749 §2.3.1: both halves are form-encoded before they are joined (TK-12)."""
    match = _BASIC.match(authorization)
    if match is None:
        return INVALID_CLIENT
    try:
        client_id, colon, secret = b64decode(match[1], validate=True).decode().partition(":")
        client_id, secret = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        return INVALID_CLIENT
    if not colon or form.get("client_id", client_id) != client_id:
        return INVALID_CLIENT
    return Presented("client_secret_basic", client_id, secret)


def _assertion(form: Mapping[str, str]) -> Presented | OAuthError:
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        return INVALID_CLIENT
    named = claimed_issuer(form["client_assertion"])
    if named is None or form.get("client_id", named) != named:
        return INVALID_CLIENT
    return Presented("private_key_jwt", named, form["client_assertion"])


def _proven(party: RelyingParty | None, presented: Presented, *, now: datetime) -> bool:
    registered = party.registration.token_endpoint_auth_method if party is not None else ""
    right_method = registered == presented.method
    if presented.method == "none":
        return right_method
    if presented.method == "private_key_jwt":
        return right_method and party is not None and _assertion_holds(party, presented.proof, now=now)
    digests = party.secret_digests if party is not None and party.secret_digests else (_NOTHING,)
    sent = artefacts.digest_of(presented.proof[:_LONGEST])
    matched = [compare_digest(sent, digest) for digest in digests]
    return right_method and any(matched) and 0 < len(presented.proof) <= _LONGEST


def _assertion_holds(party: RelyingParty, assertion: str, *, now: datetime) -> bool:
    issuer = house.get(Settings).issuer
    claims = house.get(ClientKeys).verify_assertion(
        assertion, party=party, audience=(issuer, f"{issuer}/oauth/token"), now=now
    )
    if isinstance(claims, Refused):
        return False
    with writing() as tx:
        return artefacts.record_once(
            tx,
            kind=Kind.ASSERTION_JTI,
            value=f"{party.client_id}\x00{claims['jti']}",
            now=now,
            lifetime=timedelta(hours=1, minutes=2),
        )


def _refuse(presented: Presented, *, now: datetime, origin: Origin) -> OAuthError:
    known = presented.client_id if relying_parties.find(presented.client_id) is not None else ""
    with writing() as tx:
        counted = limiter.reserve(tx, budget=FAILURES, key=f"{known}\x00{origin.address}", now=now)
        if not isinstance(counted, Throttled):
            audit.append(
                tx,
                Event.CLIENT_AUTHENTICATION_REFUSED,
                now=now,
                actor="anonymous",
                origin=origin,
                outcome="invalid_client",
                client_id=known or None,
                details={"method": presented.method},
            )
    if isinstance(counted, Throttled):
        return too_many(counted.retry_after)
    return INVALID_CLIENT
