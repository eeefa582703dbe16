"""A search of the roster within a state, or for a second word, reads the index of its words alone.

Until the new index stands, imports of a roster wait, and everything else goes on; the former one goes by a migration of its own,
since that lock is everybody's.
"""

from alembic import op

revision = "roster_words_alone"
down_revision = "seen_moments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_provider_word_pages", "provider_word", ["registry", "word", "name_key", "number", "state", "provider_id"]
    )
