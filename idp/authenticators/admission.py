"""Letting a person in once everything that this sign-in asks of them is proven: one way for every kind of proof."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.alerts import service as alerts
from idp.authenticators.lost_factors import service as lost_factors
from idp.authenticators.upstairs import Upstairs
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import service as sessions
from idp.sessions.rules import SessionFacts
from idp.sessions.service import NewSession
from idp.subjects.facts import Stored
from idp.vocabulary.assurance import Acr, Amr, Factor

_FACTORS: Final = frozenset(Factor) - {Factor.DEVICE}
"""What a person proves here and now; a browser that was remembered is none of it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A browser that signs in for a parked request."""

    txn: UUID
    client_id: str | None
    browser_digest: bytes
    session: SessionFacts | None
    origin: Origin
    now: datetime


def admit(
    tx: Session,
    arrival: Arrival,
    *,
    subject: Stored,
    method: str,
    acr: Collection[Acr],
    amr: Sequence[Amr],
    proven: Mapping[str, datetime],
    auth_time: datetime | None = None,
) -> NewSession:
    """Accept the terms beside the button (B1), tell of a new browser, make the session, audit; `subject` is locked by the caller."""
    party = relying_parties.find(arrival.client_id) if arrival.client_id else None
    accepted = None
    if party is not None and party.manifest.sign_in.terms is not None:
        accept = house.get(Upstairs).accept_terms
        accepted = accept(tx, subject_id=subject.id, party=party, now=arrival.now, origin=arrival.origin)
    alerts.sign_in_seen(
        tx,
        subject_id=subject.id,
        party=party,
        browser_digest=arrival.browser_digest,
        now=arrival.now,
        origin=arrival.origin,
    )
    session = sessions.authenticated(
        tx,
        txn=arrival.txn,
        subject=subject,
        acr=acr,
        amr=amr,
        proven=proven,
        browser_digest=arrival.browser_digest,
        now=arrival.now,
        origin=arrival.origin,
        replacing=arrival.session,
        auth_time=auth_time,
    )
    if _FACTORS & proven.keys():
        lost_factors.end_by_owner(tx, subject_id=subject.id, now=arrival.now, origin=arrival.origin)
    audit.append(
        tx,
        Event.SIGNED_IN,
        now=arrival.now,
        actor=subject.id,
        origin=arrival.origin,
        subject_id=subject.id,
        client_id=arrival.client_id,
        details={"method": method},
    )
    return replace(session, accepted=accepted)
