"""Calls that staff took."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime, new_id


class HelpCase(Model):
    """One call: who took it, about whom, why, and whether the caller was credible."""

    __tablename__ = "help_case"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    opened_by: Mapped[str] = mapped_column(ForeignKey("subject.id"))
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"), index=True)
    reason: Mapped[str] = mapped_column(String(200))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    checks: Mapped[int] = mapped_column(default=0)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
