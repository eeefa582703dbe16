"""A search of the roster within a program reads the index of its words alone, as one within a state does.

Imports and searches go on while the words learn their record's program, some at a time, and while the index is built: a word
that does not know is found in either program, and the record decides.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from idp.migrations import beside

revision = "roster_words_by_program"
down_revision = "former_roster_words"
branch_labels = None
depends_on = None

_AT_ONCE = 5_000
_provider = sa.table("provider", sa.column("id", sa.Uuid()), sa.column("programs"))
_word = sa.table(
    "provider_word", sa.column("registry"), sa.column("word"), sa.column("provider_id", sa.Uuid()), sa.column("program")
)


def upgrade() -> None:
    learned = sa.Column("program", sa.SmallInteger(), server_default="1", nullable=False)
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("provider_word", learned, if_not_exists=True)
        with op.get_context().autocommit_block():
            fill(op.get_bind())
    else:
        op.add_column("provider_word", learned)
        fill(op.get_bind())
    beside.create_index(
        "ix_provider_word_found",
        "provider_word",
        ["registry", "word", "name_key", "number", "state", "program", "provider_id"],
    )


def fill(connection: sa.Connection) -> None:
    """Tell the words of records in one program only; those that somebody changes meanwhile are told by them, or not at all."""
    step = sa.select(_provider.c.id).order_by(_provider.c.id).limit(_AT_ONCE)
    some = connection.execute(step).scalars().all()
    while some:
        these = _provider.c.id.between(some[0], some[-1])
        for program, place in (("medicaid", 0), ("medicare", 2)):
            connection.execute(_told(these, program, place))
        some = connection.execute(step.where(_provider.c.id > some[-1])).scalars().all()


def _told(these: sa.ColumnElement[bool], program: str, place: int) -> sa.Update:
    join = _word.join(_provider, _provider.c.id == _word.c.provider_id)
    key: tuple[Any, ...] = (_word.c.registry, _word.c.word, _word.c.provider_id)
    free = sa.select(*key).select_from(join).where(these, _provider.c.programs == program, _word.c.program != place)
    free = free.with_for_update(of=_word, skip_locked=True)
    return sa.update(_word).where(sa.tuple_(*key).in_(free)).values(program=place)
