"""The next day on which a provider record begins or ceases to be in force is noted, so that a sweep finds it without a walk.

Imports and searches go on while it is filled in, some records at a time, and while the index is built. What somebody changes
meanwhile learns its day from the next file that names it.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

from idp.foundation import clock
from idp.migrations import beside

revision = "days_to_come"
down_revision = "payers_directories"
branch_labels = None
depends_on = None

_AT_ONCE = 5_000
_NEVER = date.max
_KNOWN = sa.text("turns_on IS NOT NULL")
_days = ("effective_date", "end_date", "npi_deactivated_on", "turns_on")
_provider = sa.table(
    "provider", sa.column("id", sa.Uuid()), sa.column("status"), *(sa.column(name, sa.Date()) for name in _days)
)


def upgrade() -> None:
    day = sa.Column("turns_on", sa.Date(), nullable=True)
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("provider", day, if_not_exists=True)
        with op.get_context().autocommit_block():
            fill(op.get_bind(), today=clock.now().date())
    else:
        op.add_column("provider", day)
        fill(op.get_bind(), today=clock.now().date())
    beside.create_index(
        "ix_provider_turns", "provider", ["turns_on", "id"], sqlite_where=_KNOWN, postgresql_where=_KNOWN
    )


def fill(connection: sa.Connection, *, today: date) -> None:
    """Note the days after today, and none of records that somebody is changing."""
    step = sa.select(_provider.c.id).order_by(_provider.c.id).limit(_AT_ONCE)
    some = connection.execute(step).scalars().all()
    while some:
        its = _provider.c
        to_come = sa.or_(its.effective_date > today, its.end_date > today, its.npi_deactivated_on > today)
        free = sa.select(its.id).where(its.id.between(some[0], some[-1]), to_come, its.turns_on.is_(None))
        these = free.with_for_update(skip_locked=True)
        connection.execute(sa.update(_provider).where(its.id.in_(these)).values(turns_on=_next_turn(today)))
        some = connection.execute(step.where(its.id > some[-1])).scalars().all()


def _next_turn(today: date) -> sa.ColumnElement[date]:
    its = _provider.c
    listed, counts = sa.func.coalesce(its.end_date, _NEVER), sa.func.coalesce(its.npi_deactivated_on, _NEVER)
    ends = sa.case((listed < counts, listed), else_=counts)
    return sa.case(
        (sa.and_(its.end_date.is_(None), its.status != "active"), None),
        (ends <= its.effective_date, None),
        (its.effective_date > today, its.effective_date),
        (sa.and_(ends > today, ends < _NEVER), ends),
        else_=None,
    )
