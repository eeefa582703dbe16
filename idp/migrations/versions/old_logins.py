"""Old logins of portals, and accounts that were merged into another: nothing that runs on the release before is touched.

`merged_into` has no foreign key: SQLite could only add one by copying the table of people.
"""

import sqlalchemy as sa
from alembic import op

revision = "old_logins"
down_revision = "site_key_and_questions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "legacy_login",
        sa.Column("portal", sa.String(length=64), nullable=False),
        sa.Column("login_key", sa.String(length=254), nullable=False),
        sa.Column("login", sa.String(length=254), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_legacy_login_subject_id")),
        sa.PrimaryKeyConstraint("portal", "login_key", name=op.f("pk_legacy_login")),
    )
    op.create_index(op.f("ix_legacy_login_login_key"), "legacy_login", ["login_key"])
    op.create_index(op.f("ix_legacy_login_subject_id"), "legacy_login", ["subject_id"])
    op.add_column("subject", sa.Column("merged_into", sa.String(length=26), nullable=True))
