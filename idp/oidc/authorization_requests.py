"""Authorization requests as they arrive: the client and its address first, then everything else (RFC 6749 §4.1.2.1)."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Any, Final

from idp.foundation import house, jose
from idp.foundation.jose import Purpose
from idp.foundation.parsing import acceptable
from idp.keyring.service import Keyring
from idp.oidc.authlib_adapter import supports_response_type
from idp.oidc.errors import RequestError
from idp.oidc.requests import Parameters
from idp.oidc.rules import ClientTerms, read_request, readable_claims
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.sign_in.rules import AuthorizationRequest
from idp.vocabulary.refused import Refused

_LONGEST_CLAIMS: Final = 8192
_CLAIMS_DEPTH: Final = 8
_WIDEST_NUMBER: Final = 2**63


class Reason(StrEnum):
    """Refusals that get a page of our own, never a redirect; the page names the bad parameter (PROTOCOL 10)."""

    CLIENT_ID = "client_id"
    REDIRECT_URI = "redirect_uri"
    MALFORMED = "request"


def client_of(parameters: Mapping[str, str]) -> RelyingParty | Refused:
    """The client of a request, once its redirect URI is known to be its own (AZ-01…09)."""
    party = relying_parties.find(parameters.get("client_id", ""))
    if party is None or not party.enabled:
        return Refused(Reason.CLIENT_ID)
    if not party.allows_redirect(parameters.get("redirect_uri", "")):
        return Refused(Reason.REDIRECT_URI)
    return party


def read(parameters: Parameters, party: RelyingParty, *, now: datetime) -> AuthorizationRequest | RequestError:
    """The whole request, or the error that is answered at its redirect URI."""
    registration = party.registration
    terms = ClientTerms(
        client_id=party.client_id,
        scopes=frozenset(registration.scope.split()),
        grant_types=frozenset(registration.grant_types),
        resources=frozenset(registration.resources),
        default_max_age=registration.default_max_age,
    )
    single = dict(parameters.single)
    if "response_type" in single and not supports_response_type(single):
        single["response_type"] = "unsupported"
    return read_request(
        single,
        terms=terms,
        claims=_claims(single.get("claims")),
        resources=parameters.resources,
        hinted_subject=_hinted(single.get("id_token_hint"), party, now=now),
    )


def _claims(text: str | None) -> Mapping[str, Any] | None:
    if text is None:
        return {}
    try:
        claims = json.loads(text, object_pairs_hook=_once) if len(text) <= _LONGEST_CLAIMS else None
    except (ValueError, RecursionError):
        return None
    return claims if readable_claims(claims) and _keepable(claims, depth=_CLAIMS_DEPTH) else None


def _keepable(value: Any, *, depth: int) -> bool:
    """Whether both databases keep it as it is: shallow, no NaN or endless number, no control character (RX-06, ST-03)."""
    if isinstance(value, dict):
        return depth > 0 and all(
            acceptable(name) and _keepable(member, depth=depth - 1) for name, member in value.items()
        )
    if isinstance(value, list):
        return depth > 0 and all(_keepable(member, depth=depth - 1) for member in value)
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, int):
        return abs(value) < _WIDEST_NUMBER
    return value is None or acceptable(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)


def _hinted(hint: str | None, party: RelyingParty, *, now: datetime) -> str | None:
    """The `sub` that a hint names; one that we did not issue to this client is no hint at all (PROTOCOL 12)."""
    if hint is None:
        return None
    claims = jose.verify(
        hint,
        purpose=Purpose.ID_TOKEN_HINT,
        keys=house.get(Keyring).verification_keys(),
        issuer=house.get(Settings).issuer,
        audience=party.client_id,
        now=now,
    )
    return None if isinstance(claims, Refused) else str(claims["sub"])
