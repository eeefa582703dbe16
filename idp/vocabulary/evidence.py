"""What an affiliation rests on: the kinds of evidence and their order (MODEL §1)."""

from enum import StrEnum
from typing import Final


class Evidence(StrEnum):
    """`self` < `directory` < `letter` = `manager` < `payer`."""

    SELF = "self"
    DIRECTORY = "directory"
    LETTER = "letter"
    MANAGER = "manager"
    PAYER = "payer"

    @property
    def strength(self) -> int:
        """Rank for comparison; letter and manager weigh the same."""
        return _STRENGTH[self]

    def suffices(self, least: "Evidence") -> bool:
        """Whether this evidence is at least as strong as `least`."""
        return self.strength >= least.strength


_STRENGTH: Final = {Evidence.SELF: 0, Evidence.DIRECTORY: 1, Evidence.LETTER: 2, Evidence.MANAGER: 2, Evidence.PAYER: 3}
