"""What people hold beside their password; what proves each one stands in its kind's own table."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id


class HeldFactor(Model):
    """One passkey, authenticator app, phone or mailbox that proves a person."""

    __tablename__ = "factor"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    """What the person calls it."""
    gives: Mapped[list[str]] = mapped_column(Json)
    """The classes that proving it adds to a session."""
    amr: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """A copy of it may be about: it is taken no more, but a second factor is owed all the same."""
