"""Grants: made when a person authorizes, read on every use of a token, dead when any epoch they carry is not current.

One statement decides whether a grant lives (`live`); it reads the person, the client, the affiliation, the provider's
dates, the session and the system's epoch as they are now, so nothing below has to write here (D4, UI-04, R-13).
"""

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    column,
    exists,
    insert,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.orm import Session

from idp.affiliations.engagements.models import EngagementStaff
from idp.consent.models import Grant
from idp.consent.rules import Authorized, GrantFacts
from idp.directory.facts import has_number_on, in_force_on
from idp.directory.models import Engagement, Practice, Provider, TradingPartner
from idp.foundation import house
from idp.foundation.database import Rows, UtcDateTime, new_id
from idp.foundation.epochs import SystemState
from idp.foundation.prepared import prepared
from idp.relying_parties.models import Client
from idp.sessions.models import BrowserSession
from idp.settings import Settings
from idp.subjects.models import Subject

_affiliation: Final = table(
    "affiliation_epoch",
    column("id", Grant.__table__.c.affiliation_id.type),
    column("status"),
    column("registry"),
    column("target_kind"),
    column("target_id", Grant.__table__.c.affiliation_id.type),
    column("starts_at", UtcDateTime),
    column("ends_at", UtcDateTime),
    column("epoch"),
)
"""The migration's view: what tokens need of an affiliation, readable without opening the row-level fence."""

_grant: Table = Grant.__table__  # type: ignore[assignment]
_STANDING: Final = prepared(
    select(_grant)
    .where(
        _grant.c.subject_id == bindparam("subject_id"),
        _grant.c.client_id == bindparam("client_id"),
        _grant.c.session_id == bindparam("session_id"),
        _grant.c.revoked_at.is_(None),
    )
    .with_for_update()
)
"""By the person too, whose session it is: the index is by person and client, and without it every grant would be read."""
_ADD: Final = prepared(insert(_grant))
_client = Client.__table__
_EPOCH_NOW: Final = select(_client.c.epoch).where(_client.c.client_id == bindparam("of_client")).scalar_subquery()
_ADD_FIRST: Final = prepared(insert(_grant).values(client_epoch=_EPOCH_NOW))
_SET: Final = prepared(update(_grant).where(_grant.c.id == bindparam("grant_id")))
"""Sets the columns that are given with it."""


def make(tx: Session, authorized: Authorized, *, now: datetime, lifetime: timedelta, first: bool = False) -> UUID:
    """The grant of this session at this client: the standing one if it is for the same target, else a new one that
    supersedes it (MODEL §1: switching provider). An offline grant stands beside and outlives the session.

    `first`: the client had not joined the session, which the caller holds; so it has no grant to look for.
    """
    if first:
        return _add(tx, authorized, now=now, lifetime=lifetime)
    of_client = {"subject_id": authorized.subject_id, "session_id": authorized.session_id}
    of_client |= {"client_id": authorized.client_id}
    earlier = tx.execute(_STANDING, of_client).all()
    standing = next((grant for grant in earlier if _serves(grant, authorized, now=now)), None)
    if standing is not None:
        told = {"auth_time": authorized.auth_time, "acr": authorized.acr, "amr": list(authorized.amr)}
        told |= {"claims": dict(authorized.claims), "resource": list(authorized.resource)}
        scopes = " ".join(sorted(authorized.scopes | set(standing.scopes.split())))
        tx.execute(_SET, {"grant_id": standing.id, "scopes": scopes, **told})
        return standing.id  # type: ignore[no-any-return]
    for grant in earlier:
        if grant.offline == authorized.offline or not _same_act(grant, authorized):
            tx.execute(_SET, {"grant_id": grant.id, "revoked_at": now, "revoked_reason": "superseded"})
    return _add(tx, authorized, now=now, lifetime=lifetime)


def live(tx: Rows, *, grant_id: UUID, now: datetime) -> GrantFacts | None:
    """The grant, if everything that it hangs on still stands."""
    awake = now - house.get(Settings).session_idle
    row = tx.execute(_LIVE, {"grant_id": grant_id, "now": now, "awake": awake, "today": now.date()}).one_or_none()
    return None if row is None else _facts(row)


