"""What the rooms above this one do when the directory changes, handed in by `create_app`.

Affiliations stand above the directory and are not imported here; whatever hangs on a record or a practice hears of its
change in the same transaction: what it does is committed with the change or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from idp.directory.changed import DirectoryChange
from idp.foundation.origin import Origin


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
