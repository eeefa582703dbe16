"""Whose number a practice's was, when each record came to it, and from which day on it is another owner's (MODEL §10)."""

import sqlalchemy as sa
from alembic import op

revision = "former_holders"
down_revision = "people_in_two_orders_more"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "former_holder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("registry", sa.String(length=32), nullable=False),
        sa.Column("npi", sa.String(length=10), nullable=False),
        sa.Column(
            "name_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("went_to", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_former_holder_practice_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_former_holder_provider_id")),
        sa.ForeignKeyConstraint(["went_to"], ["practice.id"], name=op.f("fk_former_holder_went_to")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_holder")),
    )
    with op.batch_alter_table("former_holder", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_former_holder_practice_id"), ["practice_id"], unique=False)

    with op.batch_alter_table("practice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("passes_on", sa.Date(), nullable=True))
        batch_op.create_index(batch_op.f("ix_practice_passes_on"), ["passes_on"], unique=False)

    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.add_column(sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True))
