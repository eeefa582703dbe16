"""Which people a list shows, and what each act will do. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from idp.affiliations.listing import Key as Key
from idp.vocabulary.affiliation import AffiliationStatus

A_PAGE: Final = 25
MOST_COUNTED: Final = 1000
"""People are counted no further, and told as *1,000+* from there on."""


class Filter(StrEnum):
    """The list's tabs, in their order; *Verification Pending* stands first (E3)."""

    VERIFICATION_PENDING = "verification_pending"
    ALL = "all"
    ACTIVE = "active"
    UNVERIFIED = "unverified"
    DISABLED = "disabled"
    SUSPENDED = "suspended"


class Sort(StrEnum):
    """What the list is ordered by (D6)."""

    LAST_NAME = "last_name"
    FIRST_NAME = "first_name"
    USER_NAME = "user_name"


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the list."""

    affiliation_id: UUID
    subject_id: str
    name: str
    email: str
    user_id: str
    first_name: str
    last_name: str
    status: AffiliationStatus
    account_manager: bool
    """At this portal, now: a mark that it does not accept makes nobody one."""
    levels: tuple[str, ...]
    last_sign_in_at: datetime | None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are, exactly up to `MOST_COUNTED`."""

    number: int
    more: bool = False

    @classmethod
    def of(cls, parts: Iterable[int]) -> "Count":
        """Of counts that were each stopped beyond the bound."""
        counted = sum(parts)
        return cls(min(counted, MOST_COUNTED), more=counted > MOST_COUNTED)


def sort_of(text: str) -> Sort:
    """The order asked for; anything else is by last name (AD-24)."""
    return Sort(text) if text in set(Sort) else Sort.LAST_NAME


def filter_of(text: str) -> Filter:
    """The tab asked for; anything else is all."""
    return Filter(text) if text in set(Filter) else Filter.ALL
