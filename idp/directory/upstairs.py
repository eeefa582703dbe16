"""What the rooms above this one do when the directory changes, handed in by `create_app`.

Affiliations stand above the directory and are not imported here; whatever hangs on a record or a practice hears of its
change in the same transaction: what it does is committed with the change or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from idp.foundation.origin import Origin


class What(StrEnum):
    """What happened to a provider record, or to a practice."""

    ENDED = "provider_ended"
    RESTORED = "provider_restored"
    NPI_DEACTIVATED = "npi_deactivated"
    NPI_REACTIVATED = "npi_reactivated"
    NPI_CHANGED = "npi_changed"
    TIN_CHANGED = "tin_changed"
    ZIP_CHANGED = "zip_changed"
    PRACTICE_MERGED = "practice_merged"
    """Its last record went over to another practice."""
    PRACTICE_RETIRED = "practice_retired"
    """Its number passed to another owner, who is another practice (MODEL §10)."""


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """One change. `provider_id` is `None` where a practice as a whole is meant."""

    what: What
    registry: str
    practice_id: UUID
    """The practice before the change."""
    provider_id: UUID | None = None
    successor_id: UUID | None = None
    """The practice after it, where that is another one."""


class Subscriber(Protocol):
    """Told once a batch, in its transaction; raising undoes the batch."""

    def __call__(
        self, tx: Session, changes: Sequence[DirectoryChange], *, actor: str, now: datetime, origin: Origin
    ) -> object: ...


@dataclass(frozen=True, slots=True)
class Upstairs:
    """Furnished once by `create_app`."""

    subscribers: tuple[Subscriber, ...] = ()

    def tell(
        self, tx: Session, changes: Sequence[DirectoryChange], *, actor: str, now: datetime, origin: Origin
    ) -> None:
        """Every subscriber hears of every change, in the order of the file."""
        if not changes:
            return
        for subscriber in self.subscribers:
            subscriber(tx, changes, actor=actor, now=now, origin=origin)
