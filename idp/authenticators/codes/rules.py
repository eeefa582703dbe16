"""What a code looks like, how one is read, and which telephones get any (MF-15). Pure."""

import re
import secrets
from datetime import timedelta
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from idp.vocabulary.refused import Refused

DIGITS: Final = 6
GOOD_FOR: Final = timedelta(minutes=10)
REGIONS: Final = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
"""Where people of these portals have their telephones; elsewhere lie the numbers that pay their owners."""
PREFIX: Final = 6
"""Digits after the + that count together: a block of numbers is one customer of somebody (MF-15)."""
_CODE: Final = re.compile(r"[0-9]{6}\Z", re.ASCII)
_TAKES_TEXT: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


class Reason(StrEnum):
    """Why no code was sent."""

    NO_NUMBER = "no_number"
    ELSEWHERE = "elsewhere"
    TOO_MANY_SENT = "too_many_sent"
    NO_MAILBOX = "no_mailbox"


def new_code() -> str:
    """Six digits, each as likely as any other."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def canonical(typed: str) -> str | None:
    """A typed code; only ASCII digits are one, blanks between them aside."""
    code = typed.replace(" ", "")
    return code if _CODE.match(code) else None


def mobile(text: str) -> str | Refused:
    """A telephone in E.164 form that a code may be sent to, or why not."""
    try:
        number = phonenumbers.parse(text[:40], "US")
    except phonenumbers.NumberParseException:
        return Refused(Reason.NO_NUMBER)
    if not phonenumbers.is_valid_number(number) or number.extension:
        return Refused(Reason.NO_NUMBER)
    if phonenumbers.region_code_for_number(number) not in REGIONS:
        return Refused(Reason.ELSEWHERE)
    if phonenumbers.number_type(number) not in _TAKES_TEXT:
        return Refused(Reason.NO_NUMBER)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
