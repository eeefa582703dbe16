"""Browsers that people had remembered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime, new_id


class RememberedDevice(Model):
    """One person in one browser; the cookie's value is kept as SHA-256, and its selector is the row's id."""

    __tablename__ = "remembered_device"
    __table_args__ = (
        Index("ix_remembered_device_subject_used", "subject_id", "last_used_at"),
        Index("ix_remembered_device_former_digest", "former_digest"),
        Index("ix_remembered_device_expires_at", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    former_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of the value that came with the last use; good until the current one was used (RA-12)."""
    rotated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    remembered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    subject_epoch: Mapped[int]
    system_epoch: Mapped[int]
    user_agent: Mapped[str] = mapped_column(String(256))
    address: Mapped[str] = mapped_column(String(45))
