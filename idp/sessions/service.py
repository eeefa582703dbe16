"""Signing in makes or rotates a session; ending one tells every portal that took part (SECURITY D4, G7; X1)."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import epochs, house
from idp.foundation.artefacts import digest_of
from idp.foundation.database import Rows, new_id
from idp.foundation.origin import Origin
from idp.foundation.prepared import prepared
from idp.sessions import fan_out, transactions
from idp.sessions.facts import session_facts
from idp.sessions.models import BrowserSession
from idp.sessions.rules import (
    PASSWORD,
    Ahead,
    Currency,
    Ended,
    NewDevice,
    SessionFacts,
    why_dead,
)
from idp.settings import Settings
from idp.subjects.facts import Stored
from idp.subjects.models import Subject
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.secret import Secret


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session whose cookie value exists only here and in the browser."""

    cookie: Secret
    session_id: UUID
    device: NewDevice | None = None
    """Of a device that was remembered or recognised with it."""
    facts: SessionFacts | None = None
    """As a sign-in made it."""
    kept: bool = False
    """The browser's own session, rotated: portals may take part in it."""
    accepted: frozenset[tuple[str, str]] | None = None
    """Kind and version of every text that the person has accepted at the portal, where the sign-in read them."""
    ahead: Ahead = Ahead()
    """To the dispatcher, unless the transaction that made the session settled what comes next."""


_session: Table = BrowserSession.__table__  # type: ignore[assignment]
_subject: Table = Subject.__table__  # type: ignore[assignment]
_system = epochs.SystemState.__table__
_OF_COOKIE: Final = prepared(
    select(
        _session,
        _subject.c.status.label("status_now"),
        _subject.c.epoch.label("epoch_now"),
        _subject.c.factor_owed_at,
        _system.c.epoch.label("system_epoch_now"),
    )
    .join(_subject, _subject.c.id == _session.c.subject_id)
    .join(_system, _system.c.id == 1)
    .where(_session.c.digest == bindparam("digest"))
)
"""Read for every page: by Core, built once, with all that can end a session beside it."""


def find_live(tx: Rows, *, cookie: str, now: datetime, idle: timedelta | None = None) -> SessionFacts | None:
    """The session of a cookie, if nothing has ended it by now."""
    row = tx.execute(_OF_COOKIE, {"digest": digest_of(cookie)}).one_or_none()
    if row is None:
        return None
    facts = session_facts(row, owes_factor=row.factor_owed_at is not None)
    current = Currency(subject_status=row.status_now, subject_epoch=row.epoch_now, system_epoch=row.system_epoch_now)
    return None if why_dead(facts, current=current, now=now, idle=idle or house.get(Settings).session_idle) else facts


def authenticated(
    tx: Session,
    *,
    txn: UUID,
    subject: Stored,
    acr: Collection[Acr],
    amr: Sequence[Amr],
    browser_digest: bytes,
    now: datetime,
    origin: Origin,
    replacing: SessionFacts | None = None,
    proven: Mapping[str, datetime] | None = None,
    auth_time: datetime | None = None,
) -> NewSession:
    """The person proved who they are: make their session, or rotate the one that this browser has (SI-12).

    The same person keeps the session's row, so portals stay signed in; anybody else's session in this browser ends.
    The transaction remembers that it was here that the person authenticated. The caller audits `SIGNED_IN`;
    `auth_time` is when the proof really was, where that is before `now`.
    """
    cookie = Secret(secrets.token_urlsafe(32))
    tx.flush()  # the person may have been made just now; what follows refers to them, by Core
    kept = _kept_row(tx, subject, replacing, now=now, origin=origin)
    row = {
        "digest": digest_of(cookie.reveal()),
        "auth_time": min(auth_time or now, now),
        "acr": sorted(acr),
        "amr": list(amr),
        "proven": {str(kind): at.isoformat() for kind, at in ({PASSWORD: now} if proven is None else proven).items()},
        "subject_epoch": subject.epoch,
        "last_seen_at": now,
        "looked_at": now,
        "expires_at": now + house.get(Settings).session_absolute,
        "user_agent": origin.user_agent[:256],
        "address": origin.address[:45],
    }
    if kept is None:
        new = {"id": new_id(), "subject_id": subject.id, "browser_digest": browser_digest, "created_at": now}
        made = tx.execute(_MAKE, row | new).one()
    else:
        made = tx.execute(_RENEW, row | {"of_id": kept}).one()
    tx.execute(_SIGNED_IN, {"of_id": subject.id, "now": now})
    transactions.mark_authenticated(tx, txn=txn, session_id=made.id, now=now)
    facts = session_facts(made, owes_factor=subject.factor_owed_at is not None)
    return NewSession(cookie, made.id, facts=facts, kept=kept is not None)


