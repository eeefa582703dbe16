"""A registrar's yes or no: the practice locked, facts, rule, change, history, audit, mail in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import Place
from idp.affiliations.invitations.sending import Invitee, send, send_registration, void_for
from idp.affiliations.managers.facts import lock
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.affiliations.requests.closing import tell_requester
from idp.affiliations.requests.facts import is_own, standing_of
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.rules import Cause, Status, status_at
from idp.audit import service as audit
from idp.audit.events import Event
from idp.console.registrar import facts, rules
from idp.console.registrar.history import record, remember
from idp.console.registrar.rules import Claim, Reason, Wish
from idp.console.staff.service import By
from idp.foundation import house
from idp.foundation.database import writing
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import likeness
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class _Case:
    row: Affiliation
    place: Place
    person: SubjectFacts
    claim: Claim


def verify(by: By, *, affiliation_id: UUID, version: int, note: str) -> Refused | None:
    """The first registrant becomes account manager: who waited, once they open the registration mail; who is active by a
    match with the directory, at once (E1, E5, C9)."""
    with writing() as tx:
        case = _held(tx, by, affiliation_id, now=by.now)
        if isinstance(case, Refused):
            return case
        refused = rules.may_verify(case.claim, actor=by.subject_id or "", version=version)
        if refused is not None:
            return _refuse(tx, by, case, "verify", refused)
        if case.claim.status is AffiliationStatus.ACTIVE:
            _mark(tx, by, case)
        else:
            _set_status(tx, by, case, AffiliationStatus.UNVERIFIED)
            _make_manager(tx, by, case)
            send_registration(
                tx, row=case.row, place=case.place, evidence=Evidence.PAYER, by=by.actor, now=by.now, origin=by.origin
            )
        remember(tx, by, case.row, action="verify", text=note)
    return None


def refuse(by: By, *, affiliation_id: UUID, version: int, reason: str) -> Refused | None:
    """The claim ends; the registrant is told, the reason stays in the history."""
    with writing() as tx:
        case = _held(tx, by, affiliation_id, now=by.now)
        if isinstance(case, Refused):
            return case
        refused = rules.may_refuse(case.claim, actor=by.subject_id or "", version=version)
        if refused is None and not reason.strip():
            refused = Refused(Reason.NO_REASON)
        if refused is not None:
            return _refuse(tx, by, case, "refuse", refused)
        _set_status(tx, by, case, AffiliationStatus.ENDED)
        void_for(tx, affiliation_id=case.row.id, now=by.now)
        notices.notify(
            tx,
            notice="verification_lapsed",
            subject=case.person,
            party=case.place.party,
            context={"target": case.place.target.name, "refused": True},
            now=by.now,
        )
        remember(tx, by, case.row, action="refuse", text=reason)
    return None


def approve(by: By, *, request_id: UUID, version: int, levels: Collection[str]) -> Refused | None:
    """The requester is mailed an invitation with these levels, worth the payer's evidence."""
    wanted = frozenset(levels)
    with writing() as tx:
        found = _wish(tx, by, request_id)
        if isinstance(found, Refused):
            return found
        row, place, wish = found
        catalogue = frozenset(level.key for level in place.party.manifest.levels if not level.manages)
        refused = rules.may_decide(wish, version=version, approve=True) or rules.may_give(wanted, catalogue=catalogue)
        if refused is None:
            _decide(by, row, Status.APPROVED)
            send(
                tx,
                invitee=_invitee(row),
                place=place,
                levels=sorted(wanted),
                evidence=Evidence.PAYER,
                by=by.actor,
                now=by.now,
                origin=by.origin,
                request_id=row.id,
            )
        _audit_request(tx, by, row, Status.APPROVED, refused)
        return refused


def deny(by: By, *, request_id: UUID, version: int, explanation: str) -> Refused | None:
    """The requester is told, with the reason where one is given."""
    with writing() as tx:
        found = _wish(tx, by, request_id)
        if isinstance(found, Refused):
            return found
        row, _place, wish = found
        refused = rules.may_decide(wish, version=version, approve=False)
        if refused is None:
            _decide(by, row, Status.DENIED)
            words = explanation.strip() or None
            row.cause, row.decision_reason = Cause.MANAGER.value, words
            context = {"unanswered": False, "explanation": words}
            tell_requester(tx, row, notice="access_request_denied", context=context, now=by.now)
        _audit_request(tx, by, row, Status.DENIED, refused)
        return refused


