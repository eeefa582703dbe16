"""Keeps each person's place and words at every target in step, in the transaction that changes them, whoever changes them.

It watches what is flushed and every statement that updates people, so that no room can forget it.
"""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Update, delete, event, insert, inspect, select, update
from sqlalchemy.orm import ORMExecuteState, Session

from idp.affiliations.models import Affiliation
from idp.affiliations.searching.models import AffiliationWord
from idp.affiliations.searching.rules import words_of
from idp.affiliations.sorting import keys_of
from idp.foundation.database import Writing, see_as
from idp.subjects.models import Subject

_TOUCHED: Final = "credence.words"
_NAMES: Final = ("family_name", "given_name", "display_name", "user_id")
_FIELDS: Final = frozenset((*_NAMES, "email"))
_MANY: Final = 400


def listen() -> None:
    """Once for the process."""
    if not event.contains(Writing, "after_flush", _notice):
        event.listen(Writing, "after_flush", _notice)
        event.listen(Writing, "do_orm_execute", _notice_statement)
        event.listen(Writing, "before_commit", _keep, insert=True)


def refresh(tx: Session, *, subject_id: str) -> None:
    """Wherever the person acts they are found at their place by their words; the fence is open for everything then."""
    _put(tx, Affiliation.subject_id == subject_id)


def _notice(tx: Session, _context: object) -> None:
    people, held = _touched(tx)
    for row in (*tx.new, *tx.dirty):
        match row:
            case Subject() if row not in tx.new and _changed(row, _FIELDS):
                people.add(row.id)
            case Affiliation() if row in tx.new or _changed(row, ("subject_id", "target_id")):
                held.add(row.id)


def _notice_statement(state: ORMExecuteState) -> None:
    """People whom a statement is about to change, before it changes by what they are found."""
    statement = state.statement
    mapper = state.bind_mapper
    if not isinstance(statement, Update) or mapper is None or mapper.class_ is not Subject:
        return
    if _FIELDS.isdisjoint(statement.compile().params):
        return
    whose = select(Subject.id)
    if statement.whereclause is not None:
        whose = whose.where(statement.whereclause)
    _touched(state.session)[0].update(state.session.scalars(whose))


def _touched(tx: Session) -> tuple[set[str], set[UUID]]:
    touched: tuple[set[str], set[UUID]] = tx.info.setdefault(_TOUCHED, (set(), set()))
    return touched


def _changed(row: object, fields: Iterable[str]) -> bool:
    attributes = inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in fields)


def _keep(tx: Session) -> None:
    if tx.in_nested_transaction():
        return
    tx.flush()
    people, held = tx.info.pop(_TOUCHED, ((), ()))
    for some in _some(people):
        _put(tx, Affiliation.subject_id.in_(some))
    for some in _some(held):
        _put(tx, Affiliation.id.in_(some))


def _some(identities: Iterable[Any]) -> Iterable[list[Any]]:
    ordered = sorted(identities)
    return (ordered[start : start + _MANY] for start in range(0, len(ordered), _MANY))


def _put(tx: Session, which: ColumnElement[bool]) -> None:
    """Read the people as they are now, held until the commit: a change beside this one waits, and then sees these rows."""
    see_as(tx, everything=True)
    rows = tx.execute(
        select(
            Affiliation.id, Affiliation.target_id, Affiliation.sort_key, Affiliation.first_key, Affiliation.login_key,
            *(getattr(Subject, name) for name in _NAMES), Subject.email,
        )
        .join(Subject, Subject.id == Affiliation.subject_id)
        .where(which)
        .with_for_update(read=True, of=Subject)
    ).all()  # fmt: skip
    keys = {row.id: keys_of(row.family_name, row.given_name, row.display_name, row.user_id) for row in rows}
    for row in rows:
        if any(getattr(row, column) != key for column, key in keys[row.id].items()):
            tx.execute(update(Affiliation).where(Affiliation.id == row.id).values(**keys[row.id]))
    words = [
        {
            "affiliation_id": row.id, "word": word, "target_id": row.target_id, "sort_key": keys[row.id]["sort_key"],
            "by_mail": by_mail,
        }
        for row in rows
        for word, by_mail in sorted(words_of((getattr(row, name) for name in _NAMES), email=row.email).items())
    ]  # fmt: skip
    tx.execute(delete(AffiliationWord).where(AffiliationWord.affiliation_id.in_(list(keys))))
    if words:
        tx.execute(insert(AffiliationWord), words)
