"""Telephones that SMS codes go to, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "code_phones"
down_revision = "help_cases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code_phone",
        sa.Column("factor_id", sa.Uuid(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["factor_id"], ["factor.id"], name=op.f("fk_code_phone_factor_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("factor_id", name=op.f("pk_code_phone")),
    )
