"""Recoveries of lost factors, those that ended too: people are shown what was begun in their name."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime, new_id


class FactorRecovery(Model):
    """One recovery; a person has at most one that has not ended."""

    __tablename__ = "factor_recovery"
    __table_args__ = (
        Index(
            "uq_factor_recovery_under_way",
            "subject_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_factor_recovery_browser", "browser_digest"),
        Index(
            "ix_factor_recovery_untold",
            "opens_at",
            sqlite_where=text("ended_at IS NULL AND told_at IS NULL"),
            postgresql_where=text("ended_at IS NULL AND told_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"), index=True)
    client_id: Mapped[str | None] = mapped_column(String(64))
    """The portal where it was started: whose name its mails bear."""
    started_by: Mapped[str] = mapped_column(String(16))
    """The person, a manager, the help desk, an administrator."""
    started_actor: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the link to go on was last owed."""
    mailbox_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When that link was used, in the browser of `browser_digest`."""
    browser_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    evidence: Mapped[str | None] = mapped_column(String(16))
    """`manager`: who started it vouches for the place `vouched_for`; `payer`: staff have seen what proves the person."""
    evidence_by: Mapped[str | None] = mapped_column(String(64))
    vouched_for: Mapped[UUID | None]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    """`removed`, or why nothing was: `stopped` by the mailed link, `proven` by a factor, `refused` by staff, `expired`."""
