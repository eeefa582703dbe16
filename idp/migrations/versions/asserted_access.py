"""Evidence that an upstream provider gave names its connection and tells the source."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "asserted_access"
down_revision = "rejects_of_one_line"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("affiliation_evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("connection", sa.String(length=64), nullable=True))
        batch_op.add_column(
            sa.Column("source", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
        )
        batch_op.create_index(batch_op.f("ix_affiliation_evidence_connection"), ["connection"], unique=False)
