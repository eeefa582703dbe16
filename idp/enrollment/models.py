"""One enrollment under way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id


class Enrollment(Model):
    """A ceremony that a browser has begun; all that was typed is sealed, and wiped when it ends."""

    __tablename__ = "enrollment"
    __table_args__ = (Index("ix_enrollment_browser", "browser_digest", "client_id", "ceremony"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(String(64))
    ceremony: Mapped[str] = mapped_column(String(48))
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the browser cookie; only the mailed link moves it to another browser."""
    subject_id: Mapped[str | None] = mapped_column(ForeignKey("subject.id"), index=True)
    """Whose it is, once a mailbox was proven or somebody signed in."""
    done: Mapped[list[str]] = mapped_column(Json, default=list)
    answers_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    outcome: Mapped[str | None] = mapped_column(String(32))
    """What came of it: `active`, `verification_pending`, `requested`, `strengthened`, or `left`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
