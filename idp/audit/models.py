"""Events and the heads of their chains."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id

_STANDS = text("type = 'affiliation_stands'")


class AuditEvent(Model):
    """Who did what, for whom, to what, with which outcome, from where."""

    __tablename__ = "audit_event"
    __table_args__ = (
        UniqueConstraint("stream", "sequence"),
        Index("ix_audit_event_subject_at", "subject_id", "at"),
        Index("ix_audit_event_target_at", "target_id", "at"),
        Index("ix_audit_event_type_at", "type", "at"),
        Index(
            "ix_audit_event_stands",
            "target_id",
            "subject_id",
            sqlite_where=_STANDS,
            postgresql_where=_STANDS,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    stream: Mapped[int]
    sequence: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    type: Mapped[str] = mapped_column(String(48))
    outcome: Mapped[str] = mapped_column(String(48))
    """`ok`, or the reason of the refusal."""
    actor: Mapped[str] = mapped_column(String(64))
    """Subject id, `client:<id>`, `staff:<id>`, `cli:<the machine's user>` or `system`."""
    subject_id: Mapped[str | None] = mapped_column(String(64))
    client_id: Mapped[str | None] = mapped_column(String(64))
    target_kind: Mapped[str | None] = mapped_column(String(24))
    target_id: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Before → after and the like; never a secret, never a full TIN."""
    address: Mapped[str] = mapped_column(String(45))
    session_digest: Mapped[str | None] = mapped_column(String(16))
    request_id: Mapped[str | None] = mapped_column(String(36))
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditHead(Model):
    """The end of one stream's chain; sixteen rows, made by the migration."""

    __tablename__ = "audit_head"

    stream: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(default=0)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
