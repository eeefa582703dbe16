"""Challenges: artefacts like any other single-use thing (SECURITY D1), used up before an answer is looked at (MF-25)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.authenticators.webauthn import rules
from idp.authenticators.webauthn.rules import Purpose, Reason
from idp.foundation import artefacts
from idp.foundation.artefacts import Kind, digest_of
from idp.vocabulary.refused import Refused

LIFETIME: Final = timedelta(minutes=10)
"""Time to find the key and unlock it (WebAuthn §15.1); the script of a page that stays open asks anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a challenge is good for: one purpose in one transaction, for whoever is signed in, or nobody."""

    purpose: Purpose
    txn: UUID
    session_id: UUID | None = None

    @property
    def binding(self) -> str:
        return f"{self.purpose.value}:{self.txn}:{self.session_id or '-'}"


def issue(tx: Session, place: Place, *, now: datetime) -> str:
    """A new challenge, as it will stand in the client data: 256 bits, base64url (§13.4.3)."""
    kind = Kind.WEBAUTHN_CHALLENGE
    secret, _ = artefacts.issue(tx, kind=kind, now=now, lifetime=LIFETIME, bound_to=place.binding)
    return secret.reveal()


def consume(tx: Session, place: Place, *, client_data: bytes, now: datetime) -> str | Refused:
    """The challenge that an answer names, used up by it whatever else the answer says."""
    read = rules.client_data_of(client_data)
    if isinstance(read, Refused):
        return read
    used = artefacts.redeem(
        tx,
        kind=Kind.WEBAUTHN_CHALLENGE,
        digest=digest_of(read.challenge),
        now=now,
        bound_to=place.binding,
    )
    return Refused(Reason.CHALLENGE_SPENT) if isinstance(used, Refused) else read.challenge
