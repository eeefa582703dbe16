"""An index for *who could act for this number on that day*: how access stands is read per target and person."""

import sqlalchemy as sa
from alembic import op

revision = "standing_access"
down_revision = "upstream_sign_in"
branch_labels = None
depends_on = None

_STANDS = sa.text("type = 'affiliation_stands'")


def upgrade() -> None:
    op.create_index(
        "ix_audit_event_stands",
        "audit_event",
        ["target_id", "subject_id"],
        sqlite_where=_STANDS,
        postgresql_where=_STANDS,
    )
