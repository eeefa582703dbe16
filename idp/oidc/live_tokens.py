"""Whether an access token stands now: signature, revocation, and the grant or client that it hangs on.

UserInfo, introspection and revocation all ask here, so nothing is dead for one and alive for another.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from idp.consent import grants
from idp.consent.rules import GrantFacts
from idp.foundation import artefacts, epochs, house, jose
from idp.foundation.artefacts import Kind
from idp.foundation.database import Rows
from idp.foundation.jose import Purpose
from idp.keyring.service import Keyring
from idp.oidc import tokens
from idp.oidc.grants.client_credentials import EPOCHS
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.vocabulary.refused import Refused

OPAQUE: Final = "at_"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that stands: its claims, and its grant unless an app holds it by itself."""

    claims: Mapping[str, Any]
    grant: GrantFacts | None


def read(tx: Rows, token: str, *, audience: str | Collection[str] | None, now: datetime) -> AccessToken | None:
    """The access token behind this text, if it stands now. `audience` as in `jose.verify`."""
    claims = _opaque(tx, token, now=now) if token.startswith(OPAQUE) else _jwt(tx, token, audience=audience, now=now)
    if claims is None:
        return None
    if claims["sub"] == claims["client_id"]:
        return AccessToken(claims, None) if _client_stands(tx, claims) else None
    grant_id = tokens.grant_of_jti(claims["jti"])
    grant = grants.live(tx, grant_id=grant_id, now=now) if grant_id is not None else None
    if grant is None or grant.client_id != claims["client_id"]:
        return None
    return AccessToken(claims, grant)


def _opaque(tx: Rows, token: str, *, now: datetime) -> Mapping[str, Any] | None:
    if len(token) > 100:
        return None
    digest = artefacts.digest_of(token.removeprefix(OPAQUE))
    found = artefacts.peek(tx, kind=Kind.ACCESS_TOKEN, digest=digest, now=now)
    return None if isinstance(found, Refused) else found.payload


def _jwt(tx: Rows, token: str, *, audience: str | Collection[str] | None, now: datetime) -> Mapping[str, Any] | None:
    claims = jose.verify(
        token,
        purpose=Purpose.ACCESS_TOKEN,
        keys=house.get(Keyring).verification_keys(),
        issuer=house.get(Settings).issuer,
        audience=audience,
        now=now,
    )
    if isinstance(claims, Refused) or claims["exp"] <= now.timestamp():
        return None
    return None if artefacts.known(tx, kind=Kind.REVOKED_JTI, value=claims["jti"], now=now) else claims


def _client_stands(tx: Rows, claims: Mapping[str, Any]) -> bool:
    party = relying_parties.find_fresh(tx, claims["client_id"])
    if party is None or not party.enabled:
        return False
    return list(claims.get(EPOCHS, ())) == [party.epoch, epochs.current(tx)]