def _held(tx: Session, by: By, identity: UUID, *, now: datetime) -> _Case | Refused:
    """The claim under the practice's lock, so that no manager comes to be meanwhile (EN-17)."""
    seen = facts.find(tx, identity)
    case = facts.case_of(tx, seen, now=now) if seen is not None else None
    if case is None:
        return Refused(Reason.UNKNOWN)
    lock(tx, case.place.target)
    row = facts.find(tx, identity, lock=True)
    fresh = facts.case_of(tx, row, now=now) if row is not None else None
    person = subjects.by_id(tx, subject_id=row.subject_id) if row is not None else None
    if row is None or fresh is None or person is None:
        return Refused(Reason.UNKNOWN)
    claim = Claim(
        own=likeness.are_one(tx, by.subject_id or "", row.subject_id),
        subject_id=row.subject_id,
        status=facts.status_now(fresh.place, row, now=now),
        version=row.version,
        managed=fresh.managed,
        in_force=fresh.place.target.in_force,
        mailbox_proven=person.email is not None and person.email_verified_at is not None,
        account_manager=row.account_manager,
    )
    return _Case(row, fresh.place, person, claim)


def _set_status(tx: Session, by: By, case: _Case, status: AffiliationStatus) -> None:
    affiliations.change_status(
        tx, affiliation_id=case.row.id, status=status, now=by.now, actor=by.actor, origin=by.origin
    )


def _mark(tx: Session, by: By, case: _Case) -> None:
    row = case.row
    _make_manager(tx, by, case)
    row.epoch += 1
    row.version += 1
    tx.flush()
    audit.append(
        tx,
        Event.AFFILIATION_CHANGED,
        now=by.now,
        actor=by.actor,
        origin=by.origin,
        subject_id=row.subject_id,
        client_id=case.place.party.client_id,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"before": "no account manager", "after": "account manager", "evidence": [Evidence.PAYER.value]},
    )
    context = {
        "target": case.place.target.name,
        "url": f"{house.get(Settings).issuer}/account/access",
        "by_payer": True,
    }
    notices.notify(
        tx, notice="access_changed", subject=case.person, party=case.place.party, context=context, now=by.now
    )


def _make_manager(tx: Session, by: By, case: _Case) -> None:
    """Evidence of the payer, the portal's default levels and its managing one, and the mark (MODEL §2)."""
    row, place = case.row, case.place
    portal = place.party.client_id
    tx.add(AffiliationEvidence(affiliation_id=row.id, kind=Evidence.PAYER.value, portal=portal, at=by.now, by=by.actor))
    held = {level.level for level in row.levels if level.portal == portal}
    wanted = {*place.terms.default_levels, place.managing} - held
    affiliations.give_levels(tx, affiliation_id=row.id, levels={portal: sorted(wanted)}, now=by.now, by=by.actor)
    row.account_manager = True
    tx.flush()


def _refuse(tx: Session, by: By, case: _Case, act: str, refused: Refused) -> Refused:
    record(tx, by, case.row, client_id=case.place.party.client_id, act=act, refused=refused)
    return refused


def _wish(tx: Session, by: By, identity: UUID) -> tuple[AccessRequest, Place, Wish] | Refused:
    seen = facts.find_request(tx, identity)
    place = _place(tx, seen, now=by.now) if seen is not None else None
    if place is None:
        return Refused(Reason.UNKNOWN)
    lock(tx, place.target)
    managed = facts.is_managed(tx, place, but=None, now=by.now)
    row = facts.find_request(tx, identity, lock=True)
    if row is None:
        return Refused(Reason.UNKNOWN)
    status, cause = status_at(standing_of(row), now=by.now, window=house.get(Settings).access_request_window)
    own = is_own(tx, row, decider=by.subject_id or "")
    return row, place, Wish(own, status, cause, row.version, managed, place.target.in_force)


def _place(tx: Session, row: AccessRequest, *, now: datetime) -> Place | None:
    return facts.place_of(
        tx, portal=row.portal, registry=row.registry_name, kind=row.target_kind, target_id=row.target_id, now=now
    )


def _decide(by: By, row: AccessRequest, status: Status) -> None:
    row.status = status.value
    row.decided_at, row.decided_by = by.now, by.actor
    row.version += 1


def _invitee(row: AccessRequest) -> Invitee:
    return Invitee(
        email=row.email,
        given_name=row.given_name,
        family_name=row.family_name,
        locale=row.locale,
        zoneinfo=row.zoneinfo,
        subject_id=row.subject_id,
    )


def _audit_request(tx: Session, by: By, row: AccessRequest, status: Status, refused: Refused | None) -> None:
    audit.append(
        tx,
        Event.ACCESS_REQUEST_DECIDED,
        now=by.now,
        actor=by.actor,
        origin=by.origin,
        outcome=refused.reason.value if refused is not None else status.value,
        subject_id=row.subject_id,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"request": row.id, "wanted": status.value},
    )
