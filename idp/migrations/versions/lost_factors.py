"""Recoveries of people who lost every factor, and who owes a new one after it (RC-22)."""

import sqlalchemy as sa
from alembic import op

revision = "lost_factors"
down_revision = "standing_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "factor_recovery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=True),
        sa.Column("started_by", sa.String(length=16), nullable=False),
        sa.Column("started_actor", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailbox_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("browser_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("evidence", sa.String(length=16), nullable=True),
        sa.Column("evidence_by", sa.String(length=64), nullable=True),
        sa.Column("vouched_for", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_factor_recovery_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor_recovery")),
    )
    with op.batch_alter_table("factor_recovery", schema=None) as batch_op:
        batch_op.create_index("ix_factor_recovery_browser", ["browser_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_factor_recovery_subject_id"), ["subject_id"], unique=False)
        batch_op.create_index(
            "ix_factor_recovery_untold",
            ["opens_at"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL AND told_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL AND told_at IS NULL"),
        )
        batch_op.create_index(
            "uq_factor_recovery_under_way",
            ["subject_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    with op.batch_alter_table("subject", schema=None) as batch_op:
        batch_op.add_column(sa.Column("factor_owed_at", sa.DateTime(timezone=True), nullable=True))
