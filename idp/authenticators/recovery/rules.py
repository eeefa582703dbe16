"""Who may recover, and how often anybody may ask. Pure."""

from enum import StrEnum
from typing import Final

from idp.subjects.rules import Status, SubjectFacts

ASKED_AN_HOUR: Final = 5
"""Mails that one account is sent within an hour, however often it is asked for (RC-13, RX-10)."""


class Reason(StrEnum):
    """Why nothing was mailed or nothing was reset; the page says the same in every case of asking."""

    NOBODY = "nobody"
    NOT_ACTIVE = "not_active"
    NO_PASSWORD = "no_password"
    NO_USER_ID = "no_user_id"
    NO_MAILBOX = "no_mailbox"
    TOO_MANY = "too_many"
    DEAD_LINK = "dead_link"


def why_no_reset(subject: SubjectFacts | None, *, has_password: bool) -> Reason | None:
    """`None` where a link may be mailed: an active person with a proven mailbox and a password already (RC-14)."""
    if subject is None:
        return Reason.NOBODY
    if subject.status is not Status.ACTIVE:
        return Reason.NOT_ACTIVE
    if subject.email is None or subject.email_verified_at is None:
        return Reason.NO_MAILBOX
    return None if has_password else Reason.NO_PASSWORD


def why_no_reminder(subject: SubjectFacts | None) -> Reason | None:
    """`None` where the user ID may be mailed."""
    if subject is None:
        return Reason.NOBODY
    if subject.status is not Status.ACTIVE:
        return Reason.NOT_ACTIVE
    if subject.email is None or subject.email_verified_at is None:
        return Reason.NO_MAILBOX
    return None if subject.user_id else Reason.NO_USER_ID


def link_is_current(*, issued_epoch: object, issued_email: object, subject: SubjectFacts) -> bool:
    """A link dies with what it was made for: a changed password or e-mail, a disabled person (RC-01)."""
    return issued_epoch == subject.epoch and issued_email == subject.email and subject.status is Status.ACTIVE
