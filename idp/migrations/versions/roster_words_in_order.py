"""Words of the roster sort equal names by the payer's number, so that pages are the same on every database."""

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
