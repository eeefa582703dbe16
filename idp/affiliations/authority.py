"""Who may act on a target's people: the only place that makes an `Acting` (SECURITY D5, ruling 20; MODEL §1, §7).

A practice's managers act on it and its providers, a provider's on that provider, a trading partner's on its staff.
Pure: the affiliations are read before, `now` is given, and what is not theirs looks as if it did not exist.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from idp.affiliations.rules import Held, PortalTerms, manages_at, status_at
from idp.vocabulary.affiliation import Acting, AffiliationStatus, Permission, TargetKind
from idp.vocabulary.assurance import Acr
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import OPERATOR, StaffMay


class Reason(StrEnum):
    """Why nobody may act; pages answer it like a target that does not exist."""

    NOT_A_MANAGER = "not_a_manager"
    NOT_A_REGISTRAR = "not_a_registrar"


@dataclass(frozen=True, slots=True)
class ActedOn:
    """The target of an act; `practice_id` is the provider's practice, or the practice itself."""

    registry: str
    kind: TargetKind
    id: UUID
    practice_id: UUID | None = None


def authorize(
    held: Iterable[Held],
    target: ActedOn,
    *,
    subject_id: str,
    acr: Acr,
    fresh_at: datetime,
    now: datetime,
    dormancy: timedelta,
    terms: PortalTerms | None = None,
) -> Acting | Refused:
    """The proven right of `subject_id`, whose affiliations `held` are, to manage the target's people now.

    With a portal's `terms`, only by evidence that it accepts of managers (MODEL §1).
    """
    for each in held:
        active = status_at(each, now=now, dormancy=dormancy) is AffiliationStatus.ACTIVE and now >= each.starts_at
        accepted = terms is None or manages_at(each, terms=terms, now=now, dormancy=dormancy)
        if active and each.account_manager and accepted and _covers(each, target):
            return Acting(
                subject_id=subject_id,
                registry=target.registry,
                target_kind=target.kind,
                target_id=target.id,
                permission=Permission.MANAGE,
                acr=acr,
                fresh_at=fresh_at,
            )
    return Refused(Reason.NOT_A_MANAGER)


def authorize_payer(
    target: ActedOn, *, subject_id: str, may: Collection[StaffMay], acr: Acr, fresh_at: datetime
) -> Acting | Refused:
    """The right of payer staff who decide, at any target; what may be done there the same rule says as for managers."""
    if StaffMay.DECIDE not in may:
        return Refused(Reason.NOT_A_REGISTRAR)
    return _for_the_payer(target, subject_id=subject_id, acr=acr, fresh_at=fresh_at)


def authorize_operator(target: ActedOn, *, now: datetime) -> Acting:
    """The same right of whoever has the command line, which makes and unmakes staff anyway: no account, no sign-in."""
    return _for_the_payer(target, subject_id=OPERATOR, acr=Acr.AAL1, fresh_at=now)


def _for_the_payer(target: ActedOn, *, subject_id: str, acr: Acr, fresh_at: datetime) -> Acting:
    return Acting(
        subject_id=subject_id,
        registry=target.registry,
        target_kind=target.kind,
        target_id=target.id,
        permission=Permission.KEEP,
        acr=acr,
        fresh_at=fresh_at,
    )


def _covers(held: Held, target: ActedOn) -> bool:
    if held.registry != target.registry:
        return False
    if (held.target.kind, held.target.id) == (target.kind, target.id):
        return True
    is_provider_of = held.target.kind is TargetKind.PRACTICE and target.kind is TargetKind.PROVIDER
    return is_provider_of and held.target.id == target.practice_id
