"""Giving and taking staff roles; each is one transaction with its audit event and its mails to every administrator."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.console.staff import facts, rules
from idp.console.staff.models import StaffMember, StaffProposal
from idp.console.staff.rules import Reason
from idp.foundation import house
from idp.foundation.database import new_id, writing
from idp.foundation.origin import Origin
from idp.sessions import notices
from idp.sessions.rules import SessionFacts
from idp.settings import Settings
from idp.subjects import likeness
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts, login_key
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffRole
from idp.vocabulary.staff import actor_of as actor_of


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, from where, when; `subject_id` is `None` for the operator at the command line."""

    subject_id: str | None
    name: str
    origin: Origin
    now: datetime
    session: SessionFacts | None = None
    """In which they proved who they are; the command line and the worker have none."""

    @property
    def actor(self) -> str:
        return actor_of(self.subject_id) if self.subject_id else self.name


def find(tx: Session, login: str) -> SubjectFacts | Refused:
    """The person with this user ID, e-mail address or subject id."""
    found = subjects.find_by_login(tx, key=login_key(login)) or subjects.by_id(tx, subject_id=login[:64])
    return found if found is not None else Refused(Reason.UNKNOWN_PERSON)


def propose(by: By, *, login: str, role: StaffRole, reason: str) -> UUID | Refused:
    """The first of two administrators: the role waits, and the others are mailed."""
    with writing() as tx:
        administrators = facts.administrators(tx, lock=True)
        person = find(tx, login)
        if isinstance(person, Refused):
            return person
        _close_expired(tx, person.id, now=by.now)
        candidate = replace(facts.candidate(tx, person, now=by.now), own=_is_actor(tx, by, person.id))
        refused = rules.may_propose(role, candidate, actor=by.subject_id or "", administrators=administrators)
        if refused is None and not reason.strip():
            refused = Refused(Reason.NO_REASON)
        _audit(tx, Event.STAFF_ROLE_PROPOSED, by, person.id, role, refused, reason=reason)
        if refused is not None:
            return refused
        row = StaffProposal(
            id=new_id(),
            subject_id=person.id,
            role=role.value,
            reason=reason.strip(),
            proposed_by=by.subject_id,
            proposed_at=by.now,
        )
        tx.add(row)
        _tell(tx, administrators - {by.subject_id}, "proposed", role, person=person, by=by)
        return row.id


def confirm(by: By, *, proposal_id: UUID) -> StaffRole | Refused:
    """The second administrator: the person has the role from their next request on."""
    with writing() as tx:
        administrators = facts.administrators(tx, lock=True)
        opened = _open(tx, proposal_id)
        if isinstance(opened, Refused):
            return opened
        row, person = opened
        proposal = replace(facts.proposal_of(row), own=_is_actor(tx, by, row.proposed_by))
        candidate = replace(facts.candidate(tx, person, now=by.now), own=_is_actor(tx, by, person.id))
        refused = rules.may_confirm(
            proposal, candidate, actor=by.subject_id or "", administrators=administrators, now=by.now
        )
        _audit(tx, Event.STAFF_ROLE_GIVEN, by, person.id, proposal.role, refused, proposed_by=row.proposed_by)
        if refused is not None:
            return refused
        _close(row, "confirmed", by)
        _give(tx, person, proposal.role, proposed_by=row.proposed_by, confirmed_by=by.subject_id, now=by.now)
        _tell(tx, administrators | {person.id}, "given", proposal.role, person=person, by=by)
        return proposal.role


def decline(by: By, *, proposal_id: UUID) -> StaffRole | Refused:
    """Turn a proposal down, or take one's own back."""
    with writing() as tx:
        administrators = facts.administrators(tx, lock=True)
        opened = _open(tx, proposal_id)
        if isinstance(opened, Refused):
            return opened
        row, person = opened
        proposal = facts.proposal_of(row)
        refused = rules.may_close(proposal, actor=by.subject_id or "", administrators=administrators, now=by.now)
        _audit(tx, Event.STAFF_ROLE_DECLINED, by, person.id, proposal.role, refused, proposed_by=row.proposed_by)
        if refused is not None:
            return refused
        _close(row, "declined", by)
        return proposal.role


def take(by: By, *, subject_id: str, role: StaffRole) -> SubjectFacts | Refused:
    """Take a role from somebody; proposals that they made die with it, since the rule asks who proposed."""
    with writing() as tx:
        administrators = facts.administrators(tx, lock=True)
        person = subjects.by_id(tx, subject_id=subject_id)
        if person is None:
            return Refused(Reason.UNKNOWN_PERSON)
        candidate = facts.candidate(tx, person, now=by.now)
        refused = rules.may_take(role, candidate, actor=by.subject_id or "", administrators=administrators)
        return _taken(tx, by, person, role, refused, administrators)


