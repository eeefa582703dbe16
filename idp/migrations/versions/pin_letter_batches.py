"""Letters know the batch they were printed in, and when a newer one ended them."""

import sqlalchemy as sa
from alembic import op

revision = "pin_letter_batches"
down_revision = "old_logins"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("pin_letter") as batch_op:
        batch_op.add_column(sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("batch_id", sa.Uuid(), nullable=True))
        batch_op.create_index("ix_pin_letter_batch_id", ["batch_id"], unique=False)
