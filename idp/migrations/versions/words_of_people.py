"""The words that a target's people are found by: a search reads whom it finds, and not everybody."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from idp.migrations.fences import WORD_FENCES

revision = "words_of_people"
down_revision = "brought_evidence"
branch_labels = None
depends_on = None

_WORD = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")
_KEY = sa.String(length=160).with_variant(sa.String(length=160, collation="C"), "postgresql")
_AT_ONCE = 1000
_BEGINS = re.compile(r"(?<![^\W_])(?=[^\W_])|(?=@)")
_NAMES = ("family_name", "given_name", "display_name", "user_id")


def upgrade() -> None:
    op.create_table(
        "affiliation_word",
        sa.Column("affiliation_id", sa.Uuid(), nullable=False),
        sa.Column("word", _WORD, nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("sort_key", _KEY, nullable=False),
        sa.Column("by_mail", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["affiliation_id"], ["affiliation.id"], name=op.f("fk_affiliation_word_affiliation_id")
        ),
        sa.PrimaryKeyConstraint("affiliation_id", "word", name=op.f("pk_affiliation_word")),
        sqlite_with_rowid=False,
    )
    _fill(op.get_bind())
    op.create_index(
        "ix_affiliation_word_in_order", "affiliation_word", ["target_id", "word", "sort_key", "affiliation_id"]
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in WORD_FENCES:
            op.execute(statement)


def _fill(connection: sa.Connection) -> None:
    """Python folds words the same on every database; `idp.affiliations.searching` keeps them so."""
    held = sa.table(
        "affiliation", sa.column("id", sa.Uuid()), sa.column("subject_id"), sa.column("target_id", sa.Uuid()),
        sa.column("sort_key"),
    )  # fmt: skip
    subject = sa.table("subject", sa.column("id"), *(sa.column(name) for name in (*_NAMES, "email")))
    word = sa.table(
        "affiliation_word", sa.column("affiliation_id", sa.Uuid()), sa.column("word"),
        sa.column("target_id", sa.Uuid()), sa.column("sort_key"), sa.column("by_mail", sa.Boolean()),
    )  # fmt: skip
    fields = (subject.c[name] for name in (*_NAMES, "email"))
    query = sa.select(held.c.id, held.c.target_id, held.c.sort_key, *fields).join(
        subject, subject.c.id == held.c.subject_id
    )
    query, after = query.order_by(held.c.id).limit(_AT_ONCE), None
    while True:
        page = connection.execute(query if after is None else query.where(held.c.id > after)).all()
        rows = [each for row in page for each in _rows(row)]
        if rows:
            connection.execute(sa.insert(word), rows)
        if len(page) < _AT_ONCE:
            return
        after = page[-1].id


def _rows(row: sa.Row[Any]) -> Iterator[dict[str, Any]]:
    known = {word for name in _NAMES for word in _beginnings(getattr(row, name))}
    for word in sorted(known | _beginnings(row.email)):
        yield {
            "affiliation_id": row.id, "word": word, "target_id": row.target_id, "sort_key": row.sort_key,
            "by_mail": word not in known,
        }  # fmt: skip


def _beginnings(text: str | None) -> set[str]:
    bare = unicodedata.normalize("NFKD", text or "").casefold()
    found: list[str] = []
    for token in "".join(letter for letter in bare if not unicodedata.combining(letter)).split():
        starts = sorted({0, *(at.start() for at in _BEGINS.finditer(token))})
        if "@" in token:
            last = token.rfind(".") + 1
            starts = [start for start in starts if start != last or last <= token.rfind("@")]
        found += [token[start : start + 64] for start in starts]
    return set(found[:16])
