"""What is offered to a person without access here, and taking it: locks, facts, rule, write, audit, mails (MODEL §1)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.asserting.facts import lapses
from idp.affiliations.bringing import facts
from idp.affiliations.bringing.rules import Given, Reason, brings
from idp.affiliations.managers.facts import Manager, Pointed, lock
from idp.affiliations.managers.telling import tell_managers
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.affiliations.registering.service import ready
from idp.affiliations.rules import Held, PortalTerms
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.refused import Refused

MOST: Final = 50
"""Affiliations elsewhere that one page looks at: each costs several look-ups."""


@dataclass(frozen=True, slots=True)
class Offer:
    """*You already act for `target` at `portal`: use that here too.*"""

    held: Held
    target: Pointed
    given: Given
    portal: str
    managers: tuple[Manager, ...] = ()

    @property
    def key(self) -> str:
        """What stands in the form: the affiliation there, and the target here."""
        return f"{self.held.id.hex}.{self.target.id.hex}"


@dataclass(frozen=True, slots=True)
class _Case:
    person: SubjectFacts
    party: RelyingParty
    terms: PortalTerms
    now: datetime
    origin: Origin


def offers(tx: Session, *, subject_id: str, party: RelyingParty, now: datetime) -> tuple[Offer, ...]:
    """What the person could use at this portal too; reads only, by name."""
    terms = _terms(party)
    if terms is None:
        return ()
    found = [
        outcome
        for held in facts.theirs(tx, subject_id=subject_id, terms=terms, now=now)[:MOST]
        for pointed, npi in facts.same_here(tx, held, terms=terms, now=now)
        if isinstance(
            outcome := _judge(tx, held, pointed, npi, subject_id=subject_id, terms=terms, now=now),
            Offer,
        )
    ]
    return tuple(sorted(found, key=lambda each: (each.target.name.casefold(), each.key)))


def bring(
    tx: Session,
    *,
    subject_id: str,
    party: RelyingParty,
    affiliation_id: UUID,
    target_id: UUID | None,
    now: datetime,
    origin: Origin,
) -> UUID | Refused:
    """Use the access here too: its affiliation's id. Anything not the person's own is as if it did not exist.

    Refused, nothing but the audit was written.
    """
    outcome = _bring(tx, subject_id, party, affiliation_id, target_id, now=now, origin=origin)
    if isinstance(outcome, Refused):
        audit.append(
            tx,
            Event.AFFILIATION_MADE,
            now=now,
            actor=subject_id,
            origin=origin,
            outcome=outcome.reason.value,
            subject_id=subject_id,
            client_id=party.client_id,
            details={"brought": True},
        )
    return outcome


def _bring(
    tx: Session,
    subject_id: str,
    party: RelyingParty,
    affiliation_id: UUID,
    target_id: UUID | None,
    *,
    now: datetime,
    origin: Origin,
) -> UUID | Refused:
    terms = _terms(party)
    if terms is None:
        return Refused(Reason.NOT_ACCEPTED)
    seen = _find(tx, affiliation_id, target_id, subject_id=subject_id, terms=terms, now=now)
    if seen is None:
        return Refused(Reason.UNKNOWN)
    lock(tx, seen[1])
    person = ready(tx, subject_id)
    if isinstance(person, Refused):
        return Refused(Reason.PERSON_NOT_READY)
    again = _find(tx, affiliation_id, target_id, subject_id=subject_id, terms=terms, now=now)
    if again is None or again[1].practice_id != seen[1].practice_id:
        return Refused(Reason.UNKNOWN)
    offer = _judge(tx, *again, subject_id=subject_id, terms=terms, now=now)
    if isinstance(offer, Refused):
        return offer
    case = _Case(person, party, terms, now, origin)
    identity = _write(tx, offer, case)
    _tell(tx, offer, case)
    return identity


def _terms(party: RelyingParty) -> PortalTerms | None:
    """Access is brought to a portal, never to another client that speaks its roles."""
    return affiliations.terms_of(party) if party.portal is not None else None


def _find(
    tx: Session, affiliation_id: UUID, target_id: UUID | None, *, subject_id: str, terms: PortalTerms, now: datetime
) -> tuple[Held, Pointed, str | None] | None:
    for held in facts.theirs(tx, subject_id=subject_id, terms=terms, now=now):
        if held.id == affiliation_id:
            for pointed, npi in facts.same_here(tx, held, terms=terms, now=now):
                if pointed.id == target_id:
                    return held, pointed, npi
    return None


def _judge(
    tx: Session, held: Held, pointed: Pointed, npi: str | None, *, subject_id: str, terms: PortalTerms, now: datetime
) -> Offer | Refused:
    source = facts.there(tx, held)
    named = {each.portal: relying_parties.find(each.portal) for each in source.given}
    source = replace(source, given=tuple(each for each in source.given if named[each.portal] is not None))
    stands, managers = facts.here(tx, pointed, npi, subject_id=subject_id, terms=terms, now=now)
    given = brings(source, stands, terms=terms, now=now, dormancy=house.get(Settings).dormancy)
    if isinstance(given, Refused):
        return given
    portal = named[given.portal]
    return Offer(held, pointed, given, portal.manifest.name if portal is not None else given.portal, managers)


def _write(tx: Session, offer: Offer, case: _Case) -> UUID:
    """The affiliation, or what there is of it already, with the evidence that says where it came from."""
    row = facts.own_row(tx, offer.target, subject_id=case.person.id)
    portal, levels = case.party.client_id, case.terms.default_levels
    if row is None:
        identity = affiliations.grant_affiliation(
            tx, subject_id=case.person.id, registry=offer.target.registry, kind=offer.target.kind,
            target_id=offer.target.id, evidence={}, levels={portal: levels}, now=case.now, actor=case.person.id,
            origin=case.origin,
        )  # fmt: skip
    else:
        identity = row.id
        held = {level.level for level in row.levels if level.portal == portal}
        more = () if held else levels
        affiliations.give_levels(tx, affiliation_id=identity, levels={portal: more}, now=case.now, by=case.person.id)
        row.ends_at = None if lapses(row) else row.ends_at
        row.epoch += 1
        row.version += 1
    tx.add(
        AffiliationEvidence(
            affiliation_id=identity, kind=offer.given.kind.value, portal=offer.given.portal, at=case.now,
            by=case.person.id, from_registry=offer.held.registry,
        )
    )  # fmt: skip
    _audit(tx, offer, case, row)
    return identity


def _audit(tx: Session, offer: Offer, case: _Case, row: Affiliation | None) -> None:
    audit.append(
        tx,
        Event.AFFILIATION_CHANGED,
        now=case.now,
        actor=case.person.id,
        origin=case.origin,
        subject_id=case.person.id,
        client_id=case.party.client_id,
        target_kind=offer.target.kind.value,
        target_id=str(offer.target.id),
        details={
            "before": None if row is None else row.status,
            "after": AffiliationStatus.ACTIVE.value,
            "evidence": [offer.given.kind.value],
            "from_registry": offer.held.registry,
            "from_portal": offer.given.portal,
            "from_affiliation": str(offer.held.id),
            "account_manager": row is not None and row.account_manager,
        },
    )


def _tell(tx: Session, offer: Offer, case: _Case) -> None:
    """The person, and everybody who manages the target here."""
    context = {"target": offer.target.name, "elsewhere": offer.portal}
    url = f"{house.get(Settings).issuer}/account/access"
    notices.notify(
        tx,
        notice="access_brought",
        subject=case.person,
        party=case.party,
        context={**context, "url": url},
        now=case.now,
    )
    named = {**context, "person": case.person.name}
    tell_managers(tx, offer.managers, notice="colleague_brought", party=case.party, context=named, now=case.now)
