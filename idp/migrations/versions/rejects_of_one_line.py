"""A run's refusals are numbered: many entries of a FHIR bundle may stand on one line, and each of them is kept."""

import sqlalchemy as sa
from alembic import op

revision = "rejects_of_one_line"
down_revision = "approved_requests"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("import_reject", schema=None) as batch_op:
        batch_op.add_column(sa.Column("number", sa.Integer(), nullable=True))
    op.execute("UPDATE import_reject SET number = line")
    with op.batch_alter_table("import_reject", schema=None) as batch_op:
        batch_op.alter_column("number", existing_type=sa.Integer(), nullable=False)
        batch_op.drop_constraint("pk_import_reject", type_="primary")
        batch_op.create_primary_key("pk_import_reject", ["run_id", "number"])
