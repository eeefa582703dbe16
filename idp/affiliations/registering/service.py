"""Registering in one transaction: locks, facts, rule, affiliation or request, audit, messages (MODEL §10, EN-17)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.managers.facts import lock
from idp.affiliations.managers.telling import tell_deciders, tell_managers
from idp.affiliations.pins import service as pins
from idp.affiliations.registering.facts import Case, Proof, Standing, case_of, standing, target
from idp.affiliations.registering.rules import Becomes, Outcome, Reason, becomes
from idp.affiliations.registering.writing import write
from idp.affiliations.requests import service as requests
from idp.affiliations.requests.service import Requester
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import Status, SubjectFacts
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

__all__ = ["Proof", "Registered", "foresee", "ready", "register"]


@dataclass(frozen=True, slots=True)
class Registered:
    """What stands after registering; `affiliation_id` or `request_id` is set."""

    outcome: Outcome
    account_manager: bool = False
    affiliation_id: UUID | None = None
    request_id: UUID | None = None


def foresee(
    tx: Session, *, subject_id: str | None, party: RelyingParty, proof: Proof, now: datetime
) -> Becomes | Refused:
    """What `register` would give now; reads only.

    For the page after a full match, never before it: `REQUESTED` tells that somebody manages the target (EN-06).
    """
    case = case_of(subject_id, party, proof, now=now)
    pointed = target(tx, case)
    return Refused(Reason.UNKNOWN_TARGET) if pointed is None else becomes(standing(tx, case, pointed).claim)


def register(
    tx: Session, *, subject_id: str, party: RelyingParty, proof: Proof, now: datetime, origin: Origin
) -> Registered | Refused:
    """Make of a proof what it becomes, with its evidence, levels, audit event and messages; a letter's PIN is used up.

    Refused, nothing but the audit was written. Registering the same again changes nothing.
    """
    case = case_of(subject_id, party, proof, now=now, origin=origin)
    outcome = _register(tx, case, person_id=subject_id, origin=origin)
    if isinstance(outcome, Refused):
        _audit_refusal(tx, case, outcome, person=subject_id, origin=origin)
    return outcome


def _register(tx: Session, case: Case, *, person_id: str, origin: Origin) -> Registered | Refused:
    seen = target(tx, case)
    if seen is None:
        return Refused(Reason.UNKNOWN_TARGET)
    lock(tx, seen)
    person = ready(tx, person_id)
    if isinstance(person, Refused):
        return person
    pointed = target(tx, case)
    if pointed is None or pointed.practice_id != seen.practice_id:
        return Refused(Reason.STALE_PROOF)
    now_stands = standing(tx, case, pointed, lock=True)
    found = becomes(now_stands.claim)
    if isinstance(found, Refused):
        return found
    if found.outcome is Outcome.REQUESTED:
        return _request(tx, case, person=person, origin=origin)
    if case.proof.pin_digest is not None:
        used = pins.redeem_pin(
            tx, provider_id=pointed.id, pin_digest=case.proof.pin_digest, actor=person.id, now=case.now, origin=origin
        )
        if isinstance(used, Refused):
            return used
    identity = write(tx, case, now_stands, found, person=person.id, origin=origin)
    _tell(tx, case, now_stands, found, person=person)
    return Registered(found.outcome, found.account_manager, affiliation_id=identity)


def ready(tx: Session, subject_id: str) -> SubjectFacts | Refused:
    """The person, locked, if they may be given access: not disabled, with a proven mailbox."""
    tx.get(Subject, subject_id, with_for_update={"key_share": True}, populate_existing=True)
    person = subjects.by_id(tx, subject_id=subject_id)
    if person is None or person.status is Status.DISABLED:
        return Refused(Reason.PERSON_NOT_ACTIVE)
    if person.email is None or person.email_verified_at is None:
        return Refused(Reason.MAILBOX_UNPROVEN)
    return person


def _request(tx: Session, case: Case, *, person: SubjectFacts, origin: Origin) -> Registered | Refused:
    asked = requests.submit(
        tx,
        requester=Requester.of(person),
        party=case.party,
        kind=case.proof.kind,
        target_id=case.proof.target_id,
        reason=case.proof.reason,
        now=case.now,
        origin=origin,
    )
    return asked if isinstance(asked, Refused) else Registered(Outcome.REQUESTED, request_id=asked.request_id)


def _tell(tx: Session, case: Case, stands: Standing, found: Becomes, *, person: SubjectFacts) -> None:
    """A letter's redemption is told to the other managers (D3), a claim to those who verify it (E1, E2); each once."""
    context = {"target": stands.target.name, "person": person.name, "account_manager": found.account_manager}
    proof = (case.proof.evidence.value, case.party.client_id)
    told = proof in stands.known
    if found.outcome is Outcome.VERIFICATION_PENDING and not told:
        tell_deciders(
            tx, stands.managers, notice="verification_wanted", party=case.party, context=context, now=case.now
        )
    elif case.proof.evidence.suffices(Evidence.LETTER) and not told:
        tell_managers(tx, stands.managers, notice="colleague_joined", party=case.party, context=context, now=case.now)


def _audit_refusal(tx: Session, case: Case, refused: Refused, *, person: str, origin: Origin) -> None:
    audit.append(
        tx,
        Event.AFFILIATION_MADE,
        now=case.now,
        actor=person,
        origin=origin,
        outcome=refused.reason.value,
        subject_id=person,
        client_id=case.party.client_id,
        target_kind=case.proof.kind.value,
        target_id=case.proof.target_id,
        details={"evidence": [case.proof.evidence.value]},
    )
