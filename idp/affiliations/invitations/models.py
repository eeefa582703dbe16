"""Invitations as kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id


class Invitation(Model):
    """A manager lets somebody act for a target, as soon as they say yes."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index("ix_invitation_target", "target_id", "created_at"),
        Index("ix_invitation_presented_by", "presented_by"),
        CheckConstraint("target_kind in ('provider', 'practice', 'trading_partner')", name="target_kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    portal: Mapped[str] = mapped_column(String(64))
    registry_name: Mapped[str] = mapped_column("registry", String(32))
    target_kind: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[UUID]
    subject_id: Mapped[str | None] = mapped_column(ForeignKey("subject.id"), index=True)
    """The person, where it is for one whom we know."""
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    given_name: Mapped[str] = mapped_column(String(80))
    family_name: Mapped[str] = mapped_column(String(80))
    locale: Mapped[str] = mapped_column(String(16))
    zoneinfo: Mapped[str] = mapped_column(String(64))
    levels: Mapped[list[str]] = mapped_column(Json)
    """What it gives at the portal where the person has nothing there yet."""
    evidence: Mapped[str] = mapped_column(String(16))
    """What the manager's yes is worth."""
    invited_by: Mapped[str] = mapped_column(String(64), index=True)
    request_id: Mapped[UUID | None] = mapped_column(index=True)
    affiliation_id: Mapped[UUID | None] = mapped_column(index=True)
    """The affiliation that waits for it (*Send Registration Email*), or that it became."""
    at_sign_in: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The person is asked at their next sign-in, and needs no link for it (ruling 10)."""
    presented_by: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """The browser that showed the link's secret last."""
    presented_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
