"""Where a person's account stands, masked; and what a caller may be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.rules import Held, status_at
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.rules import Held as HeldFactor
from idp.authenticators.password import budgets
from idp.authenticators.password import facts as passwords
from idp.authenticators.recovery_codes import facts as recovery_codes
from idp.console.help_desk.rules import Asked
from idp.console.staff import facts as staff
from idp.foundation import house, masks
from idp.sessions import service as sessions
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.staff import StaffRole


@dataclass(frozen=True, slots=True)
class Access:
    """One affiliation, its number masked."""

    name: str
    number: str
    registry: str
    status: AffiliationStatus
    account_manager: bool


@dataclass(frozen=True, slots=True)
class State:
    """What the page of a case shows: states, kinds and dates; no identifier in full, and no secret."""

    status: str
    locked: bool
    initials: str
    user_id: str
    email: str
    email_proven: bool
    phone: str
    has_password: bool
    created_at: datetime
    last_sign_in_at: datetime | None
    sessions: int
    factors: tuple[HeldFactor, ...]
    codes_left: int
    access: tuple[Access, ...]
    roles: frozenset[StaffRole]


def state(tx: Session, subject: SubjectFacts, *, now: datetime) -> State:
    """Everything that the help desk is shown of a person."""
    dormancy = house.get(Settings).dormancy
    held = affiliations.held(tx, subject_id=subject.id, now=now)
    return State(
        status=subject.status.value,
        locked=budgets.locked(tx, account=subject.id, now=now),
        initials=initials(subject.name),
        user_id=masks.tail(subject.user_id) if subject.user_id else "",
        email=masks.email(subject.email),
        email_proven=subject.email_verified_at is not None,
        phone=masks.phone(subjects.phone_of(subject)),
        has_password=passwords.credential_of(tx, subject_id=subject.id) is not None,
        created_at=subject.created_at,
        last_sign_in_at=subject.last_sign_in_at,
        sessions=len(sessions.list_sessions(tx, subject_id=subject.id, now=now)),
        factors=factors.held(tx, subject_id=subject.id),
        codes_left=recovery_codes.left(tx, subject_id=subject.id, now=now),
        access=tuple(
            Access(
                each.target.name,
                _masked(each),
                each.registry,
                status_at(each, now=now, dormancy=dormancy),
                each.account_manager,
            )
            for each in held
        ),
        roles=staff.roles_of(tx, subject_id=subject.id),
    )


def answers(tx: Session, subject: SubjectFacts, *, now: datetime) -> Mapping[Asked, frozenset[str]]:
    """The right answers, for comparison only; they never reach a page."""
    held = affiliations.held(tx, subject_id=subject.id, now=now)
    phone = "".join(filter(str.isdigit, subjects.phone_of(subject) or ""))
    numbers = {number for each in held for number in _numbers(each)}
    tins = {each.target.tin_masked[-4:] for each in held if each.target.tin_masked}
    return {
        Asked.EMAIL: frozenset({subject.email} if subject.email else ()),
        Asked.PHONE: frozenset({phone[-4:]} if len(phone) >= 4 else ()),
        Asked.NUMBER: frozenset(numbers),
        Asked.TAX_ID: frozenset(tins),
    }


def initials(name: str) -> str:
    """`R. D.`: enough to hear that it is the right person, not enough to tell who it is."""
    return " ".join(f"{part[0].upper()}." for part in name.split()[:3])


def _numbers(held: Held) -> tuple[str, ...]:
    partner = held.target.trading_partner_id
    return (partner,) if partner else tuple(each.provider_id for each in held.target.providers)


def _masked(held: Held) -> str:
    target = held.target
    if target.trading_partner_id:
        return masks.tail(target.trading_partner_id)
    return masks.tail(target.providers[0].provider_id) if len(target.providers) == 1 else target.tin_masked or ""
