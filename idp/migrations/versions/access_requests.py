"""Access requests, fenced by row as affiliations are; claims that wait for verification are found by their age."""

import sqlalchemy as sa
from alembic import op

from idp.migrations.fences import REQUEST_FENCES

revision = "access_requests"
down_revision = "pin_letter_batches"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal", sa.String(length=64), nullable=False),
        sa.Column("registry", sa.String(length=32), nullable=False),
        sa.Column("target_kind", sa.String(length=16), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.String(length=26), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("given_name", sa.String(length=80), nullable=False),
        sa.Column("family_name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.String(length=80), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("extension", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("zoneinfo", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("decision_reason", sa.String(length=500), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("affiliation_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "status in ('pending', 'approved', 'denied', 'withdrawn', 'closed')", name=op.f("ck_access_request_status")
        ),
        sa.CheckConstraint(
            "target_kind in ('provider', 'practice', 'trading_partner')", name=op.f("ck_access_request_target_kind")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_access_request_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_request")),
    )
    with op.batch_alter_table("access_request", schema=None) as batch_op:
        batch_op.create_index(
            "ix_access_request_open",
            ["submitted_at"],
            unique=False,
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )
        batch_op.create_index("ix_access_request_practice", ["practice_id", "status", "submitted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_access_request_subject_id"), ["subject_id"], unique=False)
        batch_op.create_index("ix_access_request_target", ["target_id", "status", "submitted_at"], unique=False)
        batch_op.create_index(
            "uq_access_request_open",
            ["email_key", "registry", "target_kind", "target_id"],
            unique=True,
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )

    with op.batch_alter_table("affiliation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_affiliation_pending",
            ["created_at"],
            unique=False,
            sqlite_where=sa.text("status = 'verification_pending'"),
            postgresql_where=sa.text("status = 'verification_pending'"),
        )

    if op.get_bind().dialect.name == "postgresql":
        for statement in REQUEST_FENCES:
            op.execute(statement)