def bootstrap(by: By, *, login: str, role: StaffRole, quiet: bool = False) -> SubjectFacts | Refused:
    """The operator's way to the first administrators, on the command line; `quiet` for the demo, whose people are not mailed."""
    with writing() as tx:
        administrators = facts.administrators(tx, lock=True)
        person = find(tx, login)
        if isinstance(person, Refused):
            return person
        candidate = facts.candidate(tx, person, now=by.now)
        refused = rules.may_bootstrap(role, candidate, administrators=administrators)
        _audit(tx, Event.STAFF_ROLE_GIVEN, by, person.id, role, refused)
        if refused is not None:
            return refused
        _give(tx, person, role, proposed_by=by.actor, confirmed_by=None, now=by.now)
        if not quiet:
            _tell(tx, administrators | {person.id}, "given", role, person=person, by=by)
        return person


def take_by_operator(by: By, *, login: str, role: StaffRole) -> SubjectFacts | Refused:
    """The operator takes any role, the last administrator's too: they can give it anew."""
    with writing() as tx:
        administrators = facts.administrators(tx, lock=True)
        person = find(tx, login)
        if isinstance(person, Refused):
            return person
        held = role in facts.roles_of(tx, subject_id=person.id)
        return _taken(tx, by, person, role, None if held else Refused(Reason.NOT_HELD), administrators)


def _taken(
    tx: Session, by: By, person: SubjectFacts, role: StaffRole, refused: Refused | None, told: Collection[str]
) -> SubjectFacts | Refused:
    _audit(tx, Event.STAFF_ROLE_TAKEN, by, person.id, role, refused)
    if refused is not None:
        return refused
    tx.execute(
        update(StaffMember)
        .where(StaffMember.subject_id == person.id, StaffMember.role == role.value, StaffMember.ended_at.is_(None))
        .values(ended_at=by.now, ended_by=by.actor)
    )
    _tell(tx, {*told, person.id}, "taken", role, person=person, by=by)
    return person


def _is_actor(tx: Session, by: By, subject_id: str) -> bool:
    """Two administrators are two people, and neither gives a role to themselves, whichever accounts they use (AD-07)."""
    return by.subject_id is not None and likeness.are_one(tx, by.subject_id, subject_id)


def _open(tx: Session, proposal_id: UUID) -> tuple[StaffProposal, SubjectFacts] | Refused:
    row = tx.get(StaffProposal, proposal_id, with_for_update=True)
    person = subjects.by_id(tx, subject_id=row.subject_id) if row is not None else None
    return Refused(Reason.GONE) if row is None or person is None else (row, person)


def _close(row: StaffProposal, outcome: str, by: By) -> None:
    row.closed_at, row.closed_by, row.outcome = by.now, by.actor, outcome


def _close_expired(tx: Session, subject_id: str, *, now: datetime) -> None:
    tx.execute(
        update(StaffProposal)
        .where(
            StaffProposal.subject_id == subject_id,
            StaffProposal.closed_at.is_(None),
            StaffProposal.proposed_at <= now - rules.PROPOSAL_LIFE,
        )
        .values(closed_at=now, closed_by="system", outcome="expired")
    )


def _give(
    tx: Session, person: SubjectFacts, role: StaffRole, *, proposed_by: str, confirmed_by: str | None, now: datetime
) -> None:
    tx.add(
        StaffMember(
            subject_id=person.id, role=role.value, given_at=now, proposed_by=proposed_by, confirmed_by=confirmed_by
        )
    )
    tx.flush()  # facts are read by statement


def _tell(tx: Session, ids: Collection[Any], happened: str, role: StaffRole, *, person: SubjectFacts, by: By) -> None:
    context = {
        "happened": happened,
        "role": role.value,
        "person": person.name,
        "by": by.name if by.subject_id else None,
        "url": f"{house.get(Settings).issuer}/console/staff",
    }
    for identity in tx.scalars(select(Subject.id).where(Subject.id.in_(ids)).order_by(Subject.id)):
        subject = subjects.by_id(tx, subject_id=identity)
        assert subject is not None
        notices.notify(tx, notice="staff_role", subject=subject, party=None, context=context, now=by.now)


def _audit(
    tx: Session, event: Event, by: By, subject_id: str, role: StaffRole, refused: Refused | None, **details: object
) -> None:
    audit.append(
        tx,
        event,
        now=by.now,
        actor=by.actor,
        origin=by.origin,
        outcome="ok" if refused is None else refused.reason.value,
        subject_id=subject_id,
        details={"role": role.value, **details},
    )
