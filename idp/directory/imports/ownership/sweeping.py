"""Parting, on the day, what was announced: reading says so already, this makes it durable and tells whom it concerns."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.directory.imports import owners, practices, turns
from idp.directory.imports.run import Report, Run
from idp.directory.rules import NATIONAL
from idp.directory.upstairs import Upstairs
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring


def part_due(tx: Session, *, now: datetime, batch: int) -> int:
    """Part a batch of practices whose number has passed on by its records' dates; says how many were judged."""
    if not owners.due(tx, now.date(), limit=1):
        return 0
    turns.take(tx)
    due = owners.due(tx, now.date(), limit=batch)
    if due:
        keyring, origin = house.get(Keyring), Origin.local("worker")
        report = Report("sweep", NATIONAL, dry_run=False)
        run = Run(NATIONAL, now, "system", origin, keyring.vault, keyring.index, False, report, lambda _reject: None)
        practices.settle(tx, owners.look_after(tx, due, [], run))
        house.get(Upstairs).tell(tx, tuple(run.changes), actor=run.actor, now=now, origin=origin)
    return len(due)
