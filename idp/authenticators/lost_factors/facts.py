"""Rows of recoveries as facts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Table, or_, select
from sqlalchemy.orm import Session

from idp.authenticators.lost_factors import rules
from idp.authenticators.lost_factors.models import FactorRecovery
from idp.authenticators.lost_factors.rules import Recovery, Starter
from idp.foundation.database import Rows
from idp.vocabulary.evidence import Evidence

table: Table = FactorRecovery.__table__  # type: ignore[assignment]
SHOWN = 200
_without_the_payer = or_(table.c.evidence.is_(None), table.c.evidence != Evidence.PAYER.value)


def under_way(tx: Rows, *, subject_id: str, now: datetime) -> Recovery | None:
    """The person's recovery that waits or is open."""
    row = tx.execute(select(table).where(table.c.subject_id == subject_id, table.c.ended_at.is_(None))).one_or_none()
    found = None if row is None else recovery_of(row)
    return found if found is not None and rules.standing(found, now=now) is not rules.Standing.ENDED else None


def of_browser(tx: Session, *, browser_digest: bytes, now: datetime, lock: bool = False) -> Recovery | None:
    """The recovery whose link this browser opened lately; `lock` holds it for the transaction."""
    query = (
        select(table)
        .where(table.c.browser_digest == browser_digest, table.c.ended_at.is_(None))
        .order_by(table.c.mailbox_at.desc())
        .limit(1)
    )
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    found = None if row is None else recovery_of(row)
    return found if found is not None and rules.at_this_browser(found, now=now) else None


def waiting_for_staff(tx: Rows, *, now: datetime) -> Sequence[Recovery]:
    """Every recovery under way that the payer did not speak for, oldest first; a manager's word is not always enough."""
    rows = tx.execute(
        select(table)
        .where(table.c.ended_at.is_(None), table.c.expires_at > now, _without_the_payer)
        .order_by(table.c.started_at, table.c.id)
        .limit(SHOWN)
    )
    return [recovery_of(row) for row in rows]


def recovery_of(row: object) -> Recovery:
    """From a row, by Core or ORM."""
    each: FactorRecovery = row  # type: ignore[assignment]
    return Recovery(
        id=each.id,
        subject_id=each.subject_id,
        client_id=each.client_id,
        started_by=Starter(each.started_by),
        started_actor=each.started_actor,
        started_at=each.started_at,
        opens_at=each.opens_at,
        expires_at=each.expires_at,
        mailbox_at=each.mailbox_at,
        evidence=Evidence(each.evidence) if each.evidence else None,
        evidence_by=each.evidence_by,
        vouched_for=each.vouched_for,
        ended_at=each.ended_at,
    )
