"""A manager's inbox and their yes or no (B6, B7; MODEL §10; AD-07, AD-08, AD-10, RA-05)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import Place, actor_at, levels_within, place_of
from idp.affiliations.deciding.rules import Actor, word_of
from idp.affiliations.invitations.sending import Invitee, send
from idp.affiliations.managers.facts import Pointed, lock, point_at
from idp.affiliations.requests.closing import tell_requester
from idp.affiliations.requests.facts import Asked, asked_of, is_own, standing_of
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.rules import (
    REASON_LENGTH,
    Cause,
    Decision,
    Reason,
    Status,
    may_decide,
    status_at,
)
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary.affiliation import Acting, TargetKind
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of it."""

    request_id: UUID
    status: Status


@dataclass(frozen=True, slots=True)
class _Case:
    place: Place
    actor: Actor
    row: AccessRequest
    now: datetime
    origin: Origin


def inbox(
    tx: Session, *, acting: Acting, party: RelyingParty, now: datetime, after: tuple[datetime, UUID] | None, limit: int
) -> tuple[Asked, ...] | Refused:
    """Undecided requests for the target at this portal, the one with the least time left first; paged by key."""
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    actor = actor_at(tx, place, acting=acting, now=now)
    if isinstance(actor, Refused):
        return actor
    table, window = AccessRequest, _window()
    query = select(table).where(
        _asked_of(place),
        table.registry_name == place.target.registry,
        table.portal == party.client_id,
        table.status == Status.PENDING.value,
        table.submitted_at > now - window,
    )
    if after is not None:
        query = query.where(
            or_(table.submitted_at > after[0], and_(table.submitted_at == after[0], table.id > after[1]))
        )
    rows = tx.scalars(query.order_by(table.submitted_at, table.id).limit(limit))
    return tuple(asked_of(row, now=now, window=window) for row in rows)


def find(
    tx: Session, *, acting: Acting, party: RelyingParty, request_id: UUID, now: datetime
) -> tuple[Asked, str] | Refused:
    """One request, as it stands, and the name of what is asked for; a foreign id finds none (AD-02)."""
    case = _case(tx, acting=acting, party=party, request_id=request_id, now=now, origin=Origin.local("page"))
    if isinstance(case, Refused):
        return case
    return asked_of(case.row, now=now, window=_window()), case.place.target.name


def names(tx: Session, every: Iterable[Asked], *, registry: str, now: datetime) -> dict[UUID, str]:
    """What each of them asks for, by name."""
    kinds = {asked.target_id: asked.kind for asked in every}
    found = {
        identity: point_at(tx, registry=registry, kind=kind, target_id=identity, now=now)
        for identity, kind in kinds.items()
    }
    return {identity: target.name if target is not None else "" for identity, target in found.items()}


def approve(
    tx: Session,
    *,
    acting: Acting,
    party: RelyingParty,
    request_id: UUID,
    version: int,
    levels: Sequence[str],
    now: datetime,
    origin: Origin,
) -> Decided | Refused:
    """Say yes with these levels: the requester is mailed a link and acts once they have accepted it."""
    case = _case(tx, acting=acting, party=party, request_id=request_id, now=now, origin=origin, hold=True)
    if isinstance(case, Refused):
        return case
    refused = _may(tx, case, version=version) or levels_within(levels, actor=case.actor, place=case.place)
    if refused is None:
        _decide(case, Status.APPROVED)
        send(
            tx,
            invitee=_invitee(case.row),
            place=case.place,
            levels=levels,
            evidence=word_of(case.actor),
            by=case.actor.subject_id,
            now=now,
            origin=origin,
            request_id=case.row.id,
        )
    _audit(tx, case, Status.APPROVED, refused)
    return refused if refused is not None else Decided(case.row.id, Status.APPROVED)


