"""The manager who acts and the person acted on, as they are in this transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.models import Comment
from idp.affiliations.deciding.rules import Actor, Member, Reason, word_of
from idp.affiliations.facts import held_of
from idp.affiliations.managers.facts import Pointed, as_target, managers_of, point_at
from idp.affiliations.models import Affiliation
from idp.affiliations.rules import Held, PortalTerms, levels_at, manages_at, status_at
from idp.foundation import house
from idp.foundation.database import see_as
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.rules import Status
from idp.vocabulary.affiliation import Acting
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

COMMENT_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A target at a portal: where a manager's acts happen."""

    party: RelyingParty
    terms: PortalTerms
    target: Pointed

    @property
    def managing(self) -> str:
        """The one level of the catalogue that shows the manager mark."""
        return next(level.key for level in self.party.manifest.levels if level.manages)

    @property
    def catalogue(self) -> frozenset[str]:
        return frozenset(level.key for level in self.party.manifest.levels)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a person's history."""

    number: int
    action: str
    text: str
    author: str
    at: datetime


def place_of(tx: Session, *, acting: Acting, party: RelyingParty, now: datetime) -> Place | Refused:
    """Where `acting` acts; a portal of another registry is not a place for it."""
    terms = affiliations.terms_of(party)
    if party.portal is None or terms is None or terms.registry != acting.registry:
        return Refused(Reason.NOT_A_MANAGER)
    target = point_at(tx, registry=acting.registry, kind=acting.target_kind, target_id=acting.target_id, now=now)
    return Refused(Reason.NOT_A_MANAGER) if target is None else Place(party, terms, target)


def actor_at(tx: Session, place: Place, *, acting: Acting, now: datetime) -> Actor | Refused:
    """The manager as they are now: demoted since the page was shown, they act no more (AD-11).

    The row fence is open for the target when it returns.
    """
    if acting.of_payer:
        return Refused(Reason.NOT_A_MANAGER)
    return manager_at(tx, place, subject_id=acting.subject_id, now=now)


def whoever_at(tx: Session, place: Place, *, acting: Acting, now: datetime) -> Actor | Refused:
    """The same, or the payer's registrar: asked only where the rule knows what is the payer's (MODEL §7)."""
    if not acting.of_payer:
        return actor_at(tx, place, acting=acting, now=now)
    see_as(tx, target_id=place.target.id)
    return Actor(acting.subject_id, place.catalogue, (Evidence.PAYER,), payer=True)


def others_manage(tx: Session, place: Place, *, now: datetime, but: str | None = None) -> bool:
    """Whether somebody, or somebody else, manages the target at the portal now; the row fence is the target's after it."""
    dormancy = house.get(Settings).dormancy
    return bool(managers_of(tx, target=place.target, terms=place.terms, now=now, dormancy=dormancy, but=but))


def manager_at(tx: Session, place: Place, *, subject_id: str, now: datetime) -> Actor | Refused:
    """Who manages the target at the portal now, of whom an earlier act may have been; else they may do nothing there."""
    dormancy = house.get(Settings).dormancy
    marked = marked_of(tx, place.target, subject_id=subject_id)
    mine = [held for held in marked if manages_at(held, terms=place.terms, now=now, dormancy=dormancy)]
    if not mine:
        return Refused(Reason.NOT_A_MANAGER)
    levels = {level for held in mine for level in levels_at(held, place.terms)}
    evidence = tuple(proof for held in mine for proof in held.evidence)
    return Actor(subject_id, frozenset(levels | {place.managing}), evidence)


def marked_of(tx: Session, target: Pointed, *, subject_id: str) -> tuple[Held, ...]:
    """By what a person is marked for the target or its practice, whatever it is worth; the row fence is the target's after it."""
    see_as(tx, subject_id=subject_id)
    rows = tx.scalars(
        select(Affiliation).where(
            Affiliation.subject_id == subject_id,
            Affiliation.registry_name == target.registry,
            Affiliation.target_id.in_([each for each in (target.id, target.practice_id) if each is not None]),
            Affiliation.account_manager.is_(True),
            Affiliation.status == "active",
        )
    ).all()
    helds = tuple(held_of(row, as_target(target, row)) for row in rows)
    person = subjects.by_id(tx, subject_id=subject_id)
    see_as(tx, target_id=target.id)
    return helds if person is not None and person.status is Status.ACTIVE else ()


def levels_within(wanted: Collection[str], *, actor: Actor, place: Place) -> Refused | None:
    """Whether a manager may give these levels to somebody who has none yet (MODEL §7)."""
    levels = frozenset(wanted)
    if not levels <= place.catalogue:
        return Refused(Reason.NO_SUCH_LEVEL)
    if not levels:
        return Refused(Reason.NO_LEVEL)
    if levels & for_the_payer(actor=actor, place=place):
        return Refused(Reason.NOT_PROVEN)
    return None if levels <= actor.levels else Refused(Reason.NOT_HELD)


def for_the_payer(*, actor: Actor, place: Place) -> frozenset[str]:
    """The managing level, where the actor's word makes nobody a manager: such a mark would say what is not so (MODEL §1)."""
    counts = word_of(actor).suffices(place.terms.accepts_for_manager)
    return frozenset() if counts else frozenset({place.managing})


def row_of(tx: Session, place: Place, affiliation_id: UUID, *, lock: bool = False) -> Affiliation | None:
    """The affiliation, if it is one of this target's own people; a foreign id finds none (AD-02)."""
    target = place.target
    query = select(Affiliation).where(
        Affiliation.id == affiliation_id,
        Affiliation.registry_name == target.registry,
        Affiliation.target_kind == target.kind.value,
        Affiliation.target_id == target.id,
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).one_or_none()


def held_at(place: Place, row: Affiliation) -> Held:
    return held_of(row, as_target(place.target, row))


def member_of(place: Place, row: Affiliation, *, now: datetime) -> Member:
    """A row as the rule reads it."""
    held = held_at(place, row)
    status = status_at(held, now=now, dormancy=house.get(Settings).dormancy)
    written = held.levels.get(place.party.client_id)
    own = set(levels_at(held, place.terms)) - {place.managing}
    return Member(
        subject_id=row.subject_id,
        status=status,
        version=row.version,
        levels=frozenset(own | ({place.managing} if row.account_manager else set())),
        account_manager=row.account_manager,
        proven=any(proof.suffices(place.terms.accepts_for_manager) for proof in held.evidence),
        by_default=not written,
        disabled_by=row.disabled_by,
    )


def history(tx: Session, affiliation_id: UUID, *, limit: int, before: int | None = None) -> tuple[Line, ...]:
    """What was done and said, newest first; the fence is open for the target."""
    query = select(Comment).where(Comment.affiliation_id == affiliation_id)
    if before is not None:
        query = query.where(Comment.number < before)
    rows = tx.scalars(query.order_by(Comment.number.desc()).limit(limit))
    return tuple(Line(row.number, row.action, row.text, row.author, row.at) for row in rows)


def next_number(tx: Session, affiliation_id: UUID) -> int:
    """The number of the next line; the affiliation's row is locked."""
    highest = tx.execute(select(func.max(Comment.number)).where(Comment.affiliation_id == affiliation_id)).scalar()
    return (highest or 0) + 1
