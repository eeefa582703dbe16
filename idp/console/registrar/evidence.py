"""Both sides of one claim: what was claimed, from where, and what the directory holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations.managers.facts import Pointed
from idp.affiliations.models import Affiliation
from idp.affiliations.rules import PENDING_LIFETIME
from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.console.registrar.facts import case_of, find, status_now
from idp.directory import facts as directory
from idp.directory.models import TradingPartner
from idp.directory.rules import PracticeFacts, ProviderFacts
from idp.directory.service import practice, provider, trading_partner
from idp.foundation.database import see_as
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind

MOST_RECORDS: Final = 20
MOST_COLLEAGUES: Final = 50


@dataclass(frozen=True, slots=True)
class Whence:
    """From where the claim came, as the audit has it."""

    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """What the directory holds about a target."""

    kind: TargetKind
    name: str
    in_force: bool
    registry: str
    practice: PracticeFacts | None
    providers: tuple[ProviderFacts, ...]
    partner_id: str | None
    zip_code: str | None
    domain: str | None
    """The mailbox domain that the roster names (trading partners only)."""


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """Both sides of one claim."""

    id: UUID
    version: int
    status: AffiliationStatus
    at: datetime
    lapses_at: datetime
    subject: SubjectFacts
    phone: str | None
    portals: tuple[tuple[str, str], ...]
    """Portal and the kind of evidence brought there."""
    whence: Whence | None
    held: Held
    managed: bool
    account_manager: bool
    same_domain: int
    others: int
    """People of this target, and how many of their mailboxes share the registrant's domain."""


def claim_page(tx: Session, identity: UUID, *, now: datetime) -> ClaimPage | None:
    """Everything that a registrar weighs before a claim is verified."""
    row = find(tx, identity)
    case = case_of(tx, row, now=now) if row is not None else None
    person = subjects.by_id(tx, subject_id=row.subject_id) if row is not None else None
    if row is None or case is None or person is None:
        return None
    same, others = _colleagues(tx, row, person)
    return ClaimPage(
        id=row.id,
        version=row.version,
        status=status_now(case.place, row, now=now),
        at=row.created_at,
        lapses_at=row.created_at + PENDING_LIFETIME,
        subject=person,
        phone=subjects.phone_of(person),
        portals=tuple((proof.portal, proof.kind) for proof in row.evidence),
        whence=_whence(tx, row),
        held=holds(tx, case.place.target),
        managed=case.managed,
        account_manager=row.account_manager,
        same_domain=same,
        others=others,
    )


def holds(tx: Session, target: Pointed) -> Held:
    """What the roster says of a target today."""
    found_practice = practice(tx, target.practice_id) if target.practice_id is not None else None
    records: tuple[ProviderFacts, ...] = ()
    row: TradingPartner | None = None
    if target.kind is TargetKind.PROVIDER:
        one = provider(tx, target.id)
        records = (one,) if one is not None else ()
    elif target.kind is TargetKind.PRACTICE:
        table = directory.provider
        records = directory.providers(
            tx, table.c.practice_id == target.id, table.c.registry == target.registry, limit=MOST_RECORDS
        )
    else:
        row = tx.get(TradingPartner, target.id)
    partner = trading_partner(tx, target.id) if row is not None else None
    return Held(
        kind=target.kind,
        name=target.name,
        in_force=target.in_force,
        registry=target.registry,
        practice=found_practice,
        providers=records,
        partner_id=partner.trading_partner_id if partner is not None else None,
        zip_code=partner.zip_code if partner is not None else None,
        domain=row.email_domain if row is not None else None,
    )


def _colleagues(tx: Session, row: Affiliation, person: SubjectFacts) -> tuple[int, int]:
    see_as(tx, target_id=row.target_id)
    keys = tx.scalars(
        select(Subject.email_key)
        .join(Affiliation, Affiliation.subject_id == Subject.id)
        .where(
            Affiliation.target_id == row.target_id,
            Affiliation.registry_name == row.registry_name,
            Affiliation.status == AffiliationStatus.ACTIVE.value,
            Subject.id != person.id,
            Subject.email_verified_at.is_not(None),
        )
        .limit(MOST_COLLEAGUES)
    ).all()
    mine = domain_of(person.email)
    return sum(domain_of(key) == mine for key in keys), len(keys)


def domain_of(address: str | None) -> str:
    """What stands behind the at sign."""
    return (address or "").rpartition("@")[2].lower()


def _whence(tx: Session, row: Affiliation) -> Whence | None:
    event = tx.scalars(
        select(AuditEvent)
        .where(
            AuditEvent.target_id == str(row.target_id),
            AuditEvent.subject_id == row.subject_id,
            AuditEvent.type == Event.AFFILIATION_MADE.value,
            AuditEvent.outcome == "ok",
        )
        .order_by(AuditEvent.at.desc())
        .limit(1)
    ).one_or_none()
    return None if event is None or not event.address else Whence(event.address, event.at)
