"""A review of one target's people at one portal, and what was said of each of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id

_OPEN = text("closed_at IS NULL")


class AccessReview(Model):
    """Everybody who had access to a target through a portal when it began."""

    __tablename__ = "access_review"
    __table_args__ = (
        Index(
            "uq_access_review_open",
            "target_id",
            "portal",
            "registry",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_access_review_target", "target_id", "opened_at"),
        Index("ix_access_review_due", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    portal: Mapped[str] = mapped_column(String(64))
    registry_name: Mapped[str] = mapped_column("registry", String(32))
    target_kind: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[UUID]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """From then on nothing more is said; what was not kept ends."""
    reminders: Mapped[int] = mapped_column(default=0, server_default="0")
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[str | None] = mapped_column(String(64))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When everything that it decided was carried out."""


class ReviewItem(Model):
    """One person's access in a review: what it was, what of it is kept, who said so, what became of it."""

    __tablename__ = "review_item"
    __table_args__ = (
        UniqueConstraint("review_id", "affiliation_id"),
        CheckConstraint("outcome in ('kept', 'changed', 'ended', 'gone', 'last_manager')", name="outcome"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    review_id: Mapped[UUID] = mapped_column(ForeignKey("access_review.id"))
    affiliation_id: Mapped[UUID] = mapped_column(ForeignKey("affiliation.id"))
    target_id: Mapped[UUID]
    """The row fence's (SECURITY ruling 20)."""
    levels_before: Mapped[list[str]] = mapped_column(Json)
    levels_kept: Mapped[list[str] | None] = mapped_column(Json)
    """Those ticked; empty: the access is to end; none: nobody has said anything."""
    said_by: Mapped[str | None] = mapped_column(String(64))
    said_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
