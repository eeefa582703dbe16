"""The index that searches of the roster read before is gone: last of all, since whoever searches waits for that lock."""

from alembic import op

revision = "roster_words_before_programs"
down_revision = "roster_words_by_program"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_provider_word_pages", table_name="provider_word", if_exists=True)
