"""Which people a list shows, and what each act will do. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from idp.affiliations.listing import Key as Key
from idp.vocabulary.affiliation import AffiliationStatus

A_PAGE = 25


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


def sort_of(text: str) -> Sort:
    """The order asked for; anything else is by last name (AD-24)."""
    return Sort(text) if text in set(Sort) else Sort.LAST_NAME


def filter_of(text: str) -> Filter:
    """The tab asked for; anything else is all."""
    return Filter(text) if text in set(Filter) else Filter.ALL
