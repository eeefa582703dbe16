"""Affiliation with its evidence and levels (MODEL §1–§2)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp.foundation.database import Json, Model, UtcDateTime, new_id

SortKey = String(160).with_variant(String(160, collation="C"), "postgresql")
_NOT_ENDED = text("status <> 'ended'")
_PENDING = text("status = 'verification_pending'")
_ACTIVE = text("status = 'active'")
_MANAGING = text("account_manager AND status = 'active'")


class Affiliation(Model):
    """A person may act for a provider record, a practice or a trading partner of one registry."""

    __tablename__ = "affiliation"
    __table_args__ = (
        Index(
            "uq_affiliation_live",
            "subject_id",
            "registry",
            "target_kind",
            "target_id",
            unique=True,
            sqlite_where=_NOT_ENDED,
            postgresql_where=_NOT_ENDED,
        ),
        Index("ix_affiliation_target", "target_id", "registry"),
        Index("ix_affiliation_by_name", "target_id", "registry", "sort_key", "id"),
        Index("ix_affiliation_by_first", "target_id", "registry", "first_key", "id"),
        Index("ix_affiliation_by_login", "target_id", "registry", "login_key", "id"),
        Index("ix_affiliation_by_status", "target_id", "registry", "status", "sort_key", "id"),
        Index(
            "ix_affiliation_managers",
            "target_id",
            "registry",
            "status",
            sqlite_where=text("account_manager IS 1"),
            postgresql_where=text("account_manager IS true"),
        ),
        Index("ix_affiliation_pending", "created_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_affiliation_used", "last_used_at", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        Index(
            "ix_affiliation_unused",
            "target_id",
            "registry",
            "last_used_at",
            "activated_at",
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
        Index("ix_affiliation_activated", "activated_at", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        Index("ix_affiliation_managing", "registry", "target_id", sqlite_where=_MANAGING, postgresql_where=_MANAGING),
        CheckConstraint(
            "status in ('verification_pending', 'unverified', 'active', 'disabled', 'ended')", name="status"
        ),
        CheckConstraint("target_kind in ('provider', 'practice', 'trading_partner')", name="target_kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"))
    registry_name: Mapped[str] = mapped_column("registry", String(32))
    target_kind: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(String(24))
    disabled_by: Mapped[str | None] = mapped_column(String(16))
    """`manager`, `payer` or `dormant` while disabled."""
    account_manager: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The last interactive authorization under it (MODEL §9)."""
    warned: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many mails about not being used were sent since the last use (E6)."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    roster_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its person was told that the roster suspended it; none where that never was, or they were told that it is back."""
    epoch: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sort_key: Mapped[str] = mapped_column(SortKey, default="", server_default="")
    """The person's name as lists are ordered; `sorting` keeps it, and the two that follow."""
    first_key: Mapped[str] = mapped_column(SortKey, default="", server_default="")
    login_key: Mapped[str] = mapped_column(SortKey, default="", server_default="")

    evidence: Mapped[list["AffiliationEvidence"]] = relationship(lazy="selectin")
    levels: Mapped[list["HeldLevel"]] = relationship(lazy="selectin")


class AffiliationEvidence(Model):
    """One proof that an affiliation rests on."""

    __tablename__ = "affiliation_evidence"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    affiliation_id: Mapped[UUID] = mapped_column(ForeignKey("affiliation.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    portal: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str | None] = mapped_column(String(64))
    from_registry: Mapped[str | None] = mapped_column(String(32))
    """Brought from this other registry, where `portal` took it; it counts only at portals that accept that (MODEL §1)."""
    connection: Mapped[str | None] = mapped_column(String(64), index=True)
    """The upstream provider that says so; `source` then tells whom it spoke of, by which claims, and what that gave."""
    source: Mapped[dict[str, Any] | None] = mapped_column(Json)

    def tell(self, source: Mapping[str, Any] | None) -> None:
        """It was brought once, by a ceremony, from this source: it stays whatever is said there later."""
        if source is not None:
            self.connection = source["connection"]
            self.source = {**{k: v for k, v in source.items() if k != "connection"}, "brought": True}


class HeldLevel(Model):
    """One access level (role) of one portal's catalogue."""

    __tablename__ = "held_level"
    __table_args__ = (UniqueConstraint("affiliation_id", "portal", "level"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    affiliation_id: Mapped[UUID] = mapped_column(ForeignKey("affiliation.id"), index=True)
    portal: Mapped[str] = mapped_column(String(64))
    level: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str | None] = mapped_column(String(64))
