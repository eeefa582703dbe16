"""The person's own row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id

_TO_WIPE = text("closed_at IS NOT NULL AND wiped_at IS NULL")


class Subject(Model):
    """A person with one account; `id` is the public `sub` (26 random base32 characters)."""

    __tablename__ = "subject"
    __table_args__ = (
        CheckConstraint("status in ('unverified', 'active', 'disabled')", name="status"),
        Index("ix_subject_to_wipe", "closed_at", sqlite_where=_TO_WIPE, postgresql_where=_TO_WIPE),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    """`unverified` until the mailbox is proven; `disabled` only by payer staff."""
    disabled_reason: Mapped[str | None] = mapped_column(String(500))
    epoch: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    user_id: Mapped[str | None] = mapped_column(String(64))
    """As the person typed it."""
    user_id_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Canonical form, by `idp.subjects.rules`."""
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    phone_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    given_name: Mapped[str | None] = mapped_column(String(80))
    family_name: Mapped[str | None] = mapped_column(String(80))
    display_name: Mapped[str | None] = mapped_column(String(160))
    locale: Mapped[str | None] = mapped_column(String(10))
    zoneinfo: Mapped[str | None] = mapped_column(String(64))
    profile: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """The other standard claims (OIDC Core §5.1) that the person gave: `middle_name`, `website`, `address` …"""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    factor_owed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When every factor was taken away as lost; one that is set up settles it."""
    merged_into: Mapped[str | None] = mapped_column(String(26))
    """The account that took this one's place; this one is disabled then, for ever."""
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its owner closed it; it is disabled from then on, and theirs to open again for a while."""
    wiped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When what is personal was deleted; nothing brings it back."""


class LegacyLogin(Model):
    """What a person signed in with at one portal before it was ours; good at that portal only."""

    __tablename__ = "legacy_login"

    portal: Mapped[str] = mapped_column(String(64), primary_key=True)
    """`client_id`; empty for a user ID of ours whose account was merged into another: good everywhere."""
    login_key: Mapped[str] = mapped_column(String(254), primary_key=True, index=True)
    """Canonical, by `idp.subjects.rules`: a user ID, or an e-mail address where the portal knew people by it."""
    login: Mapped[str] = mapped_column(String(254))
    """As it was written."""
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"), index=True)
    email_key: Mapped[str | None] = mapped_column(String(254))
    """The mailbox that the portal had for the person, proven or not; it proves nothing by itself."""
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FormerContact(Model):
    """An address or telephone that a person had until they changed it; theirs until the change can no longer be undone."""

    __tablename__ = "former_contact"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    """`email` or `phone`."""
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
