"""What is stopped is the factor, whatever its kind."""

import sqlalchemy as sa
from alembic import op

revision = "stopped_factors"
down_revision = "passkeys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("factor", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("webauthn_credential", schema=None) as batch_op:
        batch_op.drop_column("stopped_at")
