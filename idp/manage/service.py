"""Opening a manager's place, reading one person of it, and the one act that needs two rooms (E5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.authority import ActedOn, authorize
from idp.affiliations.deciding import service as deciding
from idp.affiliations.deciding.facts import (
    Line,
    Place,
    actor_at,
    for_the_payer,
    history,
    place_of,
    row_of,
)
from idp.affiliations.deciding.moving import seen_by
from idp.affiliations.deciding.reaching import setting_of
from idp.affiliations.deciding.rules import Act, Actor, Member, Reason, held_back, offered
from idp.affiliations.deciding.service import Asked, Done
from idp.affiliations.deciding.undoing import undoable
from idp.affiliations.managers.facts import point_at
from idp.authenticators.lost_factors import service as lost_factors
from idp.authenticators.lost_factors.rules import Starter
from idp.authenticators.lost_factors.service import By
from idp.authenticators.password import budgets, mailbox
from idp.authenticators.password.people import TEMPORARY_FOR
from idp.authenticators.recovery import service as recovery
from idp.directory import service as directory
from idp.enrollment.again.rules import may_vouch
from idp.federation import links
from idp.foundation import house
from idp.foundation.database import see_as, writing
from idp.foundation.origin import Origin
from idp.manage.rules import Row
from idp.relying_parties.rules import RelyingParty
from idp.sessions.rules import SessionFacts
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.rules import Status, SubjectFacts
from idp.vocabulary.affiliation import Acting, TargetKind
from idp.vocabulary.assurance import acr_to_tell
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

HISTORY = 20


@dataclass(frozen=True, slots=True)
class Opened:
    """A target at a portal, opened by one of its managers."""

    acting: Acting
    actor: Actor
    place: Place

    @property
    def for_payer(self) -> frozenset[str]:
        """What somebody new gets from the payer alone: the managing level, where this manager's word makes no manager."""
        return for_the_payer(actor=self.actor, place=self.place)


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the target as the page shows them."""

    affiliation_id: UUID
    subject: SubjectFacts
    phone: str | None
    member: Member
    offers: frozenset[Act]
    locked: bool
    verified: bool
    vouched_by: str | None
    vouched_at: datetime | None
    lines: tuple[Line, ...]
    """A page of the history, the latest first."""
    older: int | None
    """Before which line the next page begins."""
    begun: bool
    """Whether another page comes before."""
    authors: Mapping[str, str]
    tin: str | None = None
    """Of the practice, masked (E8); a trading partner has none."""
    held_back: Reason | None = None
    """Why this manager cannot do what another one could."""
    undo: Act | None = None
    """What this manager did last to the person and may take back now."""


def open_place(
    tx: Session, *, session: SessionFacts, party: RelyingParty | None, target_id: UUID, now: datetime
) -> Opened | Refused:
    """The proven right of this session's person to manage the target's people at the portal, if they have it."""
    terms = affiliations.terms_of(party) if party is not None and party.portal is not None and party.enabled else None
    if party is None or terms is None:
        return Refused(Reason.NOT_A_MANAGER)
    dormancy = house.get(Settings).dormancy
    held = affiliations.held(tx, subject_id=session.subject_id, now=now)
    for kind in (TargetKind.PRACTICE, TargetKind.PROVIDER, TargetKind.TRADING_PARTNER):
        target = point_at(tx, registry=terms.registry, kind=kind, target_id=target_id, now=now)
        if target is None:
            continue
        acting = authorize(
            held,
            ActedOn(target.registry, target.kind, target.id, target.practice_id),
            subject_id=session.subject_id,
            acr=acr_to_tell(session.acr),
            fresh_at=session.auth_time,
            now=now,
            dormancy=dormancy,
            terms=terms,
        )
        return acting if isinstance(acting, Refused) else _opened(tx, acting, party, now=now)
    return Refused(Reason.NOT_A_MANAGER)


def _opened(tx: Session, acting: Acting, party: RelyingParty, *, now: datetime) -> Opened | Refused:
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    actor = actor_at(tx, place, acting=acting, now=now)
    return actor if isinstance(actor, Refused) else Opened(acting, actor, place)


def person(
    tx: Session, opened: Opened, affiliation_id: UUID, *, now: datetime, before: int | None = None
) -> Person | Refused:
    """One person of the target, and their history from its end or `before` a line; the row fence is open for it."""
    see_as(tx, target_id=opened.place.target.id)
    row = row_of(tx, opened.place, affiliation_id)
    subject = subjects.by_id(tx, subject_id=row.subject_id) if row is not None else None
    if row is None or subject is None:
        return Refused(Reason.UNKNOWN)
    member = seen_by(tx, opened.actor, opened.place, row, now=now)
    setting = setting_of(tx, opened.place, row, member, by=opened.actor, now=now)
    said = history(tx, row.id, limit=HISTORY + 1, before=before)
    lines = said[:HISTORY]
    last = lines[:1] if before is None else history(tx, row.id, limit=1)
    own = [proof for proof in row.evidence if proof.from_registry is None]
    words = [proof for proof in own if proof.kind in (Evidence.MANAGER, Evidence.PAYER, Evidence.LETTER)]
    vouched = max(words, key=lambda proof: proof.at, default=None)
    by = vouched.by if vouched is not None else None
    known = {line.author for line in lines} | ({by} if by else set())
    return Person(
        affiliation_id=row.id,
        subject=subject,
        phone=subjects.phone_of(subject),
        member=member,
        offers=offered(actor=opened.actor, member=member, setting=setting),
        held_back=held_back(actor=opened.actor, member=member, setting=setting),
        locked=budgets.locked(tx, account=subject.id, now=now),
        verified=vouched is not None,
        vouched_by=by,
        vouched_at=vouched.at if vouched is not None else None,
        lines=lines,
        older=lines[-1].number if len(said) > HISTORY else None,
        begun=before is not None,
        tin=_tin(tx, opened.place),
        undo=undoable(last[0] if last else None, by=opened.actor.subject_id, member=member, now=now),
        authors={each: _name(tx, each) for each in known},
    )


def _tin(tx: Session, place: Place) -> str | None:
    practice = directory.practice(tx, place.target.practice_id) if place.target.practice_id is not None else None
    return None if practice is None else practice.masked_tin


def locked(tx: Session, rows: Iterable[Row], *, now: datetime) -> frozenset[UUID]:
    """Whose password is refused for now (E4 *Locked*): a state of the person, shown beside the one of the access."""
    return frozenset(row.affiliation_id for row in rows if budgets.locked(tx, account=row.subject_id, now=now))


def act(opened: Opened, asked: Asked, *, now: datetime, origin: Origin) -> Done | Refused:
    """Do what the manager asks; a password reset mail is then owed by the authenticators, to the stored address."""
    with writing() as tx:
        return act_in(tx, opened, asked, now=now, origin=origin)


def act_in(tx: Session, opened: Opened, asked: Asked, *, now: datetime, origin: Origin) -> Done | Refused:
    """The same in a transaction of the caller's: one person's act and one of many owe the same messages."""
    outcome = deciding.act(tx, asked, acting=opened.acting, party=opened.place.party, now=now, origin=origin)
    if isinstance(outcome, Done) and outcome.act is Act.SEND_REGISTRATION:
        _remind(tx, opened, outcome, now=now)
    if isinstance(outcome, Done) and outcome.act is Act.SEND_RESET:
        _send_reset(tx, opened, outcome, now=now, origin=origin)
    if isinstance(outcome, Done) and outcome.act is Act.START_RECOVERY:
        _start_recovery(tx, opened, outcome, now=now, origin=origin)
    return outcome


def _send_reset(tx: Session, opened: Opened, done: Done, *, now: datetime, origin: Origin) -> None:
    """To the stored address, in the portal's name; one event tells of it, with the manager as who asked."""
    subject, by = subjects.by_id(tx, subject_id=done.subject_id), opened.acting.by
    if subject is not None:
        client_id = opened.place.party.client_id
        recovery.start_for(tx, subject=subject, actor=by, now=now, origin=origin, client_id=client_id)


