"""The open invitations of a target as its manager, or the payer's registrar, sees them (E10)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, literal, select, tuple_
from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import Place, place_of, whoever_at
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import LIFETIME, State, state_at
from idp.affiliations.listing import Moment
from idp.foundation.database import UtcDateTime
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.affiliation import Acting
from idp.vocabulary.refused import Refused

A_PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation as its manager sees it."""

    id: UUID
    name: str
    email: str
    levels: tuple[str, ...]
    sent_at: datetime
    ends_at: datetime
    state: State


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, and where the next page begins."""

    sent: tuple[Sent, ...]
    after: Moment | None


def sent(
    tx: Session, *, acting: Acting, party: RelyingParty, now: datetime, after: Moment | None = None
) -> Page | Refused:
    """A page of the invitations of the last weeks that nobody accepted yet, the newest first."""
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    actor = whoever_at(tx, place, acting=acting, now=now)
    if isinstance(actor, Refused):
        return actor
    key = (Invitation.created_at, Invitation.id)
    query = select(Invitation).where(*open_at(place), Invitation.created_at > now - timedelta(days=60))
    if after is not None:
        query = query.where(tuple_(*key) < tuple_(literal(after.at, UtcDateTime), literal(after.id)))
    rows = tx.scalars(query.order_by(*(column.desc() for column in key)).limit(A_PAGE + 1)).all()
    last = rows[A_PAGE - 1] if len(rows) > A_PAGE else None
    more = None if last is None else Moment(last.created_at, last.id)
    return Page(tuple(_sent(row, now=now) for row in rows[:A_PAGE]), more)


def open_at(place: Place) -> tuple[ColumnElement[bool], ...]:
    """Open invitations of this target at this portal that make a new affiliation."""
    target = place.target
    return (
        Invitation.target_id == target.id,
        Invitation.registry_name == target.registry,
        Invitation.target_kind == target.kind.value,
        Invitation.portal == place.party.client_id,
        Invitation.used_at.is_(None),
        Invitation.voided_at.is_(None),
        Invitation.affiliation_id.is_(None),
    )


def _sent(row: Invitation, *, now: datetime) -> Sent:
    ends_at = row.sent_at + LIFETIME
    return Sent(
        id=row.id,
        name=" ".join(part for part in (row.given_name, row.family_name) if part),
        email=row.email,
        levels=tuple(row.levels),
        sent_at=row.sent_at,
        ends_at=ends_at,
        state=state_at(opened=row.presented_at is not None, ends_at=ends_at, now=now),
    )
