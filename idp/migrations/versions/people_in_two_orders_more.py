"""A target's people by first name and by user ID too, each by an index (D6)."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "people_in_two_orders_more"
down_revision = "roster_pages_in_order"
branch_labels = None
depends_on = None

_KEY = sa.String(length=160).with_variant(sa.String(length=160, collation="C"), "postgresql")
_AT_ONCE = 1000


def upgrade() -> None:
    for column in ("first_key", "login_key"):
        op.add_column("affiliation", sa.Column(column, _KEY, server_default="", nullable=False))
    _fill(op.get_bind())
    op.create_index("ix_affiliation_by_first", "affiliation", ["target_id", "registry", "first_key", "id"])
    op.create_index("ix_affiliation_by_login", "affiliation", ["target_id", "registry", "login_key", "id"])


def _fill(connection: sa.Connection) -> None:
    """Python folds names the same on every database; `idp.affiliations.sorting` keeps them so."""
    affiliation = sa.table("affiliation", sa.column("subject_id"), sa.column("first_key"), sa.column("login_key"))
    subject = sa.table("subject", sa.column("id"), sa.column("given_name"), sa.column("user_id"))
    after = ""
    set_keys = (
        sa.update(affiliation)
        .where(affiliation.c.subject_id == sa.bindparam("who"))
        .values(first_key=sa.bindparam("first"), login_key=sa.bindparam("login"))
    )
    while True:
        page = connection.execute(
            sa.select(subject).where(subject.c.id > after).order_by(subject.c.id).limit(_AT_ONCE)
        ).all()
        if not page:
            return
        connection.execute(
            set_keys, [{"who": row.id, "first": _folded(row.given_name), "login": _folded(row.user_id)} for row in page]
        )
        after = page[-1].id


def _folded(text: str | None) -> str:
    letters = unicodedata.normalize("NFKD", text or "").casefold()
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(bare.split())[:160]
