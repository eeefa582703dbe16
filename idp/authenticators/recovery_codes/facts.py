"""How many recovery codes are left to a person."""

from datetime import datetime

from idp.foundation import artefacts
from idp.foundation.artefacts import Kind
from idp.foundation.database import Rows


def left(tx: Rows, *, subject_id: str, now: datetime) -> int:
    """Codes that were not used; zero where none were ever made."""
    return artefacts.count_open(tx, kind=Kind.RECOVERY_CODE, subject_id=subject_id, now=now)
