"""Keeping a person's questions, and comparing answers: hashed outside of any transaction, counted before (SI-20).

Comparing takes three calls, so that a ceremony keeps to its two transactions: `reserve` in its first, `compare` in none,
`tell` in its second. None of them signs anybody in; the questions themselves are for whoever has given another proof.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.challenge_questions import rules
from idp.authenticators.challenge_questions.models import ChallengeQuestion
from idp.authenticators.challenge_questions.rules import GROUPS, Chosen, Question, Reason
from idp.authenticators.password import budgets
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.password.rules import Reason as Throttling
from idp.foundation import house, vault
from idp.foundation.database import new_id
from idp.foundation.origin import Origin
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_table = ChallengeQuestion.__table__
_NOBODYS: Final = tuple((position, None, False) for position in range(1, len(GROUPS) + 1))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question with the digest of its answer, ready to be kept; the answer itself is gone."""

    position: int
    key: str | None
    text: str | None = field(repr=False)
    digest: str = field(repr=False)
    case_sensitive: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What `reserve` read for `compare`: position, digest and whether case counts; for nobody as many without digest."""

    subject_id: str | None
    account: str = field(repr=False)
    entries: tuple[tuple[int, str | None, bool], ...] = field(repr=False)


def prepare(chosen: Sequence[Chosen]) -> tuple[Prepared, ...] | Refused:
    """Digest every answer; `Refused(BUSY)` when too many hashes wait. In no transaction."""
    kdf, made = house.get(Kdf), []
    for each in chosen:
        digest = kdf.digest(each.answer)
        if isinstance(digest, Refused):
            return Refused(Reason.BUSY)
        made.append(Prepared(each.position, each.key, each.text, digest, each.case_sensitive))
    return tuple(made)


def set_questions(
    tx: Session, *, subject_id: str, prepared: Sequence[Prepared], now: datetime, actor: str, origin: Origin
) -> None:
    """Keep these questions in place of all that the person had."""
    gone = tx.execute(delete(ChallengeQuestion).where(ChallengeQuestion.subject_id == subject_id))
    tx.execute(insert(ChallengeQuestion), [_row(each, subject_id=subject_id, now=now) for each in prepared])
    had_some = gone.rowcount > 0  # type: ignore[attr-defined]
    event = Event.CHALLENGE_QUESTIONS_CHANGED if had_some else Event.CHALLENGE_QUESTIONS_SET
    details = {"count": len(prepared), "own": any(each.key is None for each in prepared)}
    audit.append(tx, event, now=now, actor=actor, origin=origin, subject_id=subject_id, details=details)


def questions_of(tx: Session, *, subject_id: str) -> tuple[Question, ...]:
    """The person's questions, in their order; empty where they have none."""
    return tuple(
        Question(row.position, row.question_key, _text(row), row.case_sensitive) for row in _rows(tx, subject_id)
    )


def reserve(
    tx: Session,
    *,
    subject_id: str | None,
    login_key: str,
    now: datetime,
    actor: str,
    origin: Origin,
    account: str | None = None,
) -> Kept | Refused:
    """Count one attempt against the account and against all, with those at its password; commit before comparing.

    Where nobody has the login key, `subject_id` is `None`, the key is counted, and as many hashes are computed for nothing.
    `account` counts them apart from the password, for a page that strangers do not come to.
    """
    account = account or subject_id or login_key
    rows = _rows(tx, subject_id or "")
    refused = budgets.reserve(tx, account=account, now=now)
    if refused is not None:
        told = Refused(Reason.BUSY if refused.reason is Throttling.BUSY else Reason.TOO_MANY)
        _audit(tx, subject_id=subject_id, outcome=told.reason, now=now, actor=actor, origin=origin)
        return told
    entries = tuple((row.position, row.digest, row.case_sensitive) for row in rows)
    return Kept(subject_id, account, entries or _NOBODYS)


def compare(kept: Kept, answers: Mapping[int, Secret]) -> bool | Refused:
    """Whether every kept question is answered rightly: as many hashes whatever is right. In no transaction.

    Only to be added to another proof (ruling 1).
    """
    kdf, right = house.get(Kdf), True
    for position, digest, case_sensitive in kept.entries:
        typed = rules.compared(answers.get(position, Secret("")).reveal(), case_sensitive=case_sensitive)
        verdict = kdf.check(Secret(typed), digest=digest)
        if isinstance(verdict, Refused):
            return Refused(Reason.BUSY)
        right = right and verdict.right
    return right


def tell(tx: Session, *, kept: Kept, outcome: bool | Refused, now: datetime, actor: str, origin: Origin) -> None:
    """Note how it went. Right answers forgive no failure: only the whole proof does, by `budgets.succeeded`."""
    if isinstance(outcome, Refused):
        budgets.nothing_tried(tx, account=kept.account, now=now)
    word = outcome.reason if isinstance(outcome, Refused) else "ok" if outcome else "wrong_answer"
    _audit(tx, subject_id=kept.subject_id, outcome=word, now=now, actor=actor, origin=origin)


def _row(each: Prepared, *, subject_id: str, now: datetime) -> dict[str, object]:
    identity = new_id()
    text = None if each.text is None else _seal(each.text, identity)
    return {
        "id": identity,
        "subject_id": subject_id,
        "position": each.position,
        "question_key": each.key,
        "question_sealed": text,
        "digest": each.digest,
        "case_sensitive": each.case_sensitive,
        "set_at": now,
    }


def _rows(tx: Session, subject_id: str) -> Sequence[Row[tuple[object, ...]]]:
    return tx.execute(select(_table).where(_table.c.subject_id == subject_id).order_by(_table.c.position)).all()


def _seal(text: str, identity: UUID) -> bytes:
    return vault.seal(text.encode(), keys=house.get(Keyring).vault, context=_context(identity))


def _text(row: Row[tuple[object, ...]]) -> str | None:
    if row.question_sealed is None:
        return None
    return vault.unseal(row.question_sealed, keys=house.get(Keyring).vault, context=_context(row.id)).decode()


def _audit(tx: Session, *, subject_id: str | None, outcome: str, now: datetime, actor: str, origin: Origin) -> None:
    audit.append(
        tx, Event.CHALLENGE_ANSWERED, now=now, actor=actor, origin=origin, outcome=outcome, subject_id=subject_id
    )


def _context(identity: UUID) -> str:
    return f"challenge_question.question:{identity}"


resealing.register(
    "challenge_question.question", resealing.of_column(ChallengeQuestion.question_sealed, context=_context)
)
