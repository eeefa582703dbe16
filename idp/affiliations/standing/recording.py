"""Leaves in the audit how each affiliation stands after a transaction that changed it, whoever changed it.

It watches what is flushed and every statement of the ORM that changes or removes what a record tells, so that no room can
forget it. A statement of Core (a use, an epoch) passes unheard and may change nothing that stands in a record.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, TypeVarTuple
from uuid import UUID

from sqlalchemy import Delete, Select, Update, event, inspect, select
from sqlalchemy.orm import ORMExecuteState, Session

from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.audit import service as audit
from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.directory.models import Provider
from idp.foundation import clock
from idp.foundation.database import Writing, see_as
from idp.foundation.origin import Origin
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind

_TOUCHED: Final = "credence.affiliations"
_TOLD: Final = (
    "subject_id", "status", "disabled_by", "account_manager", "starts_at", "ends_at", "activated_at", "target_id",
)  # fmt: skip
_MANY: Final = 400
Columns = TypeVarTuple("Columns")
Touched = dict[UUID, str | None]
"""Affiliations that were changed; whom each was taken from, if it passed to another account."""


def listen() -> None:
    """Once for the process; before the audit writes, which is last."""
    if not event.contains(Writing, "after_flush", _notice):
        event.listen(Writing, "after_flush", _notice)
        event.listen(Writing, "do_orm_execute", _notice_statement)
        event.listen(Writing, "before_commit", _record, insert=True)


def _notice(tx: Session, _context: object) -> None:
    touched: Touched = tx.info.setdefault(_TOUCHED, {})
    for row in (*tx.new, *tx.dirty, *tx.deleted):
        match row:
            case AffiliationEvidence() | HeldLevel():
                touched.setdefault(row.affiliation_id, None)
            case Affiliation() if row in tx.new or _is_told(row):
                left = inspect(row).attrs.subject_id.history.deleted
                touched[row.id] = left[0] if left else touched.get(row.id)


def _notice_statement(state: ORMExecuteState) -> None:
    """Affiliations whose rows a statement is about to change or remove, while it can still be asked which they are."""
    statement, mapper = state.statement, state.bind_mapper
    if not isinstance(statement, Update | Delete) or mapper is None:
        return
    names = _set_by(statement)
    if mapper.class_ in (HeldLevel, AffiliationEvidence):
        whose = select(Affiliation.id, Affiliation.subject_id).where(
            Affiliation.id.in_(_which(select(mapper.class_.affiliation_id), statement))
        )
    elif mapper.class_ is Affiliation and not names.isdisjoint(_TOLD):
        whose = _which(select(Affiliation.id, Affiliation.subject_id), statement)
    else:
        return
    touched: Touched = state.session.info.setdefault(_TOUCHED, {})
    for affiliation_id, subject_id in state.session.execute(whose).all():
        passes = mapper.class_ is Affiliation and "subject_id" in names
        touched[affiliation_id] = touched.get(affiliation_id) or (subject_id if passes else None)


def _set_by(statement: Update | Delete) -> frozenset[str]:
    """Names of the columns that it sets."""
    values = statement._values if isinstance(statement, Update) else None
    return frozenset(column if isinstance(column, str) else column.key for column in values or ())


def _which(query: Select[*Columns], statement: Update | Delete) -> Select[*Columns]:
    return query if statement.whereclause is None else query.where(statement.whereclause)


def _is_told(row: Affiliation) -> bool:
    attributes = inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in _TOLD)


def begin(tx: Session, *, after: UUID | None, now: datetime, limit: int = _MANY) -> tuple[int, UUID | None]:
    """Record a batch of affiliations that no record tells of yet: those made before records were kept.

    Says how many, and after which the next batch begins; what they were before that moment is not known.
    """
    see_as(tx, everything=True)
    query = select(Affiliation).order_by(Affiliation.id).limit(limit)
    rows = tx.scalars(query if after is None else query.where(Affiliation.id > after)).all()
    targets = {str(row.target_id) for row in rows}
    told = select(AuditEvent.details).where(
        AuditEvent.type == Event.AFFILIATION_STANDS.value, AuditEvent.target_id.in_(targets)
    )
    known = {UUID(details["affiliation"]) for details in tx.execute(told).scalars()}
    practices, new = _practices(tx, rows), [row for row in rows if row.id not in known]
    for row in new:
        _append(
            tx, row, subject_id=row.subject_id, stands=_stands(row, practice_id=practices.get(row.target_id)), now=now
        )
    return len(new), rows[-1].id if len(rows) == limit else None


def _record(tx: Session) -> None:
    if tx.in_nested_transaction():
        return
    tx.flush()
    touched: Touched = tx.info.pop(_TOUCHED, {})
    ids = sorted(touched)
    for some in (ids[start : start + _MANY] for start in range(0, len(ids), _MANY)):
        see_as(tx, everything=True)
        query = select(Affiliation).where(Affiliation.id.in_(some)).order_by(Affiliation.id)
        rows = tx.scalars(query.execution_options(populate_existing=True)).all()
        practices = _practices(tx, rows)
        for row in rows:
            stands = _stands(row, practice_id=practices.get(row.target_id))
            left = touched[row.id]
            if left is not None:
                gone = {**stands, "status": AffiliationStatus.ENDED.value, "passed_to": row.subject_id}
                _append(tx, row, subject_id=left, stands=gone)
            _append(tx, row, subject_id=row.subject_id, stands=stands)


def _stands(row: Affiliation, *, practice_id: UUID | None) -> dict[str, Any]:
    """Everything by which a rule can say later whether it let somebody act."""
    proofs: dict[tuple[str, str, str | None], dict[str, Any]] = {}
    for each in sorted(row.evidence, key=lambda proof: (proof.at, proof.kind, proof.portal)):
        proof = {"kind": each.kind, "portal": each.portal, "at": each.at, "by": each.by}
        if each.from_registry is not None:
            proof["from_registry"] = each.from_registry
        proofs.setdefault((each.kind, each.portal, each.from_registry), proof)
    levels: dict[str, list[list[str | None]]] = {}
    for held in sorted(row.levels, key=lambda held: (held.portal, held.level)):
        levels.setdefault(held.portal, []).append([held.level, held.by])
    return {
        "affiliation": row.id,
        "registry": row.registry_name,
        "practice": practice_id,
        "status": row.status,
        "disabled_by": row.disabled_by,
        "account_manager": row.account_manager,
        "made_at": row.created_at,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "activated_at": row.activated_at,
        "evidence": list(proofs.values()),
        "levels": levels,
    }


def _practices(tx: Session, rows: Iterable[Affiliation]) -> dict[UUID, UUID]:
    """The practices of provider records, as they are now."""
    ids = {row.target_id for row in rows if row.target_kind == TargetKind.PROVIDER}
    if not ids:
        return {}
    found = tx.execute(select(Provider.id, Provider.practice_id).where(Provider.id.in_(ids)))
    return {row.id: row.practice_id for row in found}


def _append(
    tx: Session, row: Affiliation, *, subject_id: str, stands: dict[str, Any], now: datetime | None = None
) -> None:
    """In the name of whoever did what this transaction tells of the same person and target."""
    told = None if now is not None else audit.last_told(tx, target_id=str(row.target_id), subject_id=subject_id)
    audit.append(
        tx,
        Event.AFFILIATION_STANDS,
        now=told.at if told is not None else now or clock.now(),
        actor=told.actor if told is not None else "system",
        origin=Origin(told.address, told.request_id or "-", session_digest=told.session_digest)
        if told is not None
        else Origin.local("system"),
        subject_id=subject_id,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details=stands,
    )
