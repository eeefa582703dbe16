"""When a worker last looked at its clock: a process that starts on one that went back knows better."""

import sqlalchemy as sa
from alembic import op

revision = "seen_moments"
down_revision = "how_imports_ended"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("system_state", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
