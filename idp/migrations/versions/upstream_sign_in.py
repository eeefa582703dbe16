"""Connections as applied, whom they link, what arrived of them; and how a sign-in waits for its first half from upstream."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "upstream_sign_in"
down_revision = "code_phones"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connection",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("document", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("texts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_connection")),
    )
    op.create_table(
        "upstream_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("shown_as", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_upstream_link_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstream_link")),
        sa.UniqueConstraint("connection", "issuer", "subject", name=op.f("uq_upstream_link_connection_issuer_subject")),
    )
    with op.batch_alter_table("upstream_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_upstream_link_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "upstream_arrival",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("txn", sa.Uuid(), nullable=False),
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("sid", sa.String(length=255), nullable=True),
        sa.Column("identity_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("hint_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["browser_session.id"], name=op.f("fk_upstream_arrival_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstream_arrival")),
    )
    with op.batch_alter_table("upstream_arrival", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_upstream_arrival_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_upstream_arrival_session_id"), ["session_id"], unique=False)
        batch_op.create_index("ix_upstream_arrival_txn", ["txn"], unique=False)
        batch_op.create_index("ix_upstream_arrival_whose", ["connection", "subject"], unique=False)

    with op.batch_alter_table("sign_in_transaction", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("pending_proof", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
        )
        batch_op.add_column(sa.Column("upstream", sa.String(length=16), nullable=True))
