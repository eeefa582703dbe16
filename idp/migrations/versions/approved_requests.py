"""An index of approved requests, which the sweep looks through for those whose invitation died with its approver."""

import sqlalchemy as sa
from alembic import op

revision = "approved_requests"
down_revision = "words_of_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("access_request", schema=None) as batch_op:
        batch_op.create_index(
            "ix_access_request_approved",
            ["decided_at"],
            unique=False,
            sqlite_where=sa.text("status = 'approved'"),
            postgresql_where=sa.text("status = 'approved'"),
        )
