"""Phones that approve sign-ins, what they are asked, and the push messages owed to them."""

import sqlalchemy as sa
from alembic import op

revision = "push_phones"
down_revision = "engagement_staff"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "push_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("txn", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=True),
        sa.Column("browser", sa.String(length=128), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("factor_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_push_request_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_request")),
    )
    with op.batch_alter_table("push_request", schema=None) as batch_op:
        batch_op.create_index("ix_push_request_open", ["outcome", "expires_at"], unique=False)
        batch_op.create_index("ix_push_request_subject", ["subject_id", "created_at"], unique=False)

    op.create_table(
        "push_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("factor_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("last_error", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["factor_id"], ["factor.id"], name=op.f("fk_push_delivery_factor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["push_request.id"], name=op.f("fk_push_delivery_request_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_delivery")),
    )
    with op.batch_alter_table("push_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_push_delivery_due", ["done_at", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_push_delivery_factor_id"), ["factor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_push_delivery_request_id"), ["request_id"], unique=False)

    op.create_table(
        "push_phone",
        sa.Column("factor_id", sa.Uuid(), nullable=False),
        sa.Column("thumbprint", sa.String(length=43), nullable=False),
        sa.Column("x", sa.String(length=43), nullable=False),
        sa.Column("y", sa.String(length=43), nullable=False),
        sa.Column("last_call", sa.BigInteger(), nullable=False),
        sa.Column("subscription_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("push_kid", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["factor_id"], ["factor.id"], name=op.f("fk_push_phone_factor_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("factor_id", name=op.f("pk_push_phone")),
        sa.UniqueConstraint("thumbprint", name=op.f("uq_push_phone_thumbprint")),
    )
