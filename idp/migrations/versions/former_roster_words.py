"""The index that searches of the roster read before is gone: last of all, since whoever searches waits for that lock."""

from alembic import op

revision = "former_roster_words"
down_revision = "told_by_roster"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_provider_word_in_order", table_name="provider_word", if_exists=True)
