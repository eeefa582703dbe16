"""NPI records of NPPES and FHIR; names found in order, and by words that are near; rejects kept for the console.

PostgreSQL's `pg_trgm` comes with Debian's server package and is a trusted extension: whoever may create in the database
may create it. Rows that the former release adds meanwhile have no `name_key`: they are found, but sort first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "npi_records"
down_revision = "remembered_devices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "name_word",
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column(
            "word", sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("scope", "word", name=op.f("pk_name_word")),
    )
    op.create_index(
        "ix_name_word_trigrams", "name_word", ["word"], postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}
    )

    op.create_table(
        "npi_record",
        sa.Column("npi", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("entity", sa.String(length=12), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "name_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("zip_code", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("enumerated_on", sa.Date(), nullable=True),
        sa.Column("updated_on", sa.Date(), nullable=True),
        sa.Column("deactivated_on", sa.Date(), nullable=True),
        sa.Column("reactivated_on", sa.Date(), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("npi", "source", name=op.f("pk_npi_record")),
    )
    op.create_table(
        "npi_word",
        sa.Column(
            "word", sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "name_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("npi", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.PrimaryKeyConstraint("word", "name_key", "npi", "source", name=op.f("pk_npi_word")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_reject",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("reasons", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name=op.f("fk_import_reject_run_id")),
        sa.PrimaryKeyConstraint("run_id", "line", name=op.f("pk_import_reject")),
    )
    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.add_column(sa.Column("npi_deactivated_on", sa.Date(), nullable=True))

    with op.batch_alter_table("provider_word", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "name_key",
                sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
                server_default="",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("state", sa.String(length=2), server_default="", nullable=False))

    op.execute(
        "UPDATE provider_word SET"
        " name_key = (SELECT name_key FROM provider WHERE provider.id = provider_word.provider_id),"
        " state = (SELECT state FROM provider WHERE provider.id = provider_word.provider_id)"
    )
    op.execute("INSERT INTO name_word (scope, word) SELECT DISTINCT registry, word FROM provider_word")
    op.create_index("ix_provider_word_sorted", "provider_word", ["registry", "word", "name_key", "provider_id"])
