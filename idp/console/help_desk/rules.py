"""When a case is open, what makes a caller credible, and whom the help desk may shut out. Pure."""

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay, StaffRole

CASE_LIFE: Final = timedelta(minutes=30)
MOST_CHECKS: Final = 3
"""Tries at the caller's answers within one case."""
ENOUGH: Final = 2
"""Right answers that make a caller credible, none of the given ones wrong."""


class Reason(StrEnum):
    """Why a case is not opened, or something in it not done."""

    UNKNOWN_PERSON = "unknown_person"
    NO_REASON = "no_reason"
    SELF = "self"
    TOO_MANY = "too_many"
    CLOSED = "closed"
    NOT_CHECKED = "not_checked"
    CHECKED_OUT = "checked_out"
    WRONG_ANSWERS = "wrong_answers"
    IS_STAFF = "is_staff"
    UNCHANGED = "unchanged"
    NO_MAIL = "no_mail"
    NOT_STARTED = "not_started"


class Asked(StrEnum):
    """What a caller can be asked; staff type what they hear, and never see the right answer."""

    EMAIL = "email"
    PHONE = "phone_last4"
    NUMBER = "number"
    TAX_ID = "tin_last4"


@dataclass(frozen=True, slots=True)
class Case:
    """One call."""

    opened_by: str
    subject_id: str
    opened_at: datetime
    checks: int = 0
    checked_at: datetime | None = None


def may_use(case: Case, *, by: str, now: datetime) -> Refused | None:
    """Its opener's, within half an hour; anybody else's is as good as none."""
    if case.opened_by != by:
        return Refused(Reason.UNKNOWN_PERSON)
    return None if now - case.opened_at < CASE_LIFE else Refused(Reason.CLOSED)


def judge(given: Mapping[Asked, str], known: Mapping[Asked, Collection[str]]) -> tuple[tuple[Asked, ...], bool]:
    """Which answers are right, and whether together they are enough; a wrong one spoils the rest."""
    answers = {asked: text.strip().casefold() for asked, text in given.items() if text.strip()}
    right = tuple(asked for asked, text in answers.items() if _is_one_of(text, known.get(asked, ())))
    return right, len(right) >= ENOUGH and len(right) == len(answers)


def _is_one_of(text: str, known: Collection[str]) -> bool:
    return any(hmac.compare_digest(text.encode(), each.casefold().encode()) for each in known)


def may_check(case: Case) -> Refused | None:
    """Three tries a call."""
    return None if case.checks < MOST_CHECKS else Refused(Reason.CHECKED_OUT)


def may_disable(
    *, actor: str, subject_id: str, may: Collection[StaffMay], roles: Collection[StaffRole]
) -> Refused | None:
    """Anybody but oneself; colleagues only by an administrator, so that no help desk shuts out its auditors."""
    if actor == subject_id:
        return Refused(Reason.SELF)
    return Refused(Reason.IS_STAFF) if roles and StaffMay.CHANGE_STAFF not in may else None
