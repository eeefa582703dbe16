"""Site keys, and challenge questions with the digests of their answers: two portals ask for them (A6, A7, D3)."""

import sqlalchemy as sa
from alembic import op

revision = "site_key_and_questions"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "challenge_question",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question_key", sa.String(length=40), nullable=True),
        sa.Column("question_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(length=255), nullable=False),
        sa.Column("case_sensitive", sa.Boolean(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(question_key is null) <> (question_sealed is null)", name=op.f("ck_challenge_question_one_question")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_challenge_question_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_question")),
        sa.UniqueConstraint("subject_id", "position", name=op.f("uq_challenge_question_subject_id_position")),
    )
    op.create_table(
        "site_key",
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("shown_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_site_key_subject_id")),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_site_key")),
    )