def _start_recovery(tx: Session, opened: Opened, done: Done, *, now: datetime, origin: Origin) -> None:
    """Only started (MODEL §7); the manager's word counts as evidence where all that the person holds rests on it."""
    place = opened.place.target.id
    held = affiliations.held(tx, subject_id=done.subject_id, now=now)
    by = By(
        Starter.MANAGER,
        opened.acting.subject_id,
        now,
        origin,
        client_id=opened.place.party.client_id,
        vouched_for=place if may_vouch(held, place=place) else None,
    )
    lost_factors.start(tx, subject_id=done.subject_id, by=by)


def _remind(tx: Session, opened: Opened, done: Done, *, now: datetime) -> None:
    """Who has never proven their mailbox gets the link that does, as on the day they were added (D6)."""
    subject, place = subjects.by_id(tx, subject_id=done.subject_id), opened.place
    if subject is not None and subject.email is not None and subject.status is Status.UNVERIFIED:
        made_by = mailbox.MadeBy(place.target.name, TEMPORARY_FOR)
        mailbox.mail(tx, subject=subject, txn=None, client_id=place.party.client_id, now=now, made_by=made_by)


def _name(tx: Session, subject_id: str) -> str:
    if subject_id.startswith("connection:"):
        return links.name_of(tx, subject_id.partition(":")[2])
    subject = subjects.by_id(tx, subject_id=subject_id)
    return subject.name if subject is not None else ""
