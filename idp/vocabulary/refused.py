"""An expected "no" is a value: `Refused(reason)`, never an exception and never `None`."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something was not done.

    `reason` is a member of the `StrEnum` of the room that refuses; its value is what the audit
    keeps, and the room's `words.py` holds the one sentence that people read for it.
    """

    reason: StrEnum
