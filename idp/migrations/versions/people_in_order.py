"""A target's people in the order of their names, by an index: a page of 100,000 is read and no more."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "people_in_order"
down_revision = "push_phones"
branch_labels = None
depends_on = None

_KEY = sa.String(length=160).with_variant(sa.String(length=160, collation="C"), "postgresql")
_AT_ONCE = 1000


def upgrade() -> None:
    op.add_column("affiliation", sa.Column("sort_key", _KEY, server_default="", nullable=False))
    _fill(op.get_bind())
    op.create_index("ix_affiliation_by_name", "affiliation", ["target_id", "registry", "sort_key", "id"])
    op.create_index("ix_affiliation_by_status", "affiliation", ["target_id", "registry", "status", "sort_key", "id"])
    op.create_index(
        "ix_affiliation_managers",
        "affiliation",
        ["target_id", "registry", "status"],
        sqlite_where=sa.text("account_manager IS 1"),
        postgresql_where=sa.text("account_manager IS true"),
    )


def _fill(connection: sa.Connection) -> None:
    """Python folds names the same on every database; `idp.affiliations.sorting` keeps them so."""
    affiliation = sa.table("affiliation", sa.column("subject_id"), sa.column("sort_key"))
    names = ("family_name", "given_name", "display_name", "user_id")
    subject = sa.table("subject", sa.column("id"), *(sa.column(name) for name in names))
    after = ""
    set_key = (
        sa.update(affiliation)
        .where(affiliation.c.subject_id == sa.bindparam("who"))
        .values(sort_key=sa.bindparam("key"))
    )
    while True:
        page = connection.execute(
            sa.select(subject).where(subject.c.id > after).order_by(subject.c.id).limit(_AT_ONCE)
        ).all()
        if not page:
            return
        connection.execute(set_key, [{"who": row.id, "key": _key(row)} for row in page])
        after = page[-1].id


def _key(row: sa.Row[tuple[str, ...]]) -> str:
    text = " ".join(part for part in (row.family_name or row.display_name, row.given_name) if part)
    folded = unicodedata.normalize("NFKD", text or row.user_id or "").casefold()
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return " ".join(bare.split())[:160]
