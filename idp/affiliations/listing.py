"""Where a page of a target's people begins: every list of them is read by the same key. Pure."""

from dataclasses import dataclass
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
