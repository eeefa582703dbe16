"""The authorization request, read strictly (OIDC Core §3.1.2, RFC 7636, RFC 8707, RFC 9700; SECURITY AZ)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from idp.oidc.errors import RequestError
from idp.oidc.scope_table import STANDARD, released_by
from idp.sign_in.rules import AuthorizationRequest
from idp.vocabulary.scopes import OFFLINE_ACCESS, OPENID, Scope

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z", re.ASCII)
_MAX_AGE: Final = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_LONG: Final = 4096
_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
PROTOCOL_CLAIMS: Final = frozenset({"sub", "acr", "auth_time", "amr", "nonce"})
"""What may be asked of the protocol itself; it needs no scope."""
REPEATABLE: Final = frozenset({"resource"})
"""RFC 8707 §2 allows several; every other parameter stands once (RFC 6749 §3.1)."""


class Code(StrEnum):
    """Error codes of the authorization endpoint that validation gives."""

    INVALID_REQUEST = "invalid_request"
    INVALID_SCOPE = "invalid_scope"
    INVALID_TARGET = "invalid_target"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"


@dataclass(frozen=True, slots=True)
class ClientTerms:
    """What validation needs to know of the client."""

    client_id: str
    scopes: frozenset[str]
    grant_types: frozenset[str]
    resources: frozenset[str]
    default_max_age: int | None = None


def read_request(
    parameters: Mapping[str, str],
    *,
    terms: ClientTerms,
    claims: Mapping[str, Any] | None,
    resources: tuple[str, ...] = (),
    hinted_subject: str | None = None,
) -> AuthorizationRequest | RequestError:
    """The request as an immutable value; client and redirect URI have been checked before.

    `claims` is the parsed `claims` parameter, `None` when it was sent and could not be read.
    """
    wrong = _unsupported(parameters, terms) or _malformed(parameters, claims)
    if wrong is not None:
        return wrong
    scope = Scope.parse(parameters.get("scope", ""))
    if scope is None or _contradictory(scope, claims or {}):
        return RequestError(Code.INVALID_SCOPE, "The scope is not well formed, or the claims parameter contradicts it.")
    if OPENID not in scope:
        return RequestError(Code.INVALID_SCOPE, "The scope openid is missing.")
    if not set(resources) <= terms.resources:
        return RequestError(Code.INVALID_TARGET, "This client is not registered for this resource.")
    asked = claims or {}
    told = askable_claims(asked, scopes=terms.scopes)
    max_age = parameters.get("max_age") or terms.default_max_age
    return AuthorizationRequest(
        client_id=terms.client_id,
        redirect_uri=parameters["redirect_uri"],
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        scope=_allowed(scope, terms),
        prompt=frozenset(parameters.get("prompt", "").split()),
        max_age=None if max_age is None else timedelta(seconds=int(max_age)),
        acr_values=tuple(parameters.get("acr_values", "").split()),
        essential_acr=_essential_acr(asked),
        login_hint=parameters.get("login_hint"),
        hinted_subject=hinted_subject or _asked_subject(asked),
        claims=told,
        claim_scopes=_scopes_of(told, terms.scopes),
        provider_ids=_joint(scope.provider_ids, _asked_values(asked, "provider_id")),
        tins=_joint(scope.tins, _asked_values(asked, "tin")),
        ui_locales=parameters.get("ui_locales"),
        code_challenge=parameters["code_challenge"],
        resource=resources,
    )


def askable_claims(claims: Mapping[str, Any], *, scopes: Collection[str]) -> dict[str, Any]:
    """The `claims` parameter less what is said about a person by scopes that the client is not registered for (X2)."""
    kept = PROTOCOL_CLAIMS | released_by(scopes)
    return {
        place: {name: ask for name, ask in claims[place].items() if name in kept}
        for place in ("userinfo", "id_token")
        if place in claims
    }


def _scopes_of(claims: Mapping[str, Any], scopes: Collection[str]) -> frozenset[str]:
    """Of the claims about a person; acting claims are released by their scopes alone, here they only narrow."""
    asked = {name for place in claims.values() for name in place} - PROTOCOL_CLAIMS
    return frozenset(scope for scope in scopes if scope in STANDARD and asked & released_by([scope]))


def readable_claims(claims: Any) -> bool:
    """Whether a `claims` parameter has the form of OIDC Core §5.5: members of objects, each null or an object."""
    if not isinstance(claims, dict) or len(claims) > 20:
        return False
    return all(_readable_member(claims[place]) for place in ("userinfo", "id_token") if place in claims)


def _readable_member(member: Any) -> bool:
    if not isinstance(member, dict) or len(member) > 50:
        return False
    return all(value is None or (isinstance(value, dict) and _readable_ask(value)) for value in member.values())


def _readable_ask(ask: Mapping[str, Any]) -> bool:
    values = ask.get("values", [])
    simple = (
        isinstance(values, list) and len(values) <= 50 and all(isinstance(each, str | int | bool) for each in values)
    )
    return (
        simple and isinstance(ask.get("value", ""), str | int | bool) and isinstance(ask.get("essential", False), bool)
    )


def _unsupported(parameters: Mapping[str, str], terms: ClientTerms) -> RequestError | None:
    if "request" in parameters:
        return RequestError(Code.REQUEST_NOT_SUPPORTED, "Request objects are not supported.")
    if "request_uri" in parameters:
        return RequestError(Code.REQUEST_URI_NOT_SUPPORTED, "Request URIs are not supported.")
    if "response_type" not in parameters:
        return RequestError(Code.INVALID_REQUEST, "The parameter response_type is missing.")
    if parameters["response_type"] != "code":
        return RequestError(Code.UNSUPPORTED_RESPONSE_TYPE, "Only the response type code is supported.")
    if parameters.get("response_mode", "query") != "query":
        return RequestError(Code.INVALID_REQUEST, "This response_mode is not supported.")
    if "authorization_code" not in terms.grant_types:
        return RequestError(Code.UNAUTHORIZED_CLIENT, "This client is not registered for the code flow.")
    return None


def _malformed(parameters: Mapping[str, str], claims: Mapping[str, Any] | None) -> RequestError | None:
    if any(len(parameters.get(name, "")) > _LONG for name in ("state", "nonce", "login_hint", "acr_values")):
        return RequestError(Code.INVALID_REQUEST, "A parameter is too long.")
    if parameters.get("code_challenge_method") != "S256":
        return RequestError(Code.INVALID_REQUEST, "PKCE with the method S256 is required.")
    if not _CHALLENGE.match(parameters.get("code_challenge", "")):
        return RequestError(Code.INVALID_REQUEST, "The code_challenge is missing or not well formed.")
    prompt = parameters.get("prompt", "").split()
    if not set(prompt) <= _PROMPTS or ("none" in prompt and len(prompt) > 1):
        return RequestError(Code.INVALID_REQUEST, "The parameter prompt is not well formed.")
    if "max_age" in parameters and not _MAX_AGE.match(parameters["max_age"]):
        return RequestError(Code.INVALID_REQUEST, "The parameter max_age is not a number of seconds.")
    if claims is None:
        return RequestError(Code.INVALID_REQUEST, "The parameter claims is not well formed.")
    return None


def _allowed(scope: Scope, terms: ClientTerms) -> Scope:
    """Without scopes the client is not registered for; a narrowing stays, it can only narrow (AZ-31)."""
    allowed = scope.only(terms.scopes)
    if OFFLINE_ACCESS in allowed and "refresh_token" not in terms.grant_types:
        allowed = allowed.only(set(allowed.names) - {OFFLINE_ACCESS})
    return allowed


def _essential_acr(claims: Mapping[str, Any]) -> tuple[str, ...]:
    ask = (claims.get("id_token") or {}).get("acr")
    if not isinstance(ask, dict) or ask.get("essential") is not True:
        return ()
    values = ask.get("values") or [ask.get("value")]
    return tuple(value for value in values if isinstance(value, str))


def _asked_subject(claims: Mapping[str, Any]) -> str | None:
    ask = (claims.get("id_token") or {}).get("sub")
    value = ask.get("value") if isinstance(ask, dict) else None
    return value if isinstance(value, str) else None


def _joint(by_scope: tuple[str, ...], by_claims: tuple[str, ...]) -> tuple[str, ...]:
    """Narrowing can only narrow: where both name something, only what both name (DESIGN §6)."""
    if by_scope and by_claims:
        return tuple(value for value in by_scope if value in by_claims)
    return by_scope or by_claims


def _contradictory(scope: Scope, claims: Mapping[str, Any]) -> bool:
    named = ((scope.provider_ids, "provider_id"), (scope.tins, "tin"))
    asked = ((values, _asked_values(claims, name)) for values, name in named)
    return any(values and wanted and not _joint(values, wanted) for values, wanted in asked)


def _asked_values(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found: list[str] = []
    for place in ("id_token", "userinfo"):
        ask = (claims.get(place) or {}).get(name)
        if isinstance(ask, dict):
            found += [value for value in (*ask.get("values", ()), ask.get("value")) if isinstance(value, str)]
    return tuple(dict.fromkeys(found))
