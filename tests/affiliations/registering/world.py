"""People who register: portals with the terms of C, D and E, and one call to register by."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.pins.service import PinProof
from idp.affiliations.registering import service
from idp.affiliations.registering.service import Proof, Registered
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from tests.affiliations.pins.posted import attempt, portal, post

HERE = Origin("192.0.2.9", "r")


def matching(make: Any, client_id: str = "carebridge-provider") -> RelyingParty:
    """C: a match of data is enough, for managers too."""
    kinds = ["provider", "practice"]
    return portal(make, client_id, acting_for=kinds, accepts="directory", accepts_for_manager="directory")


def claiming(make: Any, client_id: str = "heartland-selfservice") -> RelyingParty:
    """B, E: a claim is verified by somebody."""
    return portal(make, client_id, acting_for=["provider", "practice"], accepts_for_manager="payer")


def by_match(target_id: UUID, *, kind: TargetKind = TargetKind.PROVIDER, **more: Any) -> Proof:
    return Proof(kind, target_id, Evidence.DIRECTORY, **more)


def by_claim(target_id: UUID, *, kind: TargetKind = TargetKind.PROVIDER) -> Proof:
    return Proof(kind, target_id, Evidence.SELF)


def by_letter(party: RelyingParty, provider: Any, *, now: datetime, pin: str = "zVFwB6U5") -> Proof:
    """Post a letter and check its PIN."""
    post(provider, pin, now=now)
    found = attempt(party, provider.provider_id, pin, now=now)
    assert isinstance(found, PinProof)
    return Proof(TargetKind.PROVIDER, provider.id, Evidence.LETTER, pin_digest=found.pin_digest)


def register(subject: Any, party: RelyingParty, proof: Proof, *, now: datetime) -> Registered | Refused:
    with writing() as tx:
        return registering(tx, subject, party, proof, now=now)


def registering(tx: Session, subject: Any, party: RelyingParty, proof: Proof, *, now: datetime) -> Registered | Refused:
    return service.register(tx, subject_id=subject.id, party=party, proof=proof, now=now, origin=HERE)
