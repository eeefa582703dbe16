"""Upstream identities of people: made by their own act, listed, taken away without stranding anybody."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors import telling
from idp.authenticators.factors.rules import is_fresh, to_prove, working
from idp.authenticators.password import facts as passwords
from idp.federation import arrivals, asserting, rules
from idp.federation.connections import facts as connections
from idp.federation.models import UpstreamLink
from idp.federation.rules import Reason, UpstreamIdentity
from idp.foundation.database import Rows, new_id
from idp.foundation.origin import Origin
from idp.sessions import service as sessions
from idp.sessions.rules import Ended, SessionFacts
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

_table: Table = UpstreamLink.__table__  # type: ignore[assignment]
KIND = "upstream"
"""As mails about ways to sign in name it."""


@dataclass(frozen=True, slots=True)
class Linked:
    """One upstream identity of a person."""

    id: UUID
    connection: str
    issuer: str
    subject: str
    shown_as: str
    created_at: datetime
    last_used_at: datetime | None


def of(tx: Rows, *, subject_id: str) -> tuple[Linked, ...]:
    """A person's links, oldest first."""
    rows = tx.execute(
        select(_table).where(_table.c.subject_id == subject_id).order_by(_table.c.created_at, _table.c.id)
    )
    return tuple(
        Linked(row.id, row.connection, row.issuer, row.subject, row.shown_as, row.created_at, row.last_used_at)
        for row in rows
    )


def is_linked(tx: Rows, identity: UpstreamIdentity) -> bool:
    """Whether it is somebody's."""
    key = (identity.connection, identity.issuer, identity.subject)
    query = select(_table.c.id).where(tuple_(_table.c.connection, _table.c.issuer, _table.c.subject) == key)
    return tx.execute(query).first() is not None


def is_fresh_enough(tx: Session, session: SessionFacts, *, now: datetime) -> bool:
    """Whether the person has just proven the strongest that they hold (FE-12)."""
    held = factors.held(tx, subject_id=session.subject_id)
    return is_fresh(session, held=to_prove(held), now=now)


def add(
    tx: Session, identity: UpstreamIdentity, *, subject: Subject, now: datetime, origin: Origin, told: bool = True
) -> Refused | None:
    """Link it to `subject`, whom the caller has locked and who has confirmed it; nobody else has it (D6)."""
    row = {
        "id": new_id(),
        "subject_id": subject.id,
        "connection": identity.connection,
        "issuer": identity.issuer,
        "subject": identity.subject,
        "shown_as": identity.email or "",
        "created_at": now,
        "last_used_at": now,
    }
    try:
        with tx.begin_nested():
            tx.execute(insert(_table).values(**row))
    except IntegrityError:
        return Refused(Reason.LINKED_ELSEWHERE)
    _audit(tx, Event.UPSTREAM_LINKED, subject.id, identity.connection, identity.issuer, now=now, origin=origin)
    facts = subjects.by_id(tx, subject_id=subject.id)
    if facts is not None and told:
        name = name_of(tx, identity.connection, facts)
        telling.tell(tx, "factor_added", subject=facts, kind=KIND, name=name, now=now)
    return None


def remove(tx: Session, link_id: UUID, *, session: SessionFacts, now: datetime, origin: Origin) -> Refused | None:
    """The person takes one of theirs away: freshly proven, and only while another way in remains."""
    _hold(tx, (each for each in of(tx, subject_id=session.subject_id) if each.id == link_id), session.subject_id)
    if sessions.hold(tx, session) is None or not is_fresh_enough(tx, session, now=now):
        return Refused(Reason.NOT_FRESH)
    if tx.get(Subject, session.subject_id, with_for_update=True) is None:
        return Refused(Reason.NOT_LINKED)
    mine = of(tx, subject_id=session.subject_id)
    link = next((each for each in mine if each.id == link_id), None)
    if link is None:
        return Refused(Reason.NOT_LINKED)
    if not rules.may_unlink(
        other_links=_that_work(tx, mine, but=link),
        has_password=passwords.credential_of(tx, subject_id=session.subject_id) is not None,
        passkeys=sum(each.kind is Factor.PASSKEY for each in working(factors.held(tx, subject_id=session.subject_id))),
    ):
        return Refused(Reason.LAST_WAY)
    facts = subjects.by_id(tx, subject_id=session.subject_id)
    assert facts is not None, "the row is locked here"
    _take(tx, link, facts, now=now, origin=origin)
    _end_what_rests(tx, link, session, now=now, origin=origin)
    return None


