"""NPI records' words have their state in the key: a search within a state reads nothing but the index.

And the vocabulary's trigrams wait in no list that every search would have to read through.
"""

import sqlalchemy as sa
from alembic import op

revision = "npi_words_by_state"
down_revision = "staff_roles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX ix_name_word_trigrams SET (fastupdate = off)")
        op.execute("ALTER TABLE npi_word DROP CONSTRAINT pk_npi_word")
        op.create_primary_key("pk_npi_word", "npi_word", ["word", "name_key", "npi", "source", "state"])
        return
    op.rename_table("npi_word", "former_npi_word")
    op.create_table(
        "npi_word",
        sa.Column("word", sa.String(length=64), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("npi", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.PrimaryKeyConstraint("word", "name_key", "npi", "source", "state", name="pk_npi_word"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO npi_word SELECT word, name_key, npi, source, state FROM former_npi_word")
    op.drop_table("former_npi_word")
