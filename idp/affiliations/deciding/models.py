"""What managers did with a person and wrote about them (E9)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime, new_id


class Comment(Model):
    """One line of a person's history at a target: an act, or somebody's words."""

    __tablename__ = "comment"
    __table_args__ = (UniqueConstraint("affiliation_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    affiliation_id: Mapped[UUID] = mapped_column(ForeignKey("affiliation.id"))
    target_id: Mapped[UUID]
    """The row fence's: only who acts for this target sees it (SECURITY ruling 20)."""
    number: Mapped[int]
    action: Mapped[str] = mapped_column(String(24))
    """`comment`, or the act that was done."""
    text: Mapped[str] = mapped_column(String(200))
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
