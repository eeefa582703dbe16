"""Requests read and found: by who asks, by target, by what is due."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import LIFETIME
from idp.affiliations.managers.facts import Pointed
from idp.affiliations.models import Affiliation
from idp.affiliations.requests.models import AccessRequest, phone_context
from idp.affiliations.requests.rules import Answer, Cause, Standing, Status, decide_by, status_at
from idp.foundation import house, vault
from idp.keyring.service import Keyring
from idp.subjects import likeness
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.affiliation import TargetKind

NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: as typed, or as known from their account."""

    email: str = field(repr=False)
    given_name: str
    family_name: str
    position: str = ""
    phone: str | None = field(default=None, repr=False)
    extension: str = ""
    locale: str = "en"
    zoneinfo: str = ""
    subject_id: str | None = None

    @classmethod
    def of(cls, subject: SubjectFacts) -> Self:
        """Somebody signed in, or just registered."""
        return cls(
            email=subject.email or "",
            given_name=(subject.given_name or subject.name)[:NAME_LENGTH],
            family_name=subject.family_name or "",
            locale=subject.locale or "en",
            zoneinfo=subject.zoneinfo or "",
            subject_id=subject.id,
        )

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.given_name, self.family_name) if part)

    @property
    def fits(self) -> bool:
        """Whether everything is as short as the table keeps it (AD-15: limits hold on the server)."""
        lengths = ((self.given_name, 80), (self.family_name, 80), (self.position, 80), (self.extension, 8))
        more = ((self.phone or "", 32), (self.locale, 16), (self.zoneinfo, 64))
        return all(len(text) <= limit for text, limit in (*lengths, *more))


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a page shows it, its status the one of now."""

    id: UUID
    portal: str
    kind: TargetKind
    target_id: UUID
    status: Status
    cause: Cause | None
    decision_reason: str | None
    submitted_at: datetime
    decide_by: datetime
    name: str
    email: str = field(repr=False)
    position: str
    reason: str
    version: int


def asked_of(row: AccessRequest, *, now: datetime, window: timedelta) -> Asked:
    """A row as the rules read it."""
    status, cause = status_at(standing_of(row), now=now, window=window)
    return Asked(
        id=row.id,
        portal=row.portal,
        kind=TargetKind(row.target_kind),
        target_id=row.target_id,
        status=status,
        cause=cause,
        decision_reason=row.decision_reason,
        submitted_at=row.submitted_at,
        decide_by=decide_by(row.submitted_at, window=window),
        name=name_of(row),
        email=row.email,
        position=row.position,
        reason=row.reason,
        version=row.version,
    )


def standing_of(row: AccessRequest) -> Standing:
    return Standing(Status(row.status), row.submitted_at, Cause(row.cause) if row.cause else None)


def is_own(tx: Session, row: AccessRequest, *, decider: str) -> bool:
    """Whether who decides asked for it: by this account, by another of theirs, or by an address or telephone of theirs (AD-07)."""
    keys = house.get(Keyring).vault
    sealed = row.phone_sealed
    phone = vault.unseal(sealed, keys=keys, context=phone_context(row.id)).decode() if sealed is not None else None
    return likeness.are_one(tx, decider, row.subject_id, email=row.email, phone=phone)


def answer_of(tx: Session, row: AccessRequest, *, now: datetime) -> Answer:
    """How the invitation stands that an approval sent; a new one may have followed it."""
    query = select(Invitation.sent_at).where(Invitation.request_id == row.id, Invitation.voided_at.is_(None))
    sent_at = max(tx.scalars(query), default=None)
    if sent_at is None:
        return Answer.GONE
    return Answer.GOOD if now < sent_at + LIFETIME else Answer.EXPIRED


def name_of(row: AccessRequest) -> str:
    return " ".join(part for part in (row.given_name, row.family_name) if part)


def open_one(tx: Session, *, email_key: str, target: Pointed) -> AccessRequest | None:
    """The request of this address for this target that is stored as undecided."""
    return tx.scalars(
        select(AccessRequest)
        .where(AccessRequest.email_key == email_key, *_at(target), AccessRequest.status == Status.PENDING.value)
        .with_for_update()
    ).one_or_none()


def count_open(tx: Session, *, target: Pointed, since: datetime) -> int:
    """How many of a target's requests are undecided and not overdue."""
    query = select(func.count()).where(
        *_at(target), AccessRequest.status == Status.PENDING.value, AccessRequest.submitted_at > since
    )
    return tx.execute(query).scalar_one()


def overdue(*, since: datetime, limit: int) -> Select[Any]:
    """Undecided ones submitted at `since` or before, oldest first; what another worker holds is passed over."""
    return _undecided(limit).where(AccessRequest.submitted_at <= since)


def to_remind(*, number: int, since: datetime, limit: int) -> Select[Any]:
    """Undecided ones submitted at `since` or before that have had fewer than `number` reminders."""
    return _undecided(limit).where(AccessRequest.submitted_at <= since, AccessRequest.reminders < number)


def abandoned(*, portals: Collection[str], limit: int) -> Select[Any]:
    """Undecided ones of these portals whose target nobody is marked to manage, and of which the payer was not told."""
    marked = (
        select(Affiliation.id)
        .where(
            Affiliation.registry_name == AccessRequest.registry_name,
            Affiliation.target_id.in_((AccessRequest.target_id, AccessRequest.practice_id)),
            Affiliation.account_manager.is_(True),
            Affiliation.status == "active",
        )
        .exists()
    )
    return _undecided(limit).where(AccessRequest.escalated_at.is_(None), AccessRequest.portal.in_(portals), ~marked)


def _undecided(limit: int) -> Select[Any]:
    return (
        select(AccessRequest)
        .where(AccessRequest.status == Status.PENDING.value)
        .order_by(AccessRequest.submitted_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _at(target: Pointed) -> tuple[Any, ...]:
    return (
        AccessRequest.registry_name == target.registry,
        AccessRequest.target_kind == target.kind.value,
        AccessRequest.target_id == target.id,
    )
