"""The stored site key."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime


class SiteKey(Model):
    """One person's picture and phrase, sealed together: it must be shown again."""

    __tablename__ = "site_key"

    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"), primary_key=True)
    shown_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
