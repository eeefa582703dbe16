"""Calls that staff took: about whom, why, and whether the caller was credible."""

import sqlalchemy as sa
from alembic import op

revision = "help_cases"
down_revision = "unused_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "help_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.String(length=26), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["opened_by"], ["subject.id"], name=op.f("fk_help_case_opened_by")),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_help_case_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_case")),
    )
    with op.batch_alter_table("help_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_help_case_subject_id"), ["subject_id"], unique=False)
