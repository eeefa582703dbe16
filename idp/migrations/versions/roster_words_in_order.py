"""Words of the roster sort equal names by the payer's number, so that pages are the same on every database.

NPI records' words have their state in the key, which a search within a state then reads alone. The vocabulary's trigrams
wait in no list that every search would have to read.
"""

import sqlalchemy as sa
from alembic import op

revision = "roster_words_in_order"
down_revision = "stopped_factors"
branch_labels = None
depends_on = None

_NUMBER = sa.String(length=9).with_variant(sa.String(length=9, collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("provider_word", sa.Column("number", _NUMBER, server_default="", nullable=False))
    op.execute(
        "UPDATE provider_word SET"
        " number = (SELECT provider.provider_id FROM provider WHERE provider.id = provider_word.provider_id)"
    )
    op.drop_index("ix_provider_word_sorted", table_name="provider_word")
    op.create_index("ix_provider_word_in_order", "provider_word", ["registry", "word", "name_key", "number"])
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
