"""Staff roles, and proposals of them; sessions remember a pause, after which who acts for others proves themselves."""

import sqlalchemy as sa
from alembic import op

revision = "staff_roles"
down_revision = "invitations_and_comments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("proposed_by", sa.String(length=26), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "role in ('registrar', 'help_desk', 'auditor', 'administrator')", name=op.f("ck_staff_proposal_role")
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["subject.id"], name=op.f("fk_staff_proposal_proposed_by")),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_staff_proposal_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_proposal")),
    )
    with op.batch_alter_table("staff_proposal", schema=None) as batch_op:
        batch_op.create_index(
            "uq_staff_proposal_open",
            ["subject_id", "role"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "staff_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=False),
        sa.Column("confirmed_by", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "role in ('registrar', 'help_desk', 'auditor', 'administrator')", name=op.f("ck_staff_role_role")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_staff_role_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_role")),
    )
    with op.batch_alter_table("staff_role", schema=None) as batch_op:
        batch_op.create_index(
            "uq_staff_role_now",
            ["subject_id", "role"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    with op.batch_alter_table("browser_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True))
