"""The words that a target's people are found by."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.affiliations.models import SortKey
from idp.affiliations.searching.rules import LONGEST
from idp.foundation.database import Model

Word = String(LONGEST).with_variant(String(LONGEST, collation="C"), "postgresql")


class AffiliationWord(Model):
    """One folded word of a person at one target; `keeping` keeps it in step with the person."""

    __tablename__ = "affiliation_word"
    __table_args__ = (
        Index("ix_affiliation_word_in_order", "target_id", "word", "sort_key", "affiliation_id"),
        {"sqlite_with_rowid": False},
    )

    affiliation_id: Mapped[UUID] = mapped_column(ForeignKey("affiliation.id"), primary_key=True)
    word: Mapped[str] = mapped_column(Word, primary_key=True)
    target_id: Mapped[UUID]
    sort_key: Mapped[str] = mapped_column(SortKey)
    by_mail: Mapped[bool]
    """Only the person's e-mail address has it."""