def remove_since(tx: Session, *, subject: SubjectFacts, since: datetime, now: datetime, origin: Origin) -> None:
    """*This wasn't me*: take away every link made from `since` on; it may be somebody else's."""
    late = [link for link in of(tx, subject_id=subject.id) if link.created_at >= since]
    _hold(tx, late, subject.id)
    for link in late:
        _take(tx, link, subject, now=now, origin=origin, undo=False)


def move(tx: Session, *, from_id: str, to_id: str) -> None:
    """Two accounts became one: what signed in to the former signs in to the latter."""
    tx.execute(update(_table).where(_table.c.subject_id == from_id).values(subject_id=to_id))


def count_by_connection(tx: Rows) -> dict[str, int]:
    """How many people each connection signs in."""
    rows = tx.execute(select(_table.c.connection, func.count()).group_by(_table.c.connection))
    return {row[0]: row[1] for row in rows}


def name_of(tx: Rows, connection: str, subject: SubjectFacts | None = None) -> str:
    """A connection's name as this person reads it; the file's own name where it is gone."""
    applied = connections.find(tx, connection)
    if applied is None:
        return connection
    name = applied.connection.name
    return name.es if subject is not None and subject.locale == "es" else name.en


def _that_work(tx: Rows, mine: tuple[Linked, ...], *, but: Linked) -> int:
    """Links by which the person could sign in today."""
    applied = connections.every(tx)
    return sum(
        1
        for each in mine
        if each.id != but.id
        and (found := applied.get(each.connection)) is not None
        and found.enabled
        and found.connection.issuer == each.issuer
    )


def _hold(tx: Session, every: Iterable[Linked], subject_id: str) -> None:
    """The practices of whatever access goes with a link; before the person and the session are locked."""
    for link in every:
        asserting.hold_identity(
            tx, connection=link.connection, issuer=link.issuer, subject=link.subject, subject_id=subject_id
        )


def _end_what_rests(tx: Session, link: Linked, here: SessionFacts, *, now: datetime, origin: Origin) -> None:
    """Other browsers that came in by it; the one that takes it away has just proven itself."""
    resting = arrivals.sessions_resting_on(
        tx, connection=link.connection, issuer=link.issuer, subject=link.subject, sid=None
    )
    for session_id in sorted({session_id for session_id, _subject in resting} - {here.id}):
        sessions.end_session(
            tx, session_id=session_id, reason=Ended.BY_OWNER, now=now, origin=origin, subject_id=here.subject_id
        )


def _take(
    tx: Session, link: Linked, subject: SubjectFacts, *, now: datetime, origin: Origin, undo: bool = True
) -> None:
    tx.execute(delete(_table).where(_table.c.id == link.id))
    asserting.withdraw(
        tx, connection=link.connection, issuer=link.issuer, subject=link.subject, subject_id=subject.id, now=now,
        origin=origin,
    )  # fmt: skip
    _audit(tx, Event.UPSTREAM_UNLINKED, subject.id, link.connection, link.issuer, now=now, origin=origin)
    name = name_of(tx, link.connection, subject)
    telling.tell(tx, "factor_removed", subject=subject, kind=KIND, name=name, now=now, undo=undo)


def _audit(
    tx: Session, event: Event, subject_id: str, connection: str, issuer: str, *, now: datetime, origin: Origin
) -> None:
    audit.append(
        tx,
        event,
        now=now,
        actor=subject_id,
        origin=origin,
        subject_id=subject_id,
        details={"connection": connection, "issuer": issuer},
    )
