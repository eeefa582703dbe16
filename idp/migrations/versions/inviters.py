"""Find what a manager has invited when their right to invite ends."""

from alembic import op

revision = "inviters"
down_revision = "people_in_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_invited_by"), ["invited_by"], unique=False)
