"""Access that a manager offers to a known person, who is asked at the next sign-in (ruling 10)."""

import sqlalchemy as sa
from alembic import op

revision = "offered_access"
down_revision = "former_contacts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("at_sign_in", sa.Boolean(), server_default=sa.false(), nullable=False))
