"""What can happen to a provider record or a practice, as the rooms above are told of it (MODEL §10)."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class What(StrEnum):
    """What happened to a provider record, or to a practice."""

    ENDED = "provider_ended"
    RESTORED = "provider_restored"
    NPI_DEACTIVATED = "npi_deactivated"
    NPI_REACTIVATED = "npi_reactivated"
    NPI_CHANGED = "npi_changed"
    TIN_CHANGED = "tin_changed"
    ZIP_CHANGED = "zip_changed"
    PRACTICE_MERGED = "practice_merged"
    """Its last record went over to another practice."""
    PRACTICE_RETIRED = "practice_retired"
    """Its number passed to another owner, who is another practice (MODEL §10)."""
    PARTNER_ENDED = "partner_ended"
    PARTNER_RESTORED = "partner_restored"
    ENGAGEMENT_ENDED = "engagement_ended"
    """The roster names the practice no longer among those that the trading partner works for."""


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """One change. `provider_id` is `None` where a practice as a whole, or a trading partner, is meant."""

    what: What
    registry: str
    practice_id: UUID | None
    """The practice before the change; `None` where a trading partner as a whole is meant."""
    provider_id: UUID | None = None
    successor_id: UUID | None = None
    """The practice after it, where that is another one."""
    partner_id: UUID | None = None
    was_in_force: bool = True
    """Whether the record was, before the change."""
