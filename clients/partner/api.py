"""The protected API: claims of one provider, for the bearer of an access token made for this API and this provider.

Every check of RFC 9068 §4 is made here, without asking the provider: type, signature, issuer, audience, time; then the
scope, then that the token speaks of the provider asked for. Answers in the form of RFC 6750 §3.
"""

import hashlib
import re
from datetime import date, timedelta
from typing import Final

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from clients.relying_party.provider import Provider, ProviderUnavailable
from clients.relying_party.site import now, site
from clients.relying_party.tokens import Claims, Untrusted, check_access_token

bp = Blueprint("api", __name__)
PATH: Final = "/api/claims"
SCOPE: Final = "provider_id"
_PROVIDER_ID: Final = re.compile(r"[A-Za-z0-9-]{1,32}\Z")


class Denied(Exception):
    """An RFC 6750 §3.1 answer; without `code` the request carried no token at all."""

    def __init__(self, status: int, code: str | None = None) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code


@bp.get(PATH)
def claims() -> ResponseReturnValue:
    try:
        wanted = request.args.getlist("provider_id")
        token = _bearer(request.headers.get("Authorization"))
        if len(wanted) != 1 or not _PROVIDER_ID.match(wanted[0]):
            raise Denied(400, "invalid_request")
        permit(_checked(token, provider=site().provider, audience=current_app.config["RESOURCE"]), wanted=wanted[0])
    except Denied as denied:
        return _denied(denied)
    except ProviderUnavailable:
        return jsonify(error="temporarily_unavailable"), 503
    return jsonify(provider_id=wanted[0], claims=invented_claims(wanted[0]))


def permit(token: Claims, *, wanted: str) -> None:
    """The scope must be there, and the token must be for exactly this provider; nothing tells which of them failed."""
    scopes = token.get("scope")
    granted = scopes.split(" ") if isinstance(scopes, str) else []
    if not any(scope == SCOPE or scope.startswith(f"{SCOPE}:") for scope in granted):
        raise Denied(403, "insufficient_scope")
    if token.get("provider_id") != wanted:
        raise Denied(403, "insufficient_scope")


def invented_claims(provider_id: str) -> list[dict[str, object]]:
    """Three claims, the same each time for the same provider; all invented."""
    seed = hashlib.sha256(provider_id.encode()).digest()
    return [
        {
            "claim": f"C-{int.from_bytes(seed[row * 4 : row * 4 + 3], 'big') % 90000 + 10000}",
            "service_date": (date(2026, 10, 1) + timedelta(days=seed[row * 4 + 3] % 45)).isoformat(),
            "status": ("paid", "in review", "denied")[seed[row * 4] % 3],
            "amount": f"{seed[row * 4 + 1] * 3 + 40}.00",
        }
        for row in range(3)
    ]


def _bearer(header: str | None) -> str:
    if header is None:
        raise Denied(401)
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token or " " in token:
        raise Denied(401)
    return token


def _checked(token: str, *, provider: Provider, audience: str) -> Claims:
    try:
        keys = provider.keys_for(token, now=now())
        return check_access_token(token, keys=keys, issuer=provider.issuer, audience=audience, now=now())
    except Untrusted as error:
        raise Denied(401, "invalid_token") from error


def _denied(denied: Denied) -> ResponseReturnValue:
    challenge = 'Bearer realm="claims"'
    if denied.code:
        challenge += f', error="{denied.code}"'
    if denied.code == "insufficient_scope":
        challenge += f', scope="{SCOPE}"'
    answer = jsonify(error=denied.code or "unauthorized")
    answer.headers["WWW-Authenticate"] = challenge
    return answer, denied.status