def deny(
    tx: Session,
    *,
    acting: Acting,
    party: RelyingParty,
    request_id: UUID,
    version: int,
    explanation: str,
    now: datetime,
    origin: Origin,
) -> Decided | Refused:
    """Say no, with or without a reason; the requester is told either way."""
    case = _case(tx, acting=acting, party=party, request_id=request_id, now=now, origin=origin, hold=True)
    if isinstance(case, Refused):
        return case
    refused = _may(tx, case, version=version)
    if refused is None and len(explanation) > REASON_LENGTH:
        refused = Refused(Reason.TOO_LONG)
    if refused is None:
        _decide(case, Status.DENIED)
        case.row.cause, case.row.decision_reason = Cause.MANAGER.value, explanation or None
        tell_requester(
            tx,
            case.row,
            notice="access_request_denied",
            context={"unanswered": False, "explanation": explanation or None},
            now=now,
        )
    _audit(tx, case, Status.DENIED, refused)
    return refused if refused is not None else Decided(case.row.id, Status.DENIED)


def _case(
    tx: Session,
    *,
    acting: Acting,
    party: RelyingParty,
    request_id: UUID,
    now: datetime,
    origin: Origin,
    hold: bool = False,
) -> _Case | Refused:
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    if hold:
        lock(tx, place.target)
    actor = actor_at(tx, place, acting=acting, now=now)
    if isinstance(actor, Refused):
        return actor
    query = select(AccessRequest).where(
        AccessRequest.id == request_id,
        _asked_of(place),
        AccessRequest.registry_name == place.target.registry,
        AccessRequest.portal == party.client_id,
    )
    if hold:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = tx.scalars(query).one_or_none()
    target = None if row is None else _target_of(tx, row, place, now=now)
    if row is None or target is None:
        return Refused(Reason.UNKNOWN)
    return _Case(replace(place, target=target), actor, row, now, origin)


def _asked_of(place: Place) -> ColumnElement[bool]:
    """For the target itself; a practice's managers decide what is asked of its providers too (MODEL §1)."""
    target = place.target
    if target.kind is TargetKind.PRACTICE:
        return or_(AccessRequest.target_id == target.id, AccessRequest.practice_id == target.id)
    return AccessRequest.target_id == target.id


def _target_of(tx: Session, row: AccessRequest, place: Place, *, now: datetime) -> Pointed | None:
    """What is asked for; a record that left the practice since is not this manager's any more."""
    kind = TargetKind(row.target_kind)
    if (kind, row.target_id) == (place.target.kind, place.target.id):
        return place.target
    found = point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)
    return found if found is not None and found.practice_id == place.target.id else None


def _may(tx: Session, case: _Case, *, version: int) -> Refused | None:
    status, cause = status_at(standing_of(case.row), now=case.now, window=_window())
    own = is_own(tx, case.row, decider=case.actor.subject_id)
    return may_decide(Decision(status, cause, own, case.row.version), version=version)


def _decide(case: _Case, status: Status) -> None:
    case.row.status = status.value
    case.row.decided_at = case.now
    case.row.decided_by = case.actor.subject_id
    case.row.version += 1


def _invitee(row: AccessRequest) -> Invitee:
    return Invitee(
        email=row.email,
        given_name=row.given_name,
        family_name=row.family_name,
        locale=row.locale,
        zoneinfo=row.zoneinfo,
        subject_id=row.subject_id,
    )


def _window() -> timedelta:
    return house.get(Settings).access_request_window


def _audit(tx: Session, case: _Case, status: Status, refused: Refused | None) -> None:
    audit.append(
        tx,
        Event.ACCESS_REQUEST_DECIDED,
        now=case.now,
        actor=case.actor.subject_id,
        origin=case.origin,
        outcome=refused.reason.value if refused is not None else status.value,
        subject_id=case.row.subject_id,
        client_id=case.row.portal,
        target_kind=case.row.target_kind,
        target_id=case.row.target_id,
        details={"request": case.row.id, "wanted": status.value},
    )
