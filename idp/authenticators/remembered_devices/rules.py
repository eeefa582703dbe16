"""When a remembered device still counts, and when its cookie must be a copy. Pure."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from idp.vocabulary.secret import Secret

TABS: Final = timedelta(minutes=1)
"""How long after a use the former cookie may still come, from another tab of the same browser (RA-12)."""


_SELECTED: Final = re.compile(r"([0-9a-f]{32})~[A-Za-z0-9_-]{43}\Z", re.ASCII)


class Which(StrEnum):
    """Which of a device's secrets came with its selector."""

    CURRENT = "current"
    """The one that was handed out last; nobody has used it yet, for a use replaces it."""
    FORMER = "former"
    """The one whose use brought the current one."""
    OLDER = "older"
    """Any other: one that was good before the former, or none that ever was."""


class Recognised(StrEnum):
    """What a cookie says."""

    CURRENT = "current"
    OTHER_TAB = "other_tab"
    ANSWER_LOST = "answer_lost"
    COPIED = "copied"
    DEAD = "dead"


COUNTING: Final = frozenset({Recognised.CURRENT, Recognised.OTHER_TAB, Recognised.ANSWER_LOST})


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


def new_value(device_id: UUID) -> Secret:
    """A fresh value: the device's lasting selector, so that each of its former values still leads to it; and a secret."""
    return Secret(f"{device_id.hex}~{secrets.token_urlsafe(32)}")


def selector(value: Secret) -> UUID | None:
    """Which device a value names, whatever its secret is; `None` for values of before there were selectors."""
    found = _SELECTED.match(value.reveal())
    return UUID(hex=found[1]) if found else None


def recognised(device: Device, *, which: Which, subject_epoch: int, system_epoch: int, now: datetime) -> Recognised:
    """Whether the device counts, by the secret that came.

    A reset, a disabling or a restore moved an epoch and killed it (MF-21). The former secret stays good until the one
    that its use brought has been used: the answer may have been lost on the way, and nobody is accused for that. It is
    answered with another new one, which leaves the unused one good for nothing. So two who hold one cookie cannot both
    go on: whoever comes second brings a secret that is older, however often the first one came meanwhile (RA-12).
    """
    epochs = (device.subject_epoch, device.system_epoch)
    if now >= device.expires_at or epochs != (subject_epoch, system_epoch):
        return Recognised.DEAD
    match which:
        case Which.CURRENT:
            return Recognised.CURRENT
        case Which.FORMER:
            return Recognised.OTHER_TAB if now - device.rotated_at <= TABS else Recognised.ANSWER_LOST
        case Which.OLDER:
            return Recognised.COPIED
