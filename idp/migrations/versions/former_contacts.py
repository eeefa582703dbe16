"""Addresses and telephones that people changed, for as long as the change can be undone (RC-15, RA-08)."""

import sqlalchemy as sa
from alembic import op

revision = "former_contacts"
down_revision = "lost_factors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "former_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_former_contact_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_contact")),
    )
    with op.batch_alter_table("former_contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_former_contact_email_key"), ["email_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_former_contact_subject_id"), ["subject_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_former_contact_until"), ["until"], unique=False)
