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
        run = as_the_worker(now)
        practices.settle(tx, owners.look_after(tx, due, [], run))
        house.get(Upstairs).tell(tx, tuple(run.changes), actor=run.actor, now=now, origin=run.origin)
    return len(due)


def as_the_worker(now: datetime) -> Run:
    """For what a day brings about, of whatever registry, without any file."""
    keyring, report = house.get(Keyring), Report("sweep", NATIONAL, dry_run=False)
    origin = Origin.local("worker")
    return Run(NATIONAL, now, "system", origin, keyring.vault, keyring.index, False, report, lambda _reject: None)
