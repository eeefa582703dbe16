"""Where a page of a list begins: people are read by one key, what happened by another. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Key:
    """Where a page begins: after this name and row."""

    name: str
    affiliation_id: UUID

    def pack(self) -> str:
        return f"{self.affiliation_id.hex}{self.name}"

    @classmethod
    def unpack(cls, text: str) -> "Key | None":
        """`None` for anything that no page of ours has sent (AD-24)."""
        try:
            return cls(text[32:232], UUID(hex=text[:32])) if len(text) >= 32 else None
        except ValueError:
            return None


class Moment(NamedTuple):
    """Where a page begins: beyond what happened then, and this row."""

    at: datetime
    id: UUID

    def pack(self) -> str:
        return f"{self.at.isoformat()}~{self.id.hex}"

    @classmethod
    def unpack(cls, text: str) -> "Moment | None":
        """`None` for anything that no page of ours has sent (AD-24)."""
        moment, _tilde, identity = text[:80].partition("~")
        try:
            at = datetime.fromisoformat(moment)
            return cls(at.astimezone(UTC), UUID(hex=identity)) if at.tzinfo is not None else None
        except (ValueError, OverflowError):
            return None
