"""Who of a trading partner's staff works for which practice; and engagements that a manager ended for good."""

import sqlalchemy as sa
from alembic import op

revision = "engagement_staff"
down_revision = "access_reviews"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "engagement_staff",
        sa.Column("trading_partner_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("affiliation_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["affiliation_id"], ["affiliation.id"], name=op.f("fk_engagement_staff_affiliation_id")
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_engagement_staff_practice_id")),
        sa.ForeignKeyConstraint(
            ["trading_partner_id"], ["trading_partner.id"], name=op.f("fk_engagement_staff_trading_partner_id")
        ),
        sa.PrimaryKeyConstraint(
            "trading_partner_id", "practice_id", "affiliation_id", name=op.f("pk_engagement_staff")
        ),
    )
    with op.batch_alter_table("engagement_staff", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_engagement_staff_affiliation_id"), ["affiliation_id"], unique=False)

    with op.batch_alter_table("engagement", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ended_by", sa.String(length=64), nullable=True))
