"""Rows that exist from the start, and what the database itself refuses."""

import sqlalchemy as sa
from alembic import op

from idp.migrations.fences import AUDIT_TRIGGERS, EPOCH_VIEW, ROW_FENCES

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("INSERT INTO system_state (id, epoch) VALUES (1, 1)")
    op.execute("INSERT INTO clients_version (id, version) VALUES (1, 1)")
    head = sa.table(
        "audit_head",
        sa.column("stream", sa.Integer),
        sa.column("sequence", sa.Integer),
        sa.column("hash", sa.LargeBinary),
    )
    op.bulk_insert(head, [{"stream": stream, "sequence": 0, "hash": bytes(32)} for stream in range(16)])
    op.execute(EPOCH_VIEW)
    postgres = op.get_bind().dialect.name == "postgresql"
    for statement in ROW_FENCES if postgres else AUDIT_TRIGGERS:
        op.execute(statement)
