"""How many names have a common word: counted as the next import ends, and nothing until then."""

import sqlalchemy as sa
from alembic import op

revision = "common_words"
down_revision = "last_look"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("name_word", sa.Column("names", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_name_word_common",
        "name_word",
        ["scope", "word"],
        sqlite_where=sa.text("names > 0"),
        postgresql_where=sa.text("names > 0"),
    )
