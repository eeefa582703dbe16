"""Browsers that people had remembered: a digest of the cookie, for some days."""

import sqlalchemy as sa
from alembic import op

revision = "remembered_devices"
down_revision = "enrollment"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "remembered_device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("former_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remembered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_epoch", sa.Integer(), nullable=False),
        sa.Column("system_epoch", sa.Integer(), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_remembered_device_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remembered_device")),
        sa.UniqueConstraint("digest", name=op.f("uq_remembered_device_digest")),
    )
    with op.batch_alter_table("remembered_device", schema=None) as batch_op:
        batch_op.create_index("ix_remembered_device_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_remembered_device_former_digest", ["former_digest"], unique=False)
        batch_op.create_index("ix_remembered_device_subject_used", ["subject_id", "last_used_at"], unique=False)
