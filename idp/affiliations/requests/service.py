"""Asking for access, looking at one's request by the mailed link, and withdrawing it (B5, C8, EN-16)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.invitations.sending import void_for_request
from idp.affiliations.managers.facts import Pointed, lock, managers_of, point_at
from idp.affiliations.managers.telling import tell_deciders
from idp.affiliations.requests import budgets
from idp.affiliations.requests.closing import deny_unanswered
from idp.affiliations.requests.facts import Asked, Requester, answer_of, asked_of, count_open, open_one, standing_of
from idp.affiliations.requests.links import status_link
from idp.affiliations.requests.models import AccessRequest, phone_context
from idp.affiliations.requests.rules import REASON_LENGTH, Answer, Reason, Status, Wish, decide_by, may_ask, status_at
from idp.affiliations.rules import PortalTerms, blocked, serves
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import artefacts, house, vault
from idp.foundation.artefacts import Kind, digest_of
from idp.foundation.database import new_id, reading, see_as, writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects.rules import email_key
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused

__all__ = ["Asked", "Requester", "Seen", "Submitted", "look", "submit", "withdraw"]


@dataclass(frozen=True, slots=True)
class Submitted:
    """The request stands; `repeated`: it stood already, and nobody was mailed again."""

    request_id: UUID
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What the mailed link shows."""

    asked: Asked
    target_name: str
    link: Answer
    """How the invitation stands that an approval sent."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """One call of `submit`."""

    requester: Requester
    email_key: str
    party: RelyingParty
    terms: PortalTerms
    target: Pointed
    reason: str
    now: datetime
    origin: Origin


def submit(
    tx: Session,
    *,
    requester: Requester,
    party: RelyingParty,
    kind: TargetKind,
    target_id: UUID,
    reason: str,
    now: datetime,
    origin: Origin,
) -> Submitted | Refused:
    """Ask the target's managers for access; where there are none the payer is asked. Tells nobody which of the two.

    A second request of one address for one target is the first one.
    """
    terms, key = affiliations.terms_of(party), email_key(requester.email)
    if party.portal is None or terms is None:
        raise ValueError("access is asked for at portals")
    if isinstance(key, Refused):
        return Refused(Reason.BAD_EMAIL)
    if len(reason) > REASON_LENGTH or not requester.fits:
        return Refused(Reason.TOO_LONG)
    target = point_at(tx, registry=terms.registry, kind=kind, target_id=target_id, now=now)
    if target is None:
        return Refused(Reason.UNKNOWN_TARGET)
    wish = _Wish(requester, key, party, terms, target, reason, now, origin)
    outcome = _submit(tx, wish)
    _audit(tx, wish, outcome)
    return outcome


def look(token: str, *, now: datetime) -> Seen | Refused:
    """The request behind a mailed link as it stands now; changes nothing."""
    with reading() as tx:
        found = _by_link(tx, token, now=now)
        if isinstance(found, Refused):
            return found
        row, target = found
        name, link = target.name if target is not None else "", answer_of(tx, row, now=now)
        return Seen(asked_of(row, now=now, window=_window()), name, link)


def withdraw(token: str, *, now: datetime, origin: Origin) -> Refused | None:
    """Take the request back, by who has its link: an approved one too, whose invitation is dead then (AD-12)."""
    with writing() as tx:
        found = _by_link(tx, token, now=now, hold=True)
        if isinstance(found, Refused):
            return found
        row, _target = found
        if status_at(standing_of(row), now=now, window=_window())[0] not in (Status.PENDING, Status.APPROVED):
            return Refused(Reason.NOT_PENDING)
        void_for_request(tx, request_id=row.id, now=now)
        row.status = Status.WITHDRAWN.value
        row.decided_at = now
        row.version += 1
        audit.append(
            tx,
            Event.ACCESS_REQUEST_WITHDRAWN,
            now=now,
            actor=row.subject_id or "anonymous",
            origin=origin,
            subject_id=row.subject_id,
            client_id=row.portal,
            target_kind=row.target_kind,
            target_id=row.target_id,
            details={"request": row.id},
        )
    return None


def _submit(tx: Session, wish: _Wish) -> Submitted | Refused:
    target, now = wish.target, wish.now
    lock(tx, target)
    over = budgets.reserve(tx, email_key=wish.email_key, target=str(target.id), now=now)
    if over is not None:
        return over
    see_as(tx, subject_id=wish.requester.subject_id, target_id=target.id)
    stands = open_one(tx, email_key=wish.email_key, target=target)
    if stands is not None:
        if status_at(standing_of(stands), now=now, window=_window())[0] is Status.PENDING:
            return Submitted(stands.id, repeated=True)
        deny_unanswered(tx, stands, now=now)
        tx.flush()  # the unique index counts what is undecided
    refused = may_ask(_known(tx, wish))
    if refused is not None:
        return refused
    row = _row(wish)
    see_as(tx, subject_id=wish.requester.subject_id, target_id=target.id)
    tx.add(row)
    _tell(tx, wish, row)
    return Submitted(row.id)


def _known(tx: Session, wish: _Wish) -> Wish:
    held, subject_id, now = False, wish.requester.subject_id, wish.now
    if subject_id is not None:
        dormancy = house.get(Settings).dormancy
        every = affiliations.held(tx, subject_id=subject_id, now=now)
        same = [each for each in every if (each.target.kind, each.target.id) == (wish.target.kind, wish.target.id)]
        held = any(blocked(each, terms=wish.terms, now=now, dormancy=dormancy) is None for each in same)
    see_as(tx, subject_id=subject_id, target_id=wish.target.id)
    return Wish(
        served=serves(wish.target.kind, wish.terms),
        in_force=wish.target.in_force,
        already_held=held,
        open_at_target=count_open(tx, target=wish.target, since=now - _window()),
    )


def _row(wish: _Wish) -> AccessRequest:
    identity, requester, target = new_id(), wish.requester, wish.target
    phone = requester.phone.encode() if requester.phone else None
    sealing = house.get(Keyring).vault
    return AccessRequest(
        id=identity,
        portal=wish.party.client_id,
        registry_name=target.registry,
        target_kind=target.kind.value,
        target_id=target.id,
        practice_id=target.practice_id,
        subject_id=requester.subject_id,
        email=requester.email,
        email_key=wish.email_key,
        given_name=requester.given_name,
        family_name=requester.family_name,
        position=requester.position,
        phone_sealed=vault.seal(phone, keys=sealing, context=phone_context(identity)) if phone else None,
        extension=requester.extension,
        reason=wish.reason,
        locale=requester.locale,
        zoneinfo=requester.zoneinfo or house.get(Settings).default_zone,
        status=Status.PENDING.value,
        submitted_at=wish.now,
        reminders=0,
        version=1,
    )


def _tell(tx: Session, wish: _Wish, row: AccessRequest) -> None:
    """Every manager at once, or the payer; and the requester, with the link to their request (B5)."""
    now, due = wish.now, decide_by(wish.now, window=_window())
    managers = managers_of(
        tx,
        target=wish.target,
        terms=wish.terms,
        now=now,
        dormancy=house.get(Settings).dormancy,
        but=wish.requester.subject_id,
    )
    context: dict[str, Any] = {
        "target": wish.target.name,
        "person": wish.requester.name,
        "position": row.position,
        "decide_by": due,
    }
    if tell_deciders(tx, managers, notice="access_requested", party=wish.party, context=context, now=now):
        row.escalated_at = now
    notices.notify_address(
        tx,
        notice="access_request_received",
        email=row.email,
        name=wish.requester.name,
        locale=row.locale,
        zoneinfo=row.zoneinfo,
        party=wish.party,
        context={"target": wish.target.name, "decide_by": due, "url": status_link(tx, row, now=now)},
        now=now,
    )


def _by_link(
    tx: Session, token: str, *, now: datetime, hold: bool = False
) -> tuple[AccessRequest, Pointed | None] | Refused:
    """The request of a link; `hold` locks it, the practice first, as whoever accepts its invitation does."""
    found = artefacts.peek(tx, kind=Kind.ACCESS_REQUEST, digest=digest_of(token), now=now)
    if isinstance(found, Refused):
        return Refused(Reason.DEAD_LINK)
    see_as(tx, target_id=UUID(str(found.payload["target"])))
    row = tx.get(AccessRequest, found.family)
    if row is None:
        return Refused(Reason.DEAD_LINK)
    kind = TargetKind(row.target_kind)
    target = point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)
    if hold:
        if target is not None:
            lock(tx, target)
        tx.refresh(row, with_for_update=True)
    return row, target


def _window() -> timedelta:
    return house.get(Settings).access_request_window


def _audit(tx: Session, wish: _Wish, outcome: Submitted | Refused) -> None:
    repeated = isinstance(outcome, Submitted) and outcome.repeated
    audit.append(
        tx,
        Event.ACCESS_REQUESTED,
        now=wish.now,
        actor=wish.requester.subject_id or "anonymous",
        origin=wish.origin,
        outcome=outcome.reason.value if isinstance(outcome, Refused) else "repeated" if repeated else "ok",
        subject_id=wish.requester.subject_id,
        client_id=wish.party.client_id,
        target_kind=wish.target.kind.value,
        target_id=wish.target.id,
        details={} if isinstance(outcome, Refused) else {"request": outcome.request_id},
    )
