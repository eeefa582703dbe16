"""What is said about the person: at UserInfo by scope, in the ID token only where the `claims` parameter asks (PROTOCOL 5)."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from idp.consent.rules import GrantFacts
from idp.foundation.database import Rows
from idp.oidc.scope_table import STANDARD, released_by
from idp.subjects import service as subjects

_ABOUT_A_PERSON: Final = frozenset(claim for claims in STANDARD.values() for claim in claims) - {"sub"}
"""Only these can come from a profile, so no profile can overwrite a protocol claim (T12, TK-35)."""


def for_userinfo(tx: Rows, grant: GrantFacts, *, scope: str) -> dict[str, Any]:
    """Claims about the person that the scopes release, and those that the `claims` parameter asks beside them."""
    names = released_by(scope.split()) | _asked(grant.claims, "userinfo")
    return _of_person(tx, grant, names)


def for_id_token(tx: Rows, grant: GrantFacts) -> dict[str, Any]:
    """Claims about the person that the `claims` parameter asks for the ID token."""
    names = _asked(grant.claims, "id_token")
    return _of_person(tx, grant, names) if names else {}


def _asked(claims: Mapping[str, Any], place: str) -> frozenset[str]:
    """Single claims asked for; the request kept only those that the client is registered for (`askable_claims`)."""
    return frozenset(claims.get(place) or ()) & _ABOUT_A_PERSON


def _of_person(tx: Rows, grant: GrantFacts, names: Collection[str]) -> dict[str, Any]:
    wanted = _ABOUT_A_PERSON & frozenset(names)
    if not wanted:
        return {}
    subject = subjects.by_id(tx, subject_id=grant.subject_id)
    told = subjects.profile_claims(subject) if subject is not None else {}
    return {name: value for name, value in told.items() if name in wanted}
