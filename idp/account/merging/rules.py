"""Which other account may become part of this one. Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.authenticators.password.rules import Credential
from idp.subjects.rules import Status, SubjectFacts, email_key

REVIEW_FOR: Final = timedelta(minutes=10)
"""How long what will happen may be looked at; then both are proven again."""
MAILED_FOR: Final = timedelta(minutes=30)
"""The same, where the way to it was mailed."""


class Reason(StrEnum):
    """Why nothing was merged. The first is told alike for every reason that a stranger must not learn (SI-01)."""

    NOT_RIGHT = "not_right"
    SAME_ACCOUNT = "same_account"
    SECOND_FACTOR = "second_factor"
    ADDRESS_CHANGED = "address_changed"
    TEMPORARY_PASSWORD = "temporary_password"
    STAFF = "staff"
    NOT_FRESH = "not_fresh"
    OUTDATED = "outdated"
    TOO_MANY_MAILS = "too_many_mails"


def unfit(
    other: SubjectFacts | None,
    *,
    me: SubjectFacts,
    credential: Credential | None,
    right: bool,
    mailboxes: Collection[str | None],
    address_changed: bool,
    now: datetime,
) -> Reason | None:
    """`None` where the other account was proven and may be merged.

    `mailboxes` are those that portals had for the other account. It may be unproven only if its mailbox is the one
    that this person has proven: an old password alone never stands for an address (RC-19). While a change of its
    address can be undone, it stays: a merge would take the way back from whoever had the mailbox before (RC-15).
    """
    if other is None or credential is None or not right:
        return Reason.NOT_RIGHT
    if other.status is Status.DISABLED or (other.status is Status.UNVERIFIED and not _mine(me, mailboxes)):
        return Reason.NOT_RIGHT
    if credential.temporary_until is not None and now >= credential.temporary_until:
        return Reason.NOT_RIGHT
    if other.id == me.id:
        return Reason.SAME_ACCOUNT
    if credential.must_change:
        return Reason.TEMPORARY_PASSWORD
    return Reason.ADDRESS_CHANGED if address_changed else None


def mailbox_to_ask(other: SubjectFacts) -> bool:
    """Whether the other account's own mailbox must be asked too: a stolen password alone never takes an account for
    good, since nothing undoes a merge (RC-15).
    """
    return other.email is not None and other.email_verified_at is not None


def _mine(me: SubjectFacts, mailboxes: Collection[str | None]) -> bool:
    return me.email is not None and me.email_verified_at is not None and email_key(me.email) in mailboxes
