"""Who of a trading partner's staff works for a practice."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime


class EngagementStaff(Model):
    """One person of the partner who is assigned to a practice; without any row for it, all of the staff are."""

    __tablename__ = "engagement_staff"

    trading_partner_id: Mapped[UUID] = mapped_column(ForeignKey("trading_partner.id"), primary_key=True)
    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practice.id"), primary_key=True)
    affiliation_id: Mapped[UUID] = mapped_column(ForeignKey("affiliation.id"), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(64))
