"""An authorization request as it is parked: JSON out, the same request back in."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from idp.sign_in.rules import AuthorizationRequest
from idp.vocabulary.scopes import Scope


def parked(request: AuthorizationRequest) -> dict[str, Any]:
    """What the transaction's row keeps."""
    return {
        "client_id": request.client_id,
        "redirect_uri": request.redirect_uri,
        "state": request.state,
        "nonce": request.nonce,
        "scope": str(request.scope),
        "prompt": sorted(request.prompt),
        "max_age": None if request.max_age is None else int(request.max_age.total_seconds()),
        "acr_values": list(request.acr_values),
        "essential_acr": list(request.essential_acr),
        "login_hint": request.login_hint,
        "hinted_subject": request.hinted_subject,
        "claims": dict(request.claims),
        "claim_scopes": sorted(request.claim_scopes),
        "provider_ids": list(request.provider_ids),
        "tins": list(request.tins),
        "ui_locales": request.ui_locales,
        "code_challenge": request.code_challenge,
        "resource": list(request.resource),
        "return_to": request.return_to,
        "fresh": request.fresh,
        "set_up": request.set_up,
        "brand": request.brand,
    }


def unparked(kept: Mapping[str, Any]) -> AuthorizationRequest:
    """The request of a transaction; what this product parked, it can read."""
    max_age = kept["max_age"]
    return AuthorizationRequest(
        client_id=kept["client_id"],
        redirect_uri=kept["redirect_uri"],
        state=kept["state"],
        nonce=kept["nonce"],
        scope=Scope.parse(kept["scope"]) or Scope(),
        prompt=frozenset(kept["prompt"]),
        max_age=None if max_age is None else timedelta(seconds=max_age),
        acr_values=tuple(kept["acr_values"]),
        essential_acr=tuple(kept["essential_acr"]),
        login_hint=kept["login_hint"],
        hinted_subject=kept["hinted_subject"],
        claims=kept["claims"],
        claim_scopes=frozenset(kept["claim_scopes"]),
        provider_ids=tuple(kept["provider_ids"]),
        tins=tuple(kept["tins"]),
        ui_locales=kept["ui_locales"],
        code_challenge=kept["code_challenge"],
        resource=tuple(kept["resource"]),
        return_to=kept["return_to"],
        fresh=kept.get("fresh", False),
        set_up=kept.get("set_up", False),
        brand=kept.get("brand"),
    )
