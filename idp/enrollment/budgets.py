"""How often details may be held against the payer's file: by the number typed, by address, and in all (EN-01, EN-04)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.foundation import house, limiter
from idp.foundation.limiter import Budget
from idp.foundation.vault import blind_index
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused

NUMBER: Final = Budget(
    "enrollment_number",
    limit=10,
    window=timedelta(hours=1),
    lock_first=timedelta(minutes=15),
    lock_max=timedelta(hours=24),
)
"""For one Tax ID, provider ID or trading partner ID, whoever types it: its ZIP codes and names are soon walked through."""
ADDRESS: Final = Budget(
    "enrollment_address",
    limit=20,
    window=timedelta(hours=1),
    lock_first=timedelta(minutes=15),
    lock_max=timedelta(hours=24),
)
EVERYBODY: Final = Budget(
    "enrollment_everybody",
    limit=600,
    window=timedelta(minutes=10),
    lock_first=timedelta(seconds=30),
    lock_max=timedelta(minutes=5),
)
"""Brakes a walk from many addresses; short, since it brakes honest people too."""
_LONGEST: Final = 32


def reserve(tx: Session, numbers: Iterable[str], *, registry: str, address: str, now: datetime) -> Refused | None:
    """Count an attempt before anything is compared; commit it before that."""
    shared = ((EVERYBODY, "all"), (ADDRESS, limiter.network_of(address)))
    for budget, key in (*shared, *((NUMBER, _key(registry, number)) for number in numbers)):
        counted = limiter.reserve(tx, budget=budget, key=key, now=now)
        if isinstance(counted, Refused):
            return counted
    return None


def give_back(tx: Session, numbers: Iterable[str], *, registry: str, address: str, now: datetime) -> None:
    """The details matched: this attempt was no failure. Earlier ones stay: others of the same Tax ID may be walked."""
    shared = ((EVERYBODY, "all"), (ADDRESS, limiter.network_of(address)))
    for budget, key in (*shared, *((NUMBER, _key(registry, number)) for number in numbers)):
        limiter.give_back(tx, budget=budget, key=key, now=now)


def _key(registry: str, number: str) -> str:
    """Every spelling of one number gives one key, and the number itself is not kept (SI-06)."""
    spelled = "".join(filter(str.isalnum, number)).upper()[:_LONGEST]
    key = house.get(Keyring).index
    return blind_index(f"{registry} {spelled}", key=key, context="attempt_budget.enrollment_number").hex()
