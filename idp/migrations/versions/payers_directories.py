"""An NPI record says which payer's FHIR directory it is from: PostgreSQL makes room for the name without writing a row anew."""

import sqlalchemy as sa
from alembic import op

revision = "payers_directories"
down_revision = "common_words"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("npi_record", "npi_word"):
            op.alter_column(table, "source", existing_type=sa.String(8), type_=sa.String(40), existing_nullable=False)
