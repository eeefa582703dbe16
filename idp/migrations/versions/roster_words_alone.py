"""A search of the roster within a state, or for a second word, reads the index of its words alone.

Imports and searches go on while it is built; the former one goes by a migration of its own, whose lock is everybody's.
"""

from idp.migrations import beside

revision = "roster_words_alone"
down_revision = "seen_moments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    beside.create_index(
        "ix_provider_word_pages", "provider_word", ["registry", "word", "name_key", "number", "state", "provider_id"]
    )
