"""The stored questions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime, new_id


class ChallengeQuestion(Model):
    """One question of a person with the digest of its answer: a question of ours by its key, or their own, sealed."""

    __tablename__ = "challenge_question"
    __table_args__ = (
        UniqueConstraint("subject_id", "position"),
        CheckConstraint("(question_key is null) <> (question_sealed is null)", name="one_question"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"))
    position: Mapped[int]
    question_key: Mapped[str | None] = mapped_column(String(40))
    question_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(255))
    """argon2id in PHC form, of the answer as `rules.compared` makes it."""
    case_sensitive: Mapped[bool]
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
