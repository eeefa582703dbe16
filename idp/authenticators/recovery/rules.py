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


def why_no_reset(subject: SubjectFacts | None, *, has_password: bool, had_password_elsewhere: bool) -> Reason | None:
    """`None` where a link may be mailed: an active person with a proven mailbox and a password already (RC-14).

    Who came from another portal, whose hash did not come along, had a password there and may set it anew.
    """
    if subject is None:
        return Reason.NOBODY
    if subject.status is not Status.ACTIVE:
        return Reason.NOT_ACTIVE
    if subject.email is None or subject.email_verified_at is None:
        return Reason.NO_MAILBOX
    return None if has_password or had_password_elsewhere else Reason.NO_PASSWORD


def may_prove_mailbox(subject: SubjectFacts | None, *, has_password: bool) -> bool:
    """Whether a link to prove the mailbox is mailed instead: to who has a password to type at it, and needs to."""
    return subject is not None and subject.status is Status.UNVERIFIED and subject.email is not None and has_password


def why_no_reminder(subject: SubjectFacts | None, *, user_id: str | None) -> Reason | None:
    """`None` where the user ID may be mailed."""
    if subject is None:
        return Reason.NOBODY
    if subject.status is not Status.ACTIVE:
        return Reason.NOT_ACTIVE
    if subject.email is None or subject.email_verified_at is None:
        return Reason.NO_MAILBOX
    return None if user_id else Reason.NO_USER_ID


def link_is_current(*, issued_epoch: object, issued_email: object, subject: SubjectFacts) -> bool:
    """A link dies with what it was made for: a changed password or e-mail, a disabled person (RC-01)."""
    return issued_epoch == subject.epoch and issued_email == subject.email and subject.status is Status.ACTIVE
