"""Enrollments under way: begun, found by their browser, saved as they go (24 hours), ended."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from idp.enrollment.models import Enrollment
from idp.enrollment.rules import Reason
from idp.foundation import house, vault
from idp.foundation.database import new_id
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused

LIFETIME: Final = timedelta(hours=24)
"""From the beginning, and again from each mailed link that was opened (MODEL §9)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One enrollment as read at a moment; `typed` and `kept` are by step."""

    id: UUID
    client_id: str
    ceremony: str
    browser_digest: bytes
    subject_id: str | None
    done: frozenset[str]
    typed: Mapping[str, Mapping[str, str]] = field(repr=False)
    kept: Mapping[str, Mapping[str, Any]] = field(repr=False)
    expires_at: datetime
    finished_at: datetime | None = None
    outcome: str | None = None


def begin(
    tx: Session, *, client_id: str, ceremony: str, browser_digest: bytes, subject_id: str | None, now: datetime
) -> Run:
    """A new one, with nothing in it."""
    row = Enrollment(
        id=new_id(),
        client_id=client_id,
        ceremony=ceremony,
        browser_digest=browser_digest,
        subject_id=subject_id,
        done=[],
        created_at=now,
        expires_at=now + LIFETIME,
    )
    tx.add(row)
    tx.flush()  # links and later statements refer to it
    return _run(row)


def load(tx: Session, run_id: UUID, *, browser_digest: bytes, now: datetime) -> Run | Refused:
    """The enrollment, if it is this browser's and still runs."""
    return _judged(tx.get(Enrollment, run_id), browser_digest=browser_digest, now=now)


def lock(tx: Session, run_id: UUID, *, browser_digest: bytes, now: datetime) -> Run | Refused:
    """As `load`, held for the transaction: two tabs pass one after the other."""
    row = tx.execute(select(Enrollment).where(Enrollment.id == run_id).with_for_update()).scalar_one_or_none()
    return _judged(row, browser_digest=browser_digest, now=now)


def held(tx: Session, run_id: UUID, *, lock: bool = False) -> Run | None:
    """The enrollment that a mailed link names, in whatever browser and at whatever age it is; `None` once ended."""
    query = select(Enrollment).where(Enrollment.id == run_id, Enrollment.finished_at.is_(None))
    row = tx.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    return None if row is None else _run(row)


def ended(tx: Session, run_id: UUID, *, browser_digest: bytes, now: datetime) -> Run | None:
    """An enrollment of this browser that has ended within a day: for the page that says what came of it."""
    row = tx.get(Enrollment, run_id)
    if row is None or row.finished_at is None or row.browser_digest != browser_digest:
        return None
    return _run(row) if now - row.finished_at < LIFETIME else None


def latest(
    tx: Session, *, browser_digest: bytes, now: datetime, client_id: str | None = None, ceremony: str | None = None
) -> Run | None:
    """The newest enrollment under way in this browser, of one ceremony if it is named."""
    query = select(Enrollment).where(
        Enrollment.browser_digest == browser_digest, Enrollment.finished_at.is_(None), Enrollment.expires_at > now
    )
    if client_id is not None:
        query = query.where(Enrollment.client_id == client_id, Enrollment.ceremony == ceremony)
    row = tx.scalars(query.order_by(Enrollment.created_at.desc(), Enrollment.id.desc()).limit(1)).first()
    return None if row is None else _run(row)


def save(
    tx: Session,
    run: Run,
    *,
    done: Collection[str] | None = None,
    typed: Mapping[str, Mapping[str, str]] | None = None,
    kept: Mapping[str, Mapping[str, Any]] | None = None,
    subject_id: str | None = None,
    browser_digest: bytes | None = None,
    expires_at: datetime | None = None,
) -> Run:
    """Write down what changed; the caller holds the row."""
    changed = replace(
        run,
        done=frozenset(done) if done is not None else run.done,
        typed=typed if typed is not None else run.typed,
        kept=kept if kept is not None else run.kept,
        subject_id=subject_id or run.subject_id,
        browser_digest=browser_digest or run.browser_digest,
        expires_at=expires_at or run.expires_at,
    )
    tx.execute(
        update(Enrollment)
        .where(Enrollment.id == run.id)
        .values(
            done=sorted(changed.done),
            answers_sealed=_sealed(run.id, {"typed": changed.typed, "kept": changed.kept}),
            subject_id=changed.subject_id,
            browser_digest=changed.browser_digest,
            expires_at=changed.expires_at,
        )
    )
    return changed


def finish(tx: Session, run: Run, *, outcome: str, told: Mapping[str, Any], now: datetime) -> None:
    """End it: what was typed is wiped, `told` is what the last page says."""
    sealed = _sealed(run.id, {"typed": {}, "kept": {"told": dict(told)}})
    tx.execute(
        update(Enrollment)
        .where(Enrollment.id == run.id)
        .values(finished_at=now, outcome=outcome, answers_sealed=sealed, subject_id=run.subject_id)
    )


def purge(tx: Session, *, now: datetime, batch: int = 1000) -> int:
    """Delete a small batch of what no link can continue any more; says how many went.

    A mail may leave late and its link lives from then on, so the row outlives its own day by two more.
    """
    doomed = select(Enrollment.id).where(Enrollment.expires_at < now - 2 * LIFETIME).limit(batch)
    return tx.execute(delete(Enrollment).where(Enrollment.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]


def _judged(row: Enrollment | None, *, browser_digest: bytes, now: datetime) -> Run | Refused:
    if row is None:
        return Refused(Reason.UNKNOWN_RUN)
    if row.browser_digest != browser_digest:
        return Refused(Reason.OTHER_BROWSER)
    if row.finished_at is not None:
        return Refused(Reason.FINISHED)
    return Refused(Reason.EXPIRED) if now >= row.expires_at else _run(row)


def _run(row: Enrollment) -> Run:
    answers = _unsealed(row)
    return Run(
        id=row.id,
        client_id=row.client_id,
        ceremony=row.ceremony,
        browser_digest=row.browser_digest,
        subject_id=row.subject_id,
        done=frozenset(row.done),
        typed=answers.get("typed", {}),
        kept=answers.get("kept", {}),
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
    )


def _sealed(run_id: UUID, answers: Mapping[str, Any]) -> bytes:
    return vault.seal(orjson.dumps(answers), keys=house.get(Keyring).vault, context=_context(run_id))


def _unsealed(row: Enrollment) -> dict[str, Any]:
    if row.answers_sealed is None:
        return {}
    plain = vault.unseal(bytes(row.answers_sealed), keys=house.get(Keyring).vault, context=_context(row.id))
    answers: dict[str, Any] = orjson.loads(plain)
    return answers


def _context(run_id: UUID) -> str:
    return f"enrollment.answers_sealed:{run_id}"


resealing.register("enrollment.answers", resealing.of_column(Enrollment.answers_sealed, context=_context))
