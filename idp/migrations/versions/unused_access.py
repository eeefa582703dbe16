"""How often somebody was told that they do not use their access, and the indexes that find it (E6)."""

import sqlalchemy as sa
from alembic import op

revision = "unused_access"
down_revision = "npi_words_by_state"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("affiliation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("warned", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index(
            "ix_affiliation_activated",
            ["activated_at"],
            unique=False,
            sqlite_where=sa.text("status = 'active'"),
            postgresql_where=sa.text("status = 'active'"),
        )
        batch_op.create_index(
            "ix_affiliation_used",
            ["last_used_at"],
            unique=False,
            sqlite_where=sa.text("status = 'active'"),
            postgresql_where=sa.text("status = 'active'"),
        )
