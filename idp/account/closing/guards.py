"""What else keeps an account open: rooms above know, and each registers its question when it is imported."""

from collections.abc import Callable
from typing import Final

from sqlalchemy.orm import Session

Question = Callable[[Session, str], bool]
"""Whether this person cannot leave now."""
_staff: Final[list[Question]] = []


def register(question: Question) -> None:
    """Have `question` asked before an account is closed."""
    if question not in _staff:
        _staff.append(question)


def is_staff(tx: Session, *, subject_id: str) -> bool:
    """Whether the person serves the payer: their roles are taken by two administrators first (MODEL §7)."""
    return any(question(tx, subject_id) for question in _staff)
