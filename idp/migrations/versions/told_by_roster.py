"""An affiliation says whether its person was told that the roster suspended it, so that nobody reads the audit for it.

For those before, the audit is read once: the last that the roster did to them at a target.
"""

import json
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "told_by_roster"
down_revision = "stroked_letters"
branch_labels = None
depends_on = None

Told = dict[tuple[str, str, str], tuple[str, datetime]]
_event = sa.table(
    "audit_event", sa.column("type"), sa.column("at", sa.DateTime(timezone=True)), sa.column("stream"),
    sa.column("sequence"), sa.column("subject_id"), sa.column("target_kind"), sa.column("target_id"), sa.column("details"),
)  # fmt: skip
_held = sa.table(
    "affiliation", sa.column("id", sa.Uuid()), sa.column("subject_id"), sa.column("target_kind"),
    sa.column("target_id", sa.Uuid()), sa.column("status"), sa.column("roster_told_at", sa.DateTime(timezone=True)),
)  # fmt: skip


def upgrade() -> None:
    told = last_told(op.get_bind())
    op.add_column("affiliation", sa.Column("roster_told_at", sa.DateTime(timezone=True), nullable=True))
    fill(op.get_bind(), told)


def last_told(connection: sa.Connection) -> Told:
    """Read before the table is locked: the last that the roster did to anybody at a target, and when."""
    last: Told = {}
    its = _event.c
    query = (
        sa.select(its.subject_id, its.target_kind, its.target_id, its.details, its.at)
        .where(its.type == "affiliation_changed", sa.cast(its.details, sa.Text).like('%"roster"%'))
        .order_by(its.stream, its.sequence)
    )
    for row in connection.execute(query):
        details = row.details if isinstance(row.details, dict) else json.loads(row.details)
        if "roster" in details:
            last[row.subject_id, row.target_kind, row.target_id] = (details["after"], row.at)
    return last


def fill(connection: sa.Connection, told: Told) -> None:
    """Whose last word of the roster was that their access is suspended."""
    for (subject, kind, target), (after, at) in told.items():
        if after == "suspended":
            its = (_held.c.subject_id == subject, _held.c.target_kind == kind, _held.c.target_id == UUID(target))
            connection.execute(sa.update(_held).where(*its, _held.c.status == "active").values(roster_told_at=at))
