"""Evidence that was brought from another registry names it."""

import sqlalchemy as sa
from alembic import op

revision = "brought_evidence"
down_revision = "inviters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("affiliation_evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("from_registry", sa.String(length=32), nullable=True))
