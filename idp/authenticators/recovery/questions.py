"""Challenge questions at a reset: behind the mailed link, and added to it, never in its place (SECURITY ruling 1).

They are asked of whoever has some, where a portal of theirs switches them on; not where the help desk, who checked the
caller, sent the link: else a forgotten answer would be the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from idp.authenticators.challenge_questions import service
from idp.authenticators.challenge_questions.rules import Question
from idp.authenticators.challenge_questions.rules import Reason as NotLooked
from idp.authenticators.challenge_questions.service import Kept
from idp.authenticators.password import budgets
from idp.authenticators.password.rules import Reason as PasswordReason
from idp.authenticators.upstairs import Upstairs
from idp.foundation import house
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_STEP: Final = "challenge_questions"


class Reason(StrEnum):
    """Why answers were not enough; never which of them."""

    WRONG_ANSWERS = "wrong_answers"
    TOO_MANY = "too_many_answers"


@dataclass(frozen=True, slots=True)
class Passed:
    """Right answers, to be noted in the transaction that sets the password."""

    kept: Kept


def asked_of(tx: Session, *, subject_id: str, client_id: str | None, now: datetime) -> tuple[Question, ...]:
    """The person's questions, where one of their portals, or the one they came from, asks them."""
    questions = service.questions_of(tx, subject_id=subject_id)
    if not questions:
        return ()
    held = house.get(Upstairs).portals_held(tx, subject_id=subject_id, now=now)
    parties = [relying_parties.find(each) for each in {*held, *((client_id,) if client_id else ())}]
    return questions if any(party is not None and _asks(party) for party in parties) else ()


def judge(subject_id: str, answers: Mapping[int, Secret], *, now: datetime, origin: Origin) -> Passed | Refused:
    """Count, compare in no transaction, and note what was wrong.

    Counted by themselves: only whoever opened the mailed link is asked, so a stranger's failures at the password do not
    close this way (SI-09), nor failures here that one.
    """
    with writing() as tx:
        kept = service.reserve(
            tx,
            subject_id=subject_id,
            login_key=subject_id,
            now=now,
            actor=subject_id,
            origin=origin,
            account=_account(subject_id),
        )
    if isinstance(kept, Refused):
        busy = kept.reason is NotLooked.BUSY
        return Refused(PasswordReason.BUSY if busy else Reason.TOO_MANY)
    right = service.compare(kept, answers)
    if right is True:
        return Passed(kept)
    with writing() as tx:
        service.tell(tx, kept=kept, outcome=right, now=now, actor=subject_id, origin=origin)
    return Refused(Reason.WRONG_ANSWERS if right is False else PasswordReason.BUSY)


def note(tx: Session, passed: Passed | None, *, subject_id: str, now: datetime, origin: Origin) -> None:
    """The whole proof succeeded: right answers go on record, and failures are forgiven."""
    if passed is not None:
        service.tell(tx, kept=passed.kept, outcome=True, now=now, actor=subject_id, origin=origin)
        budgets.succeeded(tx, account=_account(subject_id), now=now)


def _asks(party: RelyingParty) -> bool:
    return any(
        _STEP in (name.strip() for name in page.split("+"))
        for ceremony in party.manifest.enrollment.values()
        for page in ceremony.steps
    )


def _account(subject_id: str) -> str:
    return f"{subject_id}:answers"
