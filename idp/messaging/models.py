"""The outbox."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime, new_id


class OutboxMessage(Model):
    """One message owed to one recipient."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "done_at", "due_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[str] = mapped_column(String(8))
    """`email` or `sms`."""
    notice: Mapped[str] = mapped_column(String(48))
    """Which template: `templates/notices/<notice>.{txt,html}`."""
    subject_id: Mapped[str | None] = mapped_column(String(64), index=True)
    payload_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Recipient, brand, locale and context, sealed; NULL once delivered or dead."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    """Raised when a worker leases the row, so that its number tells whose lease it is."""
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    """`delivered` or `dead`."""
    last_error: Mapped[str | None] = mapped_column(String(200))
