"""What a phone says, proven by its key: for one address of ours, now, and later than anything it said before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.authenticators.push import facts, rules
from idp.authenticators.push.models import PushPhone
from idp.authenticators.push.rules import Phone, Reason
from idp.authenticators.webauthn import base64url
from idp.foundation import house, jose, jwk
from idp.foundation.algorithms import Alg
from idp.foundation.database import reading
from idp.foundation.jose import Purpose
from idp.settings import Settings
from idp.vocabulary.refused import Refused

PATH: Final = "/phone"
_LATEST: Final = 2**53
"""The last number that every browser counts to."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose signature is right; `take` says whether it is a new one."""

    phone: Phone
    number: int
    claims: Mapping[str, Any]

    def text(self, name: str) -> str:
        """One claim, or nothing where it is no text."""
        value = self.claims.get(name)
        return value if isinstance(value, str) else ""


def read(token: str, *, address: str, now: datetime) -> Call | Refused:
    """The call that `token` carries, if a phone of ours signed it for this address."""
    thumbprint = jose.claimed_issuer(token)
    if thumbprint is None:
        return Refused(Reason.BAD_CALL)
    with reading() as tx:
        phone = facts.by_thumbprint(tx, thumbprint=thumbprint)
    if phone is None:
        return Refused(Reason.UNKNOWN_PHONE)
    claims = proven(token, x=phone.x, y=phone.y, thumbprint=thumbprint, address=address, now=now)
    if isinstance(claims, Refused):
        return claims
    number = claims.get("n")
    if type(number) is not int or not 0 < number <= _LATEST:
        return Refused(Reason.BAD_CALL)
    return Call(phone, number, claims)


def take(tx: Session, call: Call) -> Refused | None:
    """Listen to this call and to no earlier one again; one statement, so that of two copies one is heard."""
    newer = (PushPhone.factor_id == call.phone.factor_id, PushPhone.last_call < call.number)
    heard = tx.execute(update(PushPhone).where(*newer).values(last_call=call.number))
    return None if heard.rowcount == 1 else Refused(Reason.BAD_CALL)  # type: ignore[attr-defined]


def proven(token: str, *, x: str, y: str, thumbprint: str, address: str, now: datetime) -> Mapping[str, Any] | Refused:
    """The claims that the holder of this very key signed for this address."""
    key = jwk.read_public({"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": Alg.ES256.value})
    if key is None:
        return Refused(Reason.BAD_CALL)
    audience = f"{house.get(Settings).issuer}{PATH}/{address}"
    claims = jose.verify(token, purpose=Purpose.PHONE_CALL, keys=(key,), issuer=thumbprint, audience=audience, now=now)
    return Refused(Reason.BAD_CALL) if isinstance(claims, Refused) else claims


def thumbprint_of(x: str, y: str) -> str:
    """How a phone with this key names itself (RFC 7638)."""
    return base64url.encode(sha256(rules.thumbprint_input(x, y)).digest())
