"""Access requests as kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime, new_id
from idp.keyring import resealing

_PENDING = text("status = 'pending'")
_APPROVED = text("status = 'approved'")


class AccessRequest(Model):
    """Somebody's wish to act for a target, awaiting an account manager."""

    __tablename__ = "access_request"
    __table_args__ = (
        Index(
            "uq_access_request_open",
            "email_key",
            "registry",
            "target_kind",
            "target_id",
            unique=True,
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        Index("ix_access_request_target", "target_id", "status", "submitted_at"),
        Index("ix_access_request_practice", "practice_id", "status", "submitted_at"),
        Index("ix_access_request_open", "submitted_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_access_request_approved", "decided_at", sqlite_where=_APPROVED, postgresql_where=_APPROVED),
        CheckConstraint("status in ('pending', 'approved', 'denied', 'withdrawn', 'closed')", name="status"),
        CheckConstraint("target_kind in ('provider', 'practice', 'trading_partner')", name="target_kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    portal: Mapped[str] = mapped_column(String(64))
    registry_name: Mapped[str] = mapped_column("registry", String(32))
    target_kind: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[UUID]
    practice_id: Mapped[UUID | None]
    """The target's practice, whose managers may decide too."""
    subject_id: Mapped[str | None] = mapped_column(ForeignKey("subject.id"), index=True)
    """The requester, where they were signed in; an e-mail address alone makes nobody a person we know."""
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    given_name: Mapped[str] = mapped_column(String(80))
    family_name: Mapped[str] = mapped_column(String(80))
    position: Mapped[str] = mapped_column(String(80))
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    extension: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(500))
    locale: Mapped[str] = mapped_column(String(16))
    zoneinfo: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16), default="pending")
    cause: Mapped[str | None] = mapped_column(String(16))
    """Of a denial: `manager` or `unanswered`."""
    decision_reason: Mapped[str | None] = mapped_column(String(500))
    decided_by: Mapped[str | None] = mapped_column(String(64))
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the payer was told, since nobody manages the target."""
    reminders: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    affiliation_id: Mapped[UUID | None]
    """What it became, once closed."""


def phone_context(identity: UUID) -> str:
    """Where a sealed telephone number stands."""
    return f"access_request.phone:{identity}"


resealing.register("access_request.phone", resealing.of_column(AccessRequest.phone_sealed, context=phone_context))
