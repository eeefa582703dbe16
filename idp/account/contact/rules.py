"""What may become somebody's address or telephone, and how long its proof waits. Pure."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from idp.subjects.rules import email_key
from idp.vocabulary.refused import Refused

PROOF_FOR: Final = timedelta(hours=1)
"""How long the link to a new mailbox is good."""


class Reason(StrEnum):
    """Why nothing was changed."""

    BAD_EMAIL = "bad_email"
    SAME_EMAIL = "same_email"
    TOO_MANY = "too_many"
    ADDRESS_IN_USE = "address_in_use"
    DEAD_LINK = "dead_link"
    NOT_SIGNED_IN = "not_signed_in"
    OTHER_ACCOUNT = "other_account"
    BAD_PHONE = "bad_phone"
    PHONE_ELSEWHERE = "phone_elsewhere"
    SAME_PHONE = "same_phone"
    WRONG_CODE = "wrong_code"


def new_email(typed: str, *, now_has: str | None, proven: bool) -> str | Refused:
    """The address as it is kept, or why it cannot be the new one (RC-06)."""
    email = typed.strip()
    key = email_key(email)
    if isinstance(key, Refused):
        return Refused(Reason.BAD_EMAIL)
    if proven and now_has is not None and email_key(now_has) == key:
        return Refused(Reason.SAME_EMAIL)
    return email
