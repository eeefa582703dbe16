"""The words of "acts for": kinds of target, statuses, and `Acting` itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from idp.vocabulary.assurance import Acr
from idp.vocabulary.staff import actor_of


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


class Permission(StrEnum):
    """What an `Acting` is good for."""

    MANAGE = "manage"
    KEEP = "keep"
    """What the payer's registrar may do with a target's people (MODEL §7)."""


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

    @property
    def of_payer(self) -> bool:
        """Whether a registrar acts, and not a manager."""
        return self.permission == Permission.KEEP

    @property
    def by(self) -> str:
        """How the audit and a person's history name whoever acts."""
        return actor_of(self.subject_id) if self.of_payer else self.subject_id
