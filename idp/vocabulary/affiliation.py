"""The words of "acts for": kinds of target, statuses, and `Acting` itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from idp.vocabulary.assurance import Acr


class TargetKind(StrEnum):
    """What an affiliation points at."""

    PROVIDER = "provider"
    PRACTICE = "practice"
    TRADING_PARTNER = "trading_partner"


class AffiliationStatus(StrEnum):
    """Stored statuses (MODEL §10), and `suspended`, which is only ever read."""

    VERIFICATION_PENDING = "verification_pending"
    UNVERIFIED = "unverified"
    ACTIVE = "active"
    DISABLED = "disabled"
    ENDED = "ended"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Acting:
    """A person's proven right to do one kind of thing to one target (SECURITY D5, ruling 20).

    Made only by `idp.affiliations.authority`; taken by every call made for a manager, clerk, staff
    member or partner. Keyed by the target's internal id, never by its TIN.
    """

    subject_id: str
    registry: str
    target_kind: TargetKind
    target_id: UUID
    permission: str
    acr: Acr
    fresh_at: datetime
