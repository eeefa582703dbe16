"""Transactions: authorization requests parked while a browser signs in (SECURITY D2).

A handler gets a transaction id from the URL and the browser from its cookie; everything else is on the row. Steps act
through `open_transaction`, which locks the row, so that two tabs cannot answer the same step twice. All of it by Core,
with statements built once: every request of a sign-in comes here several times (docs/performance.md).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, bindparam, case, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from idp.foundation.database import Rows, new_id
from idp.foundation.prepared import prepared
from idp.sessions.facts import transaction_facts
from idp.sessions.models import Transaction
from idp.sessions.rules import FirstProof, Reason, TransactionFacts, Upstream, may_continue
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

_NOT_PENDING: Final = {"pending_subject_id": None, "pending_epoch": None, "pending_at": None, "pending_proof": None}
UNCLAIMED: Final = bytes(32)
"""Parked by a cross-site POST, which carries no cookie: whoever follows its 303 owns it, as with a plain link."""
_table: Table = Transaction.__table__  # type: ignore[assignment]
_is_txn = _table.c.id == bindparam("txn")
_PARK: Final = prepared(insert(_table))
_LOAD: Final = prepared(select(_table).where(_is_txn))
_LOCK: Final = prepared(_LOAD.with_for_update())
_SET: Final = prepared(update(_table).where(_is_txn))
"""Sets the columns that are given with it."""
_SET_OPEN: Final = prepared(_SET.where(_table.c.finished_at.is_(None)))
_CLAIM: Final = prepared(_SET_OPEN.where(_table.c.browser_digest == UNCLAIMED))
_HAND_OVER: Final = prepared(
    _SET.where(or_(_table.c.session_id.is_(None), _table.c.session_id != bindparam("session")))
)
_SETTLED: Final = (
    "authenticated_at", "set_up_sealed", "set_up_at", "affiliation_id", "provider_id", "practice_id", "chosen_at",
    "consented_scopes",
)  # fmt: skip
"""What a session has settled in a transaction; another one's does not count for this person."""
_session = bindparam("session", type_=_table.c.session_id.type)
_AUTHENTICATED: Final = prepared(
    _SET.values(
        {_table.c[name]: case((_table.c.session_id == _session, _table.c[name]), else_=None) for name in _SETTLED[1:]}
        | {
            _table.c.session_id: _session,
            _table.c.authenticated_at: bindparam("now", type_=_table.c.authenticated_at.type),
        }
        | {_table.c[name]: bindparam(name) for name in _NOT_PENDING}
    )
)
"""Hands it over and notes the sign-in, by one statement."""


def park(
    tx: Session,
    *,
    browser_digest: bytes,
    client_id: str | None,
    request: Mapping[str, Any],
    now: datetime,
    lifetime: timedelta,
    step: str = "",
    session_id: UUID | None = None,
    accepts: Sequence[Factor] = (),
) -> UUID:
    """Keep a request for this browser; returns the id that stands in the step's URLs.

    With `step` the dispatcher has been asked already: the rest is as for `await_step`.
    """
    txn = new_id()
    row = {"id": txn, "browser_digest": browser_digest, "client_id": client_id, "request": dict(request)}
    shown = {"awaiting": step, "accepts": [kind.value for kind in accepts], "session_id": session_id}
    tx.execute(_PARK, row | shown | {"created_at": now, "expires_at": now + lifetime})
    return txn


def claim(tx: Session, *, txn: UUID, browser_digest: bytes) -> bool:
    """Give an unclaimed transaction to the first browser that comes for it; `False` if it was somebody's already."""
    done = tx.execute(_CLAIM, {"txn": txn, "browser_digest": browser_digest})
    return done.rowcount == 1  # type: ignore[attr-defined, no-any-return]


def unclaimed(tx: Session, *, txn: UUID) -> bool:
    """Whether a transaction still waits for its browser."""
    row = tx.execute(_LOAD, {"txn": txn}).one_or_none()
    return row is not None and row.browser_digest == UNCLAIMED


def load_or_unclaimed(tx: Rows, *, txn: UUID, browser_digest: bytes, now: datetime) -> TransactionFacts | Refused:
    """As `load`; one that still waits for its browser is anybody's."""
    found = load(tx, txn=txn, browser_digest=browser_digest, now=now)
    waits = isinstance(found, Refused) and found.reason is Reason.OTHER_BROWSER
    return load(tx, txn=txn, browser_digest=UNCLAIMED, now=now) if waits else found


def load(tx: Rows, *, txn: UUID, browser_digest: bytes, now: datetime) -> TransactionFacts | Refused:
    """The transaction, if this browser started it and it is neither finished nor expired."""
    row = tx.execute(_LOAD, {"txn": txn}).one_or_none()
    if row is None:
        return Refused(Reason.UNKNOWN_TRANSACTION)
    facts = transaction_facts(row)
    return may_continue(facts, browser_digest=browser_digest, now=now) or facts


def open_transaction(
    tx: Session, *, txn: UUID, browser_digest: bytes, step: str, now: datetime, session_id: UUID | None = None
) -> TransactionFacts | Refused:
    """Lock the transaction for a step's act; refused unless the dispatcher awaits that very step.

    With `session_id` it must have been shown to that session: another person's page, left open, answers nothing.
    """
    row = tx.execute(_LOCK, {"txn": txn}).one_or_none()
    if row is None:
        return Refused(Reason.UNKNOWN_TRANSACTION)
    facts = transaction_facts(row)
    if session_id is not None and facts.session_id != session_id:
        return may_continue(facts, browser_digest=browser_digest, now=now) or Refused(Reason.NOT_AWAITED)
    return may_continue(facts, browser_digest=browser_digest, now=now, step=step) or facts


