"""When a remembered device still counts, and when its cookie must be a copy. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

TABS: Final = timedelta(minutes=1)
"""How long after a use the former cookie may still come, from another tab of the same browser (RA-12)."""


class Recognised(StrEnum):
    """What a cookie says."""

    CURRENT = "current"
    OTHER_TAB = "other_tab"
    COPIED = "copied"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Device:
    """One remembered browser of one person."""

    id: UUID
    subject_id: str
    remembered_at: datetime
    last_used_at: datetime
    rotated_at: datetime
    expires_at: datetime
    subject_epoch: int
    system_epoch: int
    user_agent: str
    address: str


def recognised(device: Device, *, former: bool, subject_epoch: int, system_epoch: int, now: datetime) -> Recognised:
    """Whether the device counts; `former` says that the cookie is the one before its last use.

    A reset, a disabling or a restore moved an epoch and killed it (MF-21).
    """
    epochs = (device.subject_epoch, device.system_epoch)
    if now >= device.expires_at or epochs != (subject_epoch, system_epoch):
        return Recognised.DEAD
    if not former:
        return Recognised.CURRENT
    return Recognised.OTHER_TAB if now - device.rotated_at <= TABS else Recognised.COPIED
