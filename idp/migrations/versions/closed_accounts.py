"""Accounts that their owners closed, until what is personal is deleted."""

import sqlalchemy as sa
from alembic import op

revision = "closed_accounts"
down_revision = "offered_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("subject", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("wiped_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_subject_to_wipe",
            ["closed_at"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NOT NULL AND wiped_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NOT NULL AND wiped_at IS NULL"),
        )
