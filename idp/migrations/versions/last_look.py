"""When a browser last asked for a page: a portal that refreshes its tokens keeps a session, and nobody has looked."""

import sqlalchemy as sa
from alembic import op

revision = "last_look"
down_revision = "roster_words_before_programs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("browser_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
