"""Who can be sent a letter, and how long its PIN is good (D2, MODEL §9)."""

import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from idp.directory.rules import in_force
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

PIN_ALPHABET: Final = "23456789ACDEFHJKLMNPRTWXYadehnrt"
"""Without 0 1 B G I O Q S U V Z and every small letter that looks like a digit, a capital or another one: a PIN is read
off paper, and its case counts (D2)."""
PIN_LENGTH: Final = 9
PIN_BITS: Final = PIN_LENGTH * math.log2(len(PIN_ALPHABET))
DEFAULT_DAYS: Final = 21
"""NIST SP 800-63A-4 §3.8: how long a code that travels by post may be good."""
MOST_DAYS: Final = 90


class Unsendable(StrEnum):
    """Why somebody asked for gets no letter."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    NOT_IN_FORCE = "not_in_force"
    TWICE = "twice"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Addressee:
    """A provider record as its letter needs it."""

    id: UUID
    provider_id: str
    name: str
    zip_codes: tuple[str, ...]
    state: str
    status: str
    effective_date: date
    end_date: date | None


@dataclass(frozen=True, slots=True)
class Span:
    """A letter's days; its PIN is good through the whole of the last one (UTC)."""

    issued_on: date
    expires_on: date

    @property
    def ends_at(self) -> datetime:
        return datetime.combine(self.expires_on + timedelta(days=1), time(), UTC)


@dataclass(frozen=True, slots=True)
class NewLetter:
    """A letter that is written and not issued yet."""

    id: UUID
    addressee: Addressee
    pin: Secret = field(repr=False)


def span_of(now: datetime, *, days: int) -> Span:
    """From today: `days` more."""
    issued_on = now.astimezone(UTC).date()
    return Span(issued_on, issued_on + timedelta(days=days))


def sendable(found: Addressee | None, *, on: date) -> Addressee | Refused:
    """Only a provider of the roster that counts today can use a letter."""
    if found is None:
        return Refused(Unsendable.UNKNOWN)
    return found if in_force(found, on) else Refused(Unsendable.NOT_IN_FORCE)