def lock(tx: Session, *, txn: UUID, browser_digest: bytes, now: datetime) -> TransactionFacts | Refused:
    """Lock the transaction whatever it awaits: for the dispatcher's final verdict."""
    row = tx.execute(_LOCK, {"txn": txn}).one_or_none()
    if row is None:
        return Refused(Reason.UNKNOWN_TRANSACTION)
    facts = transaction_facts(row)
    return may_continue(facts, browser_digest=browser_digest, now=now) or facts


def await_step(
    tx: Session, *, txn: UUID, step: str, session_id: UUID | None = None, accepts: Sequence[Factor] = ()
) -> None:
    """The dispatcher showed `step`, to `session_id` if somebody is signed in: only its POST acts from now on.

    `accepts` are the kinds of factor that the step takes or sets up.
    """
    if session_id is not None:
        _hand_over(tx, txn=txn, session_id=session_id)
    kinds = [kind.value for kind in accepts]
    tx.execute(_SET, {"txn": txn, "awaiting": step, "accepts": kinds})


def remember_login(tx: Session, *, txn: UUID, login: str | None) -> None:
    """Keep what was typed at `identify`; `None` forgets it (*Use another user ID*)."""
    tx.execute(_SET, {"txn": txn, "login": login})


def remember_first_factor(
    tx: Session, *, txn: UUID, subject_id: str, epoch: int, now: datetime, proof: FirstProof | None = None
) -> None:
    """The password was right (or `proof` came from upstream), and a second factor must follow; no session yet (MF-01)."""
    pending = {"pending_subject_id": subject_id, "pending_epoch": epoch, "pending_at": now}
    pending |= {"pending_proof": None if proof is None else _kept(proof)}
    tx.execute(_SET, {"txn": txn, **pending})


def forget_first_factor(tx: Session, *, txn: UUID) -> None:
    """Back to the password: too many wrong codes, or *not you*."""
    tx.execute(_SET, {"txn": txn, **_NOT_PENDING})


def remember_upstream(tx: Session, *, txn: UUID, state: Upstream | None) -> None:
    """Somebody came from upstream whom no link names; `None`: that is settled, or forgotten."""
    kept = None if state is None else state.value
    tx.execute(_SET, {"txn": txn, "upstream": kept, **_NOT_PENDING})


def keep_secret(tx: Session, *, txn: UUID, sealed: bytes | None) -> None:
    """Keep the sealed secret of a factor that is being set up; `None` once it is proven, or is to be made anew."""
    tx.execute(_SET, {"txn": txn, "set_up_sealed": sealed})


def remember_set_up(tx: Session, *, txn: UUID, now: datetime) -> None:
    """The person is done setting up factors."""
    tx.execute(_SET, {"txn": txn, "set_up_at": now})


def mark_authenticated(tx: Session, *, txn: UUID, session_id: UUID, now: datetime) -> None:
    """The person authenticated in this transaction: answers `prompt=login` and `max_age`."""
    tx.execute(_AUTHENTICATED, {"txn": txn, "session": session_id, "now": now, **_NOT_PENDING})


def remember_choice(
    tx: Session,
    *,
    txn: UUID,
    affiliation_id: UUID,
    provider_id: UUID | None,
    practice_id: UUID | None,
    now: datetime,
) -> None:
    """Whom the person acts for in this transaction; a consent given before was for another choice and is void."""
    tx.execute(
        _SET,
        {
            "txn": txn,
            "affiliation_id": affiliation_id,
            "provider_id": provider_id,
            "practice_id": practice_id,
            "chosen_at": now,
            "consented_scopes": None,
        },
    )


def remember_consent(tx: Session, *, txn: UUID, scopes: str) -> None:
    """What the person agreed to release in this transaction."""
    tx.execute(_SET, {"txn": txn, "consented_scopes": scopes})


def remember_refusal(tx: Session, *, txn: UUID, now: datetime) -> None:
    """The person said no; the client is answered `access_denied`."""
    tx.execute(_SET, {"txn": txn, "refused_at": now})


def finish(tx: Session, *, txn: UUID, now: datetime) -> bool:
    """Close the transaction; `False` if another tab closed it first, so that one request gives one answer."""
    done = tx.execute(_SET_OPEN, {"txn": txn, "finished_at": now})
    return done.rowcount == 1  # type: ignore[attr-defined, no-any-return]


def purge(tx: Session, *, before: datetime, batch: int = 1000) -> int:
    """Delete a small batch of transactions that expired before `before`."""
    doomed = select(_table.c.id).where(_table.c.expires_at < before).limit(batch)
    return tx.execute(delete(_table).where(_table.c.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]


def _kept(proof: FirstProof) -> dict[str, Any]:
    return {
        "method": proof.method,
        "acr": sorted(proof.acr),
        "amr": list(proof.amr),
        "at": proof.at.isoformat(),
        "told": proof.told,
    }


def _hand_over(tx: Session, *, txn: UUID, session_id: UUID) -> None:
    """From now on it is this session's; what another one settled in it does not count for this person."""
    nothing = dict.fromkeys(_SETTLED)
    tx.execute(_HAND_OVER, {"txn": txn, "session": session_id, "session_id": session_id, **nothing})
