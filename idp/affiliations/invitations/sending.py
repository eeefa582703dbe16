"""Sending an invitation, sending it anew, and taking it back; the caller has judged who may (AD-20, MODEL §9)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import Place
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import LIFETIME
from idp.affiliations.models import Affiliation
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.foundation.database import new_id
from idp.foundation.origin import Origin
from idp.messaging.rules import Link
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts, email_key
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

PATH: Final = "/invitation"


@dataclass(frozen=True, slots=True)
class Invitee:
    """To whom it goes: an address that a person of ours has proven, or one that somebody typed."""

    email: str = field(repr=False)
    given_name: str
    family_name: str
    locale: str
    zoneinfo: str
    subject_id: str | None = None


def send(
    tx: Session,
    *,
    invitee: Invitee,
    place: Place,
    levels: Sequence[str],
    evidence: Evidence,
    by: str,
    now: datetime,
    origin: Origin,
    request_id: UUID | None = None,
    affiliation_id: UUID | None = None,
) -> Invitation:
    """Make an invitation and owe its mail."""
    key = email_key(invitee.email)
    if isinstance(key, Refused):
        raise ValueError("an invitation goes to an address that was checked")
    target = place.target
    row = Invitation(
        id=new_id(),
        portal=place.party.client_id,
        registry_name=target.registry,
        target_kind=target.kind.value,
        target_id=target.id,
        subject_id=invitee.subject_id,
        email=invitee.email,
        email_key=key,
        given_name=invitee.given_name,
        family_name=invitee.family_name,
        locale=invitee.locale,
        zoneinfo=invitee.zoneinfo,
        levels=sorted(levels),
        evidence=evidence.value,
        invited_by=by,
        request_id=request_id,
        affiliation_id=affiliation_id,
        created_at=now,
        sent_at=now,
    )
    tx.add(row)
    mail(tx, row, party=place.party, target=target.name, by=by, now=now, origin=origin)
    return row


def send_registration(
    tx: Session, *, row: Affiliation, place: Place, evidence: Evidence, by: str, now: datetime, origin: Origin
) -> None:
    """*Send Registration Email*: the link completes an affiliation that waits; a former one is dead (E5)."""
    subject = subjects.by_id(tx, subject_id=row.subject_id)
    offered = _is_offered(tx, affiliation_id=row.id)
    void_for(tx, affiliation_id=row.id, now=now)
    if subject is None or subject.email is None:
        return
    if offered:
        offer(
            tx, affiliation_id=row.id, subject=subject, place=place, evidence=evidence, by=by,
            mailed=subject.email_verified_at is not None, now=now, origin=origin,
        )  # fmt: skip
        return
    send(
        tx,
        invitee=_invitee(subject),
        place=place,
        levels=(),
        evidence=evidence,
        by=by,
        now=now,
        origin=origin,
        affiliation_id=row.id,
    )


def offer(
    tx: Session,
    *,
    affiliation_id: UUID,
    subject: SubjectFacts,
    place: Place,
    evidence: Evidence,
    by: str,
    mailed: bool,
    now: datetime,
    origin: Origin,
) -> None:
    """Ask the person at their next sign-in; with `mailed` they get the link that does the same (ruling 10).

    Without it they have proven no mailbox yet: what reaches them first is that proof.
    """
    target, reaches = place.target, mailed and subject.email is not None
    whom = _invitee(subject)
    row = Invitation(
        id=new_id(),
        portal=place.party.client_id,
        registry_name=target.registry,
        target_kind=target.kind.value,
        target_id=target.id,
        subject_id=subject.id,
        email=whom.email,
        email_key=whom.email.casefold(),
        given_name=whom.given_name,
        family_name=whom.family_name,
        locale=whom.locale,
        zoneinfo=whom.zoneinfo,
        levels=[],
        evidence=evidence.value,
        invited_by=by,
        affiliation_id=affiliation_id,
        at_sign_in=True,
        created_at=now,
        sent_at=now,
    )
    tx.add(row)
    if reaches:
        mail(tx, row, party=place.party, target=target.name, by=by, now=now, origin=origin)
    else:
        _audit(tx, row, Event.INVITATION_SENT, actor=by, now=now, origin=origin)


def _is_offered(tx: Session, *, affiliation_id: UUID) -> bool:
    """Whether the person is asked at sign-in; a manager's *Send Registration Email* leaves that as it is."""
    query = select(Invitation.id).where(
        Invitation.affiliation_id == affiliation_id,
        Invitation.at_sign_in.is_(True),
        Invitation.used_at.is_(None),
        Invitation.voided_at.is_(None),
    )
    return tx.execute(query.limit(1)).first() is not None


def _invitee(subject: SubjectFacts) -> Invitee:
    return Invitee(
        email=subject.email or "",
        given_name=(subject.given_name or "")[:80],
        family_name=(subject.family_name or "")[:80],
        locale=subject.locale or "en",
        zoneinfo=subject.zoneinfo or house.get(Settings).default_zone,
        subject_id=subject.id,
    )


def mail(
    tx: Session, row: Invitation, *, party: RelyingParty, target: str, by: str, now: datetime, origin: Origin
) -> None:
    """Owe the mail with a new link; every former link of this invitation is dead from here on."""
    artefacts.void(tx, now=now, kind=Kind.INVITATION, family=row.id)
    secret, artefact = artefacts.issue(
        tx, kind=Kind.INVITATION, now=now, lifetime=LIFETIME, subject_id=row.subject_id, family=row.id
    )
    row.sent_at, row.presented_by, row.presented_at = now, None, None
    url = Secret(f"{house.get(Settings).issuer}{PATH}?token={secret.reveal()}")
    notices.notify_address(
        tx,
        notice="registration_link" if row.affiliation_id is not None else "invitation",
        email=row.email,
        name=" ".join(part for part in (row.given_name, row.family_name) if part),
        locale=row.locale,
        zoneinfo=row.zoneinfo,
        party=party,
        context={"target": target, "url": url, "asked": row.request_id is not None},
        now=now,
        link=Link(artefact, LIFETIME),
    )
    _audit(tx, row, Event.INVITATION_SENT, actor=by, now=now, origin=origin)


def void(tx: Session, row: Invitation, *, by: str, now: datetime, origin: Origin) -> None:
    """Take it back: its link is dead at once (AD-12)."""
    row.voided_at = now
    artefacts.void(tx, now=now, kind=Kind.INVITATION, family=row.id)
    _audit(tx, row, Event.INVITATION_VOIDED, actor=by, now=now, origin=origin)


def void_for(tx: Session, *, affiliation_id: UUID, now: datetime) -> None:
    """No link completes this affiliation any more."""
    _void_open(tx, Invitation.affiliation_id == affiliation_id, now=now)


def void_for_request(tx: Session, *, request_id: UUID, now: datetime) -> None:
    """No link answers this request any more."""
    _void_open(tx, Invitation.request_id == request_id, now=now)


def _void_open(tx: Session, which: ColumnElement[bool], *, now: datetime) -> None:
    query = select(Invitation).where(which, Invitation.used_at.is_(None), Invitation.voided_at.is_(None))
    for row in tx.scalars(query):
        row.voided_at = now
        artefacts.void(tx, now=now, kind=Kind.INVITATION, family=row.id)


def _audit(tx: Session, row: Invitation, event: Event, *, actor: str, now: datetime, origin: Origin) -> None:
    audit.append(
        tx,
        event,
        now=now,
        actor=actor,
        origin=origin,
        subject_id=row.subject_id,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"invitation": row.id, "levels": list(row.levels), "request": row.request_id},
    )