def revoke(tx: Session, *, grant_id: UUID, reason: str, now: datetime) -> bool:
    """End one grant and all its tokens; `False` if it had ended."""
    done = tx.execute(
        update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
    )
    return done.rowcount == 1  # type: ignore[attr-defined, no-any-return]


def revoke_at_client(tx: Session, *, subject_id: str, client_id: str, reason: str, now: datetime) -> int:
    """End all of a person's grants at one client; says how many."""
    done = tx.execute(
        update(Grant)
        .where(Grant.subject_id == subject_id, Grant.client_id == client_id, Grant.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
    )
    return done.rowcount  # type: ignore[attr-defined, no-any-return]


def revoke_all(tx: Session, *, subject_id: str, reason: str, now: datetime) -> int:
    """End every grant of a person, wherever it is; says how many."""
    done = tx.execute(
        update(Grant)
        .where(Grant.subject_id == subject_id, Grant.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
    )
    return done.rowcount  # type: ignore[attr-defined, no-any-return]


def held_by(tx: Session, *, subject_id: str, now: datetime) -> list[Grant]:
    """A person's grants that have not been revoked or run out, newest first."""
    return list(
        tx.scalars(
            select(Grant)
            .where(Grant.subject_id == subject_id, Grant.revoked_at.is_(None), Grant.expires_at > now)
            .order_by(Grant.created_at.desc())
            .limit(200)
        )
    )


def _serves(standing: Row[Any], authorized: Authorized, *, now: datetime) -> bool:
    current = (authorized.subject_epoch, authorized.affiliation_epoch, authorized.client_epoch, authorized.system_epoch)
    carried = (standing.subject_epoch, standing.affiliation_epoch, standing.client_epoch, standing.system_epoch)
    if not _same_act(standing, authorized) or standing.offline != authorized.offline or standing.sub != authorized.sub:
        return False
    return current == carried and standing.expires_at > now


def _same_act(grant: Row[Any], authorized: Authorized) -> bool:
    return authorized.same_act(
        affiliation_id=grant.affiliation_id, provider_id=grant.provider_id, practice_id=grant.practice_id
    )


def _add(tx: Session, authorized: Authorized, *, now: datetime, lifetime: timedelta) -> UUID:
    grant_id = new_id()
    row = {
        "id": grant_id,
        "subject_id": authorized.subject_id,
        "client_id": authorized.client_id,
        "session_id": authorized.session_id,
        "offline": authorized.offline,
        "sid": authorized.sid,
        "sub": authorized.sub,
        "affiliation_id": authorized.affiliation_id,
        "provider_id": authorized.provider_id,
        "practice_id": authorized.practice_id,
        "scopes": " ".join(sorted(authorized.scopes)),
        "claims": dict(authorized.claims),
        "resource": list(authorized.resource),
        "auth_time": authorized.auth_time,
        "acr": authorized.acr,
        "amr": list(authorized.amr),
        "subject_epoch": authorized.subject_epoch,
        "affiliation_epoch": authorized.affiliation_epoch,
        "system_epoch": authorized.system_epoch,
        "created_at": now,
        "expires_at": now + lifetime,
    }
    if authorized.client_epoch is None:
        tx.execute(_ADD_FIRST, row | {"of_client": authorized.client_id})
    else:
        tx.execute(_ADD, row | {"client_epoch": authorized.client_epoch})
    return grant_id


def _engaged(grant: FromClause, partner: FromClause, today: ColumnElement[date]) -> ColumnElement[bool]:
    """A trading partner acts for a practice only while it is engaged, by whom it assigned (MODEL §2)."""
    engagement, staff = Engagement.__table__.c, EngagementStaff.__table__.c
    staffed = exists().where(staff.trading_partner_id == partner.c.id, staff.practice_id == grant.c.practice_id)
    staffed = staffed.correlate(
        partner, grant
    )  # two levels up: of itself SQLAlchemy looks one up, and asks of any grant
    return exists().where(
        engagement.trading_partner_id == partner.c.id,
        engagement.practice_id == grant.c.practice_id,
        engagement.starts_on <= today,
        or_(engagement.ends_on.is_(None), engagement.ends_on > today),
        or_(~staffed, staffed.where(staff.affiliation_id == grant.c.affiliation_id)),
    )


def _session_lives(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """`idp.sessions.rules.why_dead` as SQL; the person's and the system's epochs stand on the grant itself."""
    awake = bindparam("awake", type_=UtcDateTime)
    session = BrowserSession.__table__.c
    return and_(session.ended_at.is_(None), session.expires_at > now, session.last_seen_at > awake)


def _affiliation_acts(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """`idp.affiliations.rules.status_at` as SQL, as far as the row itself says it."""
    return and_(
        _affiliation.c.status == "active",
        _affiliation.c.epoch == Grant.__table__.c.affiliation_epoch,
        _affiliation.c.starts_at <= now,
        or_(_affiliation.c.ends_at.is_(None), _affiliation.c.ends_at > now),
    )


def _live_statement() -> Select[Any]:
    """Over tables, not mapped classes: read for every token that comes, and the ORM would double its cost."""
    now, today = bindparam("now", type_=UtcDateTime), bindparam("today", type_=Date)
    grant, subject, client = Grant.__table__, Subject.__table__, Client.__table__
    session, system = BrowserSession.__table__, SystemState.__table__
    provider, practice, partner = Provider.__table__, Practice.__table__, TradingPartner.__table__
    provider_acts = and_(provider.c.practice_id == grant.c.practice_id, in_force_on(today))
    member = provider.alias()
    practice_acts = exists().where(
        member.c.practice_id == grant.c.practice_id,
        member.c.registry == _affiliation.c.registry,
        in_force_on(today, row=member),
    )
    return (
        select(*grant.c, _affiliation.c.target_kind, _affiliation.c.target_id, _affiliation.c.registry)
        .join(subject, subject.c.id == grant.c.subject_id)
        .join(client, client.c.client_id == grant.c.client_id)
        .join(system, system.c.id == 1)
        .join(session, session.c.id == grant.c.session_id)
        .outerjoin(_affiliation, _affiliation.c.id == grant.c.affiliation_id)
        .outerjoin(provider, provider.c.id == grant.c.provider_id)
        .outerjoin(practice, practice.c.id == grant.c.practice_id)
        .outerjoin(partner, partner.c.id == _affiliation.c.target_id)
        .where(
            grant.c.id == bindparam("grant_id"),
            grant.c.revoked_at.is_(None),
            grant.c.expires_at > now,
            subject.c.status == "active",
            subject.c.epoch == grant.c.subject_epoch,
            client.c.enabled.is_(True),
            client.c.epoch == grant.c.client_epoch,
            system.c.epoch == grant.c.system_epoch,
            or_(grant.c.offline.is_(True), _session_lives(now)),
            or_(grant.c.affiliation_id.is_(None), _affiliation_acts(now)),
            or_(grant.c.provider_id.is_(None), provider_acts),
            or_(grant.c.practice_id.is_(None), has_number_on(today)),
            or_(grant.c.practice_id.is_(None), grant.c.provider_id.is_not(None), practice_acts),
            or_(partner.c.id.is_(None), partner.c.status == "active"),
            or_(partner.c.id.is_(None), grant.c.practice_id.is_(None), _engaged(grant, partner, today)),
        )
    )


_LIVE: Final = prepared(_live_statement())


def _facts(row: Row[Any]) -> GrantFacts:
    return GrantFacts(
        id=row.id,
        subject_id=row.subject_id,
        client_id=row.client_id,
        session_id=row.session_id,
        offline=row.offline,
        sid=row.sid,
        sub=row.sub,
        affiliation_id=row.affiliation_id,
        provider_id=row.provider_id,
        practice_id=row.practice_id,
        target_kind=row.target_kind,
        target_id=row.target_id,
        registry=row.registry,
        scopes=row.scopes,
        auth_time=row.auth_time,
        acr=row.acr,
        amr=tuple(row.amr),
        created_at=row.created_at,
        expires_at=row.expires_at,
        claims=row.claims or {},
        resource=tuple(row.resource),
    )
