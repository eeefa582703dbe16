"""Transactions: authorization requests parked while a browser signs in (SECURITY D2).

A handler gets a transaction id from the URL and the browser from its cookie; everything else is on the row. Steps act
through `open_transaction`, which locks the row, so that two tabs cannot answer the same step twice.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from idp.foundation.database import new_id
from idp.sessions.facts import transaction_facts
from idp.sessions.models import Transaction
from idp.sessions.rules import Reason, TransactionFacts, may_continue
from idp.vocabulary.refused import Refused


def park(
    tx: Session,
    *,
    browser_digest: bytes,
    client_id: str | None,
    request: Mapping[str, Any],
    now: datetime,
    lifetime: timedelta,
) -> UUID:
    """Keep a request for this browser; returns the id that stands in the step's URLs."""
    row = Transaction(
        id=new_id(),
        browser_digest=browser_digest,
        client_id=client_id,
        request=dict(request),
        awaiting="",
        created_at=now,
        expires_at=now + lifetime,
    )
    tx.add(row)
    tx.flush()  # the row's id is what the caller redirects to
    return row.id


def load(tx: Session, *, txn: UUID, browser_digest: bytes, now: datetime) -> TransactionFacts | Refused:
    """The transaction, if this browser started it and it is neither finished nor expired."""
    row = tx.get(Transaction, txn)
    if row is None:
        return Refused(Reason.UNKNOWN_TRANSACTION)
    facts = transaction_facts(row)
    return may_continue(facts, browser_digest=browser_digest, now=now) or facts


def open_transaction(
    tx: Session, *, txn: UUID, browser_digest: bytes, step: str, now: datetime
) -> TransactionFacts | Refused:
    """Lock the transaction for a step's act; refused unless the dispatcher awaits that very step."""
    row = tx.execute(select(Transaction).where(Transaction.id == txn).with_for_update()).scalar_one_or_none()
    if row is None:
        return Refused(Reason.UNKNOWN_TRANSACTION)
    facts = transaction_facts(row)
    return may_continue(facts, browser_digest=browser_digest, now=now, step=step) or facts


def lock(tx: Session, *, txn: UUID, browser_digest: bytes, now: datetime) -> TransactionFacts | Refused:
    """Lock the transaction whatever it awaits: for the dispatcher's final verdict."""
    row = tx.execute(select(Transaction).where(Transaction.id == txn).with_for_update()).scalar_one_or_none()
    if row is None:
        return Refused(Reason.UNKNOWN_TRANSACTION)
    facts = transaction_facts(row)
    return may_continue(facts, browser_digest=browser_digest, now=now) or facts


def await_step(tx: Session, *, txn: UUID, step: str) -> None:
    """The dispatcher showed `step`: only its POST acts from now on."""
    tx.execute(update(Transaction).where(Transaction.id == txn).values(awaiting=step))


def remember_login(tx: Session, *, txn: UUID, login: str | None) -> None:
    """Keep what was typed at `identify`; `None` forgets it (*Use another user ID*)."""
    tx.execute(update(Transaction).where(Transaction.id == txn).values(login=login))


def mark_authenticated(tx: Session, *, txn: UUID, session_id: UUID, now: datetime) -> None:
    """The person authenticated in this transaction: answers `prompt=login` and `max_age`."""
    tx.execute(
        update(Transaction).where(Transaction.id == txn).values(session_id=session_id, authenticated_at=now)
    )


def remember_choice(
    tx: Session,
    *,
    txn: UUID,
    affiliation_id: UUID,
    provider_id: UUID | None,
    practice_id: UUID | None,
    now: datetime,
) -> None:
    """Whom the person chose to act for in this transaction."""
    tx.execute(
        update(Transaction)
        .where(Transaction.id == txn)
        .values(affiliation_id=affiliation_id, provider_id=provider_id, practice_id=practice_id, chosen_at=now)
    )


def remember_consent(tx: Session, *, txn: UUID, scopes: str) -> None:
    """What the person agreed to release in this transaction."""
    tx.execute(update(Transaction).where(Transaction.id == txn).values(consented_scopes=scopes))


def remember_refusal(tx: Session, *, txn: UUID, now: datetime) -> None:
    """The person said no; the client is answered `access_denied`."""
    tx.execute(update(Transaction).where(Transaction.id == txn).values(refused_at=now))


def finish(tx: Session, *, txn: UUID, now: datetime) -> bool:
    """Close the transaction; `False` if another tab closed it first, so that one request gives one answer."""
    done = tx.execute(
        update(Transaction).where(Transaction.id == txn, Transaction.finished_at.is_(None)).values(finished_at=now)
    )
    return done.rowcount == 1  # type: ignore[attr-defined, no-any-return]


def purge(tx: Session, *, before: datetime, batch: int = 1000) -> int:
    """Delete a small batch of transactions that expired before `before`."""
    doomed = select(Transaction.id).where(Transaction.expires_at < before).limit(batch)
    return tx.execute(delete(Transaction).where(Transaction.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]
