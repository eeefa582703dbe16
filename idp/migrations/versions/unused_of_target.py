"""Whose access to a target nobody has used for long, found by an index: the numbers on a manager's tabs read no further."""

import sqlalchemy as sa

from idp.migrations import beside

revision = "unused_of_target"
down_revision = "former_holders"
branch_labels = None
depends_on = None

_ACTIVE = sa.text("status = 'active'")


def upgrade() -> None:
    beside.create_index(
        "ix_affiliation_unused",
        "affiliation",
        ["target_id", "registry", "last_used_at", "activated_at"],
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    )
