"""When a phone may be rung, what its answer comes to, and what an enrolment code looks like. Pure."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from idp.vocabulary.refused import Refused

CODE_LIFE: Final = timedelta(minutes=10)
"""To find the phone, scan, and confirm on the other screen."""
REQUEST_LIFE: Final = timedelta(seconds=120)
APPROVAL_LIFE: Final = timedelta(minutes=2)
"""How long the page that asked may take to pick an approval up."""
STOP_AFTER: Final = 3
STOPPED_FOR: Final = timedelta(hours=1)
NUMBERS: Final = range(10, 100)
"""Two digits, none of them a leading zero that somebody would leave out."""
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without what looks like something else (0 O, 1 I L)."""
CODE_LENGTH: Final = 12
"""59 bits: nobody guesses one in its ten minutes."""
_TYPED_NUMBER: Final = re.compile(r"[0-9]{2}\Z", re.ASCII)


class Reason(StrEnum):
    """Why a phone was not added, not asked, or did not sign anybody in."""

    BAD_CODE = "bad_code"
    NO_PHONE_YET = "no_phone_yet"
    TAKEN = "taken"
    UNKNOWN_PHONE = "unknown_phone"
    BAD_CALL = "bad_call"
    BAD_SUBSCRIPTION = "bad_subscription"
    NOT_WAITING = "not_waiting"
    NOT_ASKED = "not_asked"
    WAITING = "waiting"
    WAITING_ELSEWHERE = "waiting_elsewhere"
    STOPPED = "stopped"
    NOT_APPROVED = "not_approved"
    UNANSWERED = "unanswered"
    GONE = "gone"
    TRY_LATER = "try_later"


class Outcome(StrEnum):
    """How a request ended."""

    APPROVED = "approved"
    DENIED = "denied"
    DISOWNED = "disowned"
    WRONG_NUMBER = "wrong_number"
    UNANSWERED = "unanswered"


class Decision(StrEnum):
    """What the person pressed on the phone."""

    APPROVE = "approve"
    DENY = "deny"
    NOT_ME = "not_me"


@dataclass(frozen=True, slots=True)
class Phone:
    """An enrolled phone and whose it is."""

    factor_id: UUID
    subject_id: str
    name: str
    thumbprint: str
    x: str
    y: str
    last_call: int
    is_subscribed: bool
    push_kid: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as stored."""

    id: UUID
    subject_id: str
    txn: UUID
    number: int
    client_id: str | None
    browser: str
    address: str
    created_at: datetime
    expires_at: datetime
    outcome: Outcome | None
    factor_id: UUID | None

    def waits(self, *, now: datetime) -> bool:
        return self.outcome is None and now < self.expires_at

    def is_overdue(self, *, now: datetime) -> bool:
        return self.outcome is None and now >= self.expires_at


def may_ask(before: Sequence[Asked], *, txn: UUID, now: datetime) -> Refused | None:
    """Whether a phone may be rung for this sign-in; `before` are the person's newest requests, newest first (MF-17)."""
    if any(each.waits(now=now) and each.txn != txn for each in before):
        return Refused(Reason.WAITING_ELSEWHERE)
    if any(each.waits(now=now) for each in before):
        return Refused(Reason.WAITING)
    return Refused(Reason.STOPPED) if in_peace(before, now=now) else None


def in_peace(before: Sequence[Asked], *, now: datetime) -> bool:
    """Whether the last three came to nothing, the newest less than an hour ago."""
    last = [each for each in before if not each.waits(now=now)][:STOP_AFTER]
    if len(last) < STOP_AFTER or any(each.outcome is Outcome.APPROVED for each in last):
        return False
    return now - last[0].created_at < STOPPED_FOR


def outcome_of(decision: Decision, *, typed: str, number: int) -> Outcome:
    """What an answer comes to; an approval with another number is none, and there is no second try."""
    match decision:
        case Decision.DENY:
            return Outcome.DENIED
        case Decision.NOT_ME:
            return Outcome.DISOWNED
        case Decision.APPROVE:
            right = bool(_TYPED_NUMBER.match(typed)) and int(typed) == number
            return Outcome.APPROVED if right else Outcome.WRONG_NUMBER


def new_number() -> int:
    """The number that the sign-in page shows."""
    return NUMBERS[secrets.randbelow(len(NUMBERS))]


def new_code() -> str:
    """An enrolment code."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def spoken(code: str) -> str:
    """The code in groups of four, for typing it in."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def canonical(typed: str) -> str | None:
    """A typed code: blanks, hyphens and case aside."""
    code = typed.upper().replace(" ", "").replace("-", "")
    return code if len(code) == CODE_LENGTH and set(code) <= set(_ALPHABET) else None


def thumbprint_input(x: str, y: str) -> bytes:
    """What a key's thumbprint is the SHA-256 of (RFC 7638 §3.2)."""
    return f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()


def check_digits(thumbprint: str) -> str:
    """Six digits that both screens show: whoever photographed the QR code has others."""
    number = int.from_bytes(sha256(thumbprint.encode()).digest()[:8], "big") % 1_000_000
    return f"{number // 1000:03} {number % 1000:03}"
