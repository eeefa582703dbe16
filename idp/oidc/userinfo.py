"""UserInfo (OIDC Core §5.3): who the person is and for whom they act, read now."""

from datetime import datetime
from typing import Any

from idp.foundation import house
from idp.foundation.database import looking_up
from idp.oidc import acting, claims, live_tokens
from idp.oidc.errors import INSUFFICIENT_SCOPE, OAuthError, invalid_token
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.vocabulary.scopes import OPENID


def userinfo(token: str, *, now: datetime) -> dict[str, Any] | OAuthError:
    """Claims by the scopes of the access token. Protocol and acting claims stand over anything a profile holds."""
    with looking_up(fenced=True) as tx:
        found = live_tokens.read(tx, token, audience=None, now=now)
        if found is None or found.grant is None:
            return invalid_token()
        scope = str(found.claims["scope"])
        if OPENID not in scope.split():
            return INSUFFICIENT_SCOPE
        if house.get(Settings).issuer not in _audience(found.claims["aud"]):
            return invalid_token()
        party = relying_parties.find(found.grant.client_id)
        if party is None:
            return invalid_token()
        person = claims.for_userinfo(tx, found.grant, scope=scope)
        told = acting.read(tx, found.grant, party=party, now=now, for_userinfo=True)
        return person | told.released(scope.split(), in_token=False) | {"sub": found.grant.sub}


def _audience(audience: Any) -> list[str]:
    return audience if isinstance(audience, list) else [audience]