_EPOCH_NOW: Final = select(_system.c.epoch).where(_system.c.id == 1).scalar_subquery()
_MAKE: Final = prepared(insert(_session).values(system_epoch=_EPOCH_NOW).returning(_session))
_RENEW: Final = prepared(
    update(_session).where(_session.c.id == bindparam("of_id")).values(system_epoch=_EPOCH_NOW).returning(_session)
)
_SIGNED_IN: Final = prepared(
    update(_subject).where(_subject.c.id == bindparam("of_id")).values(last_sign_in_at=bindparam("now"))
)
_STANDS: Final = prepared(select(_session.c.ended_at).where(_session.c.id == bindparam("session_id")).with_for_update())


def _kept_row(
    tx: Session, subject: Stored, replacing: SessionFacts | None, *, now: datetime, origin: Origin
) -> UUID | None:
    """The same person's row, unless it was ended meanwhile (RA-13); anybody else's session ends here."""
    if replacing is None:
        return None
    if replacing.subject_id != subject.id:
        end_session(tx, session_id=replacing.id, reason=Ended.REPLACED, now=now, origin=origin)
        return None
    row = tx.execute(_STANDS, {"session_id": replacing.id}).one_or_none()
    return None if row is None or row.ended_at is not None else replacing.id


_HELD: Final = prepared(
    select(_session.c.ended_at, _session.c.digest).where(_session.c.id == bindparam("session_id")).with_for_update()
)


def hold(tx: Session, session: SessionFacts) -> SessionFacts | None:
    """Lock a session for the transaction that acts on it; `None` if it was ended or rotated since it was read.

    Two tabs of one session pass one after the other, and a sign-out in between is seen (RA-09).
    """
    row = tx.execute(_HELD, {"session_id": session.id}).one_or_none()
    stands = row is not None and row.ended_at is None and row.digest.hex()[:16] == session.digest_prefix
    return session if stands else None


def list_sessions(tx: Session, *, subject_id: str, now: datetime) -> list[SessionFacts]:
    """The person's live sessions, last used first."""
    subject = tx.get(Subject, subject_id)
    if subject is None:
        return []
    current = Currency(subject.status, subject.epoch, epochs.current(tx))
    rows = tx.scalars(
        select(BrowserSession)
        .where(
            BrowserSession.subject_id == subject_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.expires_at > now,
        )
        .order_by(BrowserSession.last_seen_at.desc())
        .limit(100)
    )
    idle = house.get(Settings).session_idle
    every = (session_facts(row) for row in rows)
    return [facts for facts in every if why_dead(facts, current=current, now=now, idle=idle) is None]


def end_session(
    tx: Session,
    *,
    session_id: UUID,
    reason: Ended,
    now: datetime,
    origin: Origin,
    subject_id: str | None = None,
) -> bool:
    """End one session (of `subject_id`, where the asker is its owner) and owe its portals a logout token.

    `False` if there was nothing to end: foreign and unknown ids look the same.
    """
    conditions = [BrowserSession.id == session_id, BrowserSession.ended_at.is_(None)]
    if subject_id is not None:
        conditions.append(BrowserSession.subject_id == subject_id)
    owner = tx.execute(
        update(BrowserSession)
        .where(*conditions)
        .values(ended_at=now, ended_reason=reason.value)
        .returning(BrowserSession.subject_id)
    ).scalar_one_or_none()
    if owner is None:
        return False
    fan_out.owe_for_session(tx, session_id=session_id, now=now)
    audit.append(
        tx,
        Event.SIGNED_OUT if reason is Ended.SIGNED_OUT else Event.SESSION_ENDED,
        now=now,
        actor=subject_id or owner,
        origin=origin,
        subject_id=owner,
        details={"reason": reason.value},
    )
    return True


def end_sessions_of(
    tx: Session,
    *,
    subject_id: str,
    reason: Ended,
    now: datetime,
    origin: Origin,
    except_session: UUID | None = None,
) -> int:
    """End every session of a person, but one if named; says how many."""
    ids = tx.scalars(
        select(BrowserSession.id).where(BrowserSession.subject_id == subject_id, BrowserSession.ended_at.is_(None))
    ).all()
    return sum(
        end_session(tx, session_id=session_id, reason=reason, now=now, origin=origin, subject_id=subject_id)
        for session_id in set(ids) - {except_session}
    )


def close_dead(tx: Session, *, now: datetime, batch: int = 500) -> int:
    """Make durable what reading already decides: expired, idle and outdated sessions end, and their portals are told."""
    system_epoch = epochs.current(tx)
    idle = house.get(Settings).session_idle
    rows = tx.execute(
        select(BrowserSession, Subject.status, Subject.epoch)
        .join(Subject, Subject.id == BrowserSession.subject_id)
        .where(
            BrowserSession.ended_at.is_(None),
            (BrowserSession.expires_at <= now)
            | (BrowserSession.last_seen_at <= now - idle)
            | (BrowserSession.subject_epoch != Subject.epoch)
            | (BrowserSession.system_epoch != system_epoch)
            | (Subject.status != "active"),
        )
        .limit(batch)
    ).all()
    for row, status, epoch in rows:
        reason = why_dead(session_facts(row), current=Currency(status, epoch, system_epoch), now=now, idle=idle)
        end_session(tx, session_id=row.id, reason=reason or Ended.EXPIRED, now=now, origin=Origin.local("sweep"))
    return len(rows)
