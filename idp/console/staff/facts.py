"""Who of the payer holds which role, read anew at every request: a role that was taken is gone at once (AD-14)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.console.staff.models import StaffMember, StaffProposal
from idp.console.staff.rules import Candidate, Proposal
from idp.foundation.database import Rows
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import Status, SubjectFacts
from idp.vocabulary.staff import StaffRole

_role = StaffMember.__table__
_ROLES_OF: Final = select(_role.c.role).where(_role.c.subject_id == bindparam("subject_id"), _role.c.ended_at.is_(None))
_NOW: Final = select(StaffMember).where(StaffMember.ended_at.is_(None))


@dataclass(frozen=True, slots=True)
class Holder:
    """One person with one role, as a list shows them."""

    subject_id: str
    name: str
    login: str
    role: StaffRole
    given_at: datetime
    proposed_by: str
    confirmed_by: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal as a list shows it."""

    id: UUID
    subject_id: str
    name: str
    login: str
    role: StaffRole
    reason: str
    proposed_by: str
    proposer: str
    proposed_at: datetime


def roles_of(tx: Rows, *, subject_id: str) -> frozenset[StaffRole]:
    """The person's roles now."""
    return frozenset(StaffRole(role) for role in tx.execute(_ROLES_OF, {"subject_id": subject_id}).scalars())


def is_staff(tx: Rows, *, subject_id: str) -> bool:
    """Whether the person holds any role."""
    return bool(roles_of(tx, subject_id=subject_id))


def administrators(tx: Session, *, lock: bool = False) -> frozenset[str]:
    """Active people who are administrators now; locked, nobody becomes or stops being one meanwhile (RA-06)."""
    query = (
        select(StaffMember.subject_id, Subject.status)
        .join(Subject, Subject.id == StaffMember.subject_id)
        .where(StaffMember.role == StaffRole.ADMINISTRATOR.value, StaffMember.ended_at.is_(None))
        .order_by(StaffMember.id)
    )
    if lock:
        query = query.with_for_update(of=StaffMember)
    return frozenset(row.subject_id for row in tx.execute(query) if row.status == Status.ACTIVE.value)


def registrars(tx: Session) -> tuple[SubjectFacts, ...]:
    """Active people who are registrars now."""
    query = select(StaffMember.subject_id).where(
        StaffMember.role == StaffRole.REGISTRAR.value, StaffMember.ended_at.is_(None)
    )
    people = (subjects.by_id(tx, subject_id=each) for each in tx.scalars(query).all())
    return tuple(person for person in people if person is not None and person.status is Status.ACTIVE)


def candidate(tx: Session, subject: SubjectFacts, *, now: datetime) -> Candidate:
    """Whoever is to get or lose a role, as the rules see them."""
    open_ones = tx.scalars(
        select(StaffProposal).where(StaffProposal.subject_id == subject.id, StaffProposal.closed_at.is_(None))
    )
    return Candidate(
        subject_id=subject.id,
        active=subject.status is Status.ACTIVE,
        roles=roles_of(tx, subject_id=subject.id),
        proposed=frozenset(StaffRole(row.role) for row in open_ones if proposal_of(row).waits(now)),
    )


def proposal_of(row: StaffProposal) -> Proposal:
    """A row as the rules see it."""
    return Proposal(row.subject_id, StaffRole(row.role), row.proposed_by, row.proposed_at, row.closed_at is not None)


def holders(tx: Session) -> list[Holder]:
    """Everybody with a role, by role and name."""
    rows = tx.scalars(_NOW).all()
    people = _people(tx, (row.subject_id for row in rows))
    found = [
        Holder(
            subject_id=row.subject_id,
            name=_name(people[row.subject_id]),
            login=_login(people[row.subject_id]),
            role=StaffRole(row.role),
            given_at=row.given_at,
            proposed_by=row.proposed_by,
            confirmed_by=row.confirmed_by,
            active=people[row.subject_id].status == Status.ACTIVE.value,
        )
        for row in rows
    ]
    return sorted(found, key=lambda holder: (list(StaffRole).index(holder.role), holder.name.casefold()))


def waiting(tx: Session, *, now: datetime) -> list[Waiting]:
    """Proposals that still wait, oldest first."""
    rows = tx.scalars(
        select(StaffProposal).where(StaffProposal.closed_at.is_(None)).order_by(StaffProposal.proposed_at)
    ).all()
    people = _people(tx, (each for row in rows for each in (row.subject_id, row.proposed_by)))
    return [
        Waiting(
            id=row.id,
            subject_id=row.subject_id,
            name=_name(people[row.subject_id]),
            login=_login(people[row.subject_id]),
            role=StaffRole(row.role),
            reason=row.reason,
            proposed_by=row.proposed_by,
            proposer=_name(people[row.proposed_by]),
            proposed_at=row.proposed_at,
        )
        for row in rows
        if proposal_of(row).waits(now)
    ]


def _people(tx: Session, ids: Iterable[str]) -> dict[str, Subject]:
    return {row.id: row for row in tx.scalars(select(Subject).where(Subject.id.in_(set(ids))))}


def _name(row: Subject) -> str:
    return row.display_name or " ".join(part for part in (row.given_name, row.family_name) if part) or _login(row)


def _login(row: Subject) -> str:
    return row.user_id or row.email or row.id
