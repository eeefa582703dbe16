"""Yearly reviews of access, what managers say in them, and an index of managers by which they become due."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from idp.migrations.fences import REVIEW_FENCES

revision = "access_reviews"
down_revision = "connection_trials"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")
_MANAGING = sa.text("account_manager AND status = 'active'")


def upgrade() -> None:
    op.create_table(
        "access_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal", sa.String(length=64), nullable=False),
        sa.Column("registry", sa.String(length=32), nullable=False),
        sa.Column("target_kind", sa.String(length=16), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminders", sa.Integer(), server_default="0", nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.String(length=64), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_review")),
    )
    op.create_index("ix_access_review_due", "access_review", ["due_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_access_review_target", "access_review", ["target_id", "opened_at"])
    op.create_index(
        "uq_access_review_open",
        "access_review",
        ["target_id", "portal", "registry"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )

    op.create_table(
        "review_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("affiliation_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("levels_before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("levels_kept", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("said_by", sa.String(length=64), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "outcome in ('kept', 'changed', 'ended', 'gone', 'last_manager')", name=op.f("ck_review_item_outcome")
        ),
        sa.ForeignKeyConstraint(["affiliation_id"], ["affiliation.id"], name=op.f("fk_review_item_affiliation_id")),
        sa.ForeignKeyConstraint(["review_id"], ["access_review.id"], name=op.f("fk_review_item_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_item")),
        sa.UniqueConstraint("review_id", "affiliation_id", name=op.f("uq_review_item_review_id_affiliation_id")),
    )
    op.create_index(
        "ix_affiliation_managing",
        "affiliation",
        ["registry", "target_id"],
        sqlite_where=_MANAGING,
        postgresql_where=_MANAGING,
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in REVIEW_FENCES:
            op.execute(statement)
