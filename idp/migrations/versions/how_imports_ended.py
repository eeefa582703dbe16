"""An import says how it ended and at which line: done, a bad file, declined, interrupted or failed.

Of those before, what was told is no more than that they finished: `outcome` stays empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "how_imports_ended"
down_revision = "unused_of_target"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outcome", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("stopped_line", sa.Integer(), nullable=True))
