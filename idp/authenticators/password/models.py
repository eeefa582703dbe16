"""The stored password."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime


class PasswordCredential(Model):
    """One person's password: an argon2id digest in PHC form and which portals' policies it satisfied when typed."""

    __tablename__ = "password_credential"

    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(255))
    satisfies: Mapped[list[str]] = mapped_column(Json, default=list)
    """`client_id` of each portal whose policy the plaintext met at its last setting or typed entry (MODEL §4)."""
    must_change: Mapped[bool] = mapped_column(default=False)
    temporary_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
