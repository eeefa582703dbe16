"""What is prepared says and does just what Core says and does, on both databases, beside it in one transaction."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import bindparam, case, delete, event, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InvalidRequestError,
    MultipleResultsFound,
    NoResultFound,
    StatementError,
)
from sqlalchemy.orm import Session

from idp.affiliations.models import Affiliation
from idp.foundation import artefacts
from idp.foundation.artefact_table import Artefact
from idp.foundation.database import counting, db, looking_up, new_id, reading, see_as, writing
from idp.foundation.limiter import RequestCount
from idp.foundation.prepared import Found, prepared
from idp.subjects.models import Subject
from tests.factories import Make

pytestmark = pytest.mark.both

table, counts = Artefact.__table__, RequestCount.__table__
NAIVE = datetime.fromisoformat("2026-03-02")
ALL = select(table).order_by(table.c.number)
ONE = select(table).where(table.c.id == bindparam("identity"))
ADD = insert(table)
SET = update(table).where(table.c.id == bindparam("identity"))
TAKEN = delete(table).where(table.c.number > 1).returning(table.c.id, table.c.expires_at)
p_all, p_one, p_add, p_set, p_taken = (prepared(each) for each in (ALL, ONE, ADD, SET, TAKEN))


@pytest.fixture(autouse=True)
def nobody_listens(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that was listened to once says so for good, and then everything goes by Core."""
    monkeypatch.setattr(db.engine, "_has_events", False)


@pytest.fixture
def tx(app: Flask) -> Iterator[Session]:
    with writing() as tx:
        yield tx


def row(now: datetime, number: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": new_id(), "kind": "code", "digest": number.to_bytes(32), "family": None, "subject_id": "Ünï", "payload": {},
        "number": number, "attempts_left": None, "created_at": now, "expires_at": now, **more,
    }  # fmt: skip


def rows(now: datetime) -> list[dict[str, Any]]:
    odd = now.astimezone(timezone(timedelta(hours=-7))).replace(microsecond=7)
    deep = {"é": [1, None, True, {"a": 1.5}], "": "“"}
    return [row(now, 0, payload=deep, expires_at=odd), row(odd, 1, family=new_id(), attempts_left=3, payload={"a": []})]


def test_every_type_goes_in_and_comes_out_as_by_core(tx: Session, now: datetime) -> None:
    first, second = rows(now)
    assert tx.execute(p_add, first).rowcount == 1  # type: ignore[attr-defined]
    tx.execute(ADD, second)
    by_core, found = tx.execute(ALL).all(), tx.execute(p_all)
    assert isinstance(found, Found)
    assert found.all() == by_core == list(tx.execute(p_all))
    for ours, theirs in zip(found.all(), by_core, strict=True):
        assert ours._mapping == theirs._mapping
        assert [type(value) for value in ours] == [type(value) for value in theirs]
        assert ours.expires_at.tzinfo is theirs.expires_at.tzinfo
        assert isinstance(ours.id, UUID)
        assert ours.payload == theirs.payload
    assert tx.execute(p_one, {"identity": second["id"]}).one().created_at == second["created_at"]


def test_only_the_columns_that_are_given_are_set_and_returned_rows_come_back(tx: Session, now: datetime) -> None:
    first, second = rows(now)
    third = row(now, 2)
    for each in (first, second, third):
        tx.execute(p_add, each)
    assert tx.execute(p_set, {"identity": first["id"], "number": 5}).rowcount == 1  # type: ignore[attr-defined]
    assert tx.execute(p_set, {"identity": first["id"], "used_at": now, "bound_to": "x"}).rowcount == 1  # type: ignore[attr-defined]
    changed = tx.execute(p_one, {"identity": first["id"]}).one()
    assert (changed.number, changed.used_at, changed.bound_to, changed.payload) == (5, now, "x", first["payload"])
    assert {gone.id for gone in tx.execute(p_taken)} == {first["id"], third["id"]}
    assert tx.execute(p_taken).all() == []
    assert tx.execute(p_set, {"identity": third["id"], "number": 5}).rowcount == 0  # type: ignore[attr-defined]


def test_an_upsert_and_constants_within_a_statement(app: Flask, now: datetime) -> None:
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    counted = prepared(
        dialect.insert(counts)
        .values(requests=1)
        .on_conflict_do_update(index_elements=list(counts.primary_key), set_={"requests": counts.c.requests + 1})
        .returning(counts.c.requests, case((counts.c.requests > 1, "again"), else_="first").label("told"))
    )
    given = {"bucket": "a", "digest": bytes(32), "ends_at": now}
    with counting() as connection:
        assert [tuple(connection.execute(counted, given).one()) for _ in range(2)] == [(1, "first"), (2, "again")]
    with looking_up() as connection:
        assert connection.execute(prepared(select(counts.c.requests))).scalar_one() == 2


FAILURES: list[tuple[Callable[..., Any], Any]] = [
    (lambda tx, now, add, one, every: tx.execute(add, row(now, 7)), IntegrityError),
    (lambda tx, now, add, one, every: tx.execute(add, row(now, 8, kind=None)), IntegrityError),
    (lambda tx, now, add, one, every: tx.execute(add, row(now, 1 << 70)), (OverflowError, DBAPIError)),
    (lambda tx, now, add, one, every: tx.execute(add, row(now, 8, created_at=NAIVE)), StatementError),
    (lambda tx, now, add, one, every: tx.execute(add, row(now, 8, payload={1j})), (StatementError, TypeError)),
    (lambda tx, now, add, one, every: tx.execute(one, {}), StatementError),
    (lambda tx, now, add, one, every: tx.execute(every).one(), MultipleResultsFound),
    (lambda tx, now, add, one, every: tx.execute(every).one_or_none(), MultipleResultsFound),
    (lambda tx, now, add, one, every: tx.execute(one, {"identity": new_id()}).one(), NoResultFound),
]


def test_what_fails_says_so_as_by_core_and_a_savepoint_takes_it_back(tx: Session, now: datetime) -> None:
    for number in (6, 7):
        tx.execute(p_add, row(now, number))
    for ask, error in FAILURES:
        told = []
        for statements in ((ADD, ONE, ALL), (p_add, p_one, p_all)):
            with pytest.raises(error) as raised, tx.begin_nested():
                tx.execute(p_set, {"identity": tx.execute(p_all).first().id, "number": 9})  # type: ignore[union-attr]
                ask(tx, now, *statements)
            told.append((type(raised.value), str(raised.value).partition("\n")[0]))
            assert [each.number for each in tx.execute(p_all)] == [6, 7]
        assert told[0] == told[1]


def test_the_error_of_the_driver_is_wrapped_with_its_statement(app: Flask, now: datetime) -> None:
    told = []
    for statement in (ADD, p_add):
        with pytest.raises(IntegrityError) as raised, writing() as tx:
            tx.execute(statement, row(now, 1))
            tx.execute(statement, row(now, 1))
        told.append((type(raised.value.orig), raised.value.statement, raised.value.connection_invalidated))
    assert told[0] == told[1]
    with reading() as tx:
        assert tx.execute(p_all).all() == []


def test_after_an_error_postgresql_refuses_the_rest_of_the_transaction(app: Flask, now: datetime) -> None:
    if db.engine.dialect.name != "postgresql":
        return
    with pytest.raises(DBAPIError, match="aborted"), writing() as tx:
        tx.execute(p_add, row(now, 1))
        with pytest.raises(IntegrityError):
            tx.execute(p_add, row(now, 1))
        tx.execute(p_all)


def test_a_connection_that_was_cut_is_thrown_away(app: Flask, now: datetime) -> None:
    if db.engine.dialect.name != "postgresql":
        return
    cut = prepared(select(func.pg_terminate_backend(func.pg_backend_pid())))
    with pytest.raises(DBAPIError) as raised, reading() as tx:
        tx.execute(cut)
    assert raised.value.connection_invalidated
    with reading() as tx:
        assert tx.execute(p_all).all() == []


def test_a_transaction_that_was_ended_within_its_block_takes_no_more(app: Flask, now: datetime) -> None:
    with pytest.raises(InvalidRequestError), db.engine.begin() as connection:
        assert connection.execute(p_all).all() == []
        connection.rollback()
        connection.execute(p_add, row(now))
    with pytest.raises(InvalidRequestError), db.engine.begin() as connection, connection.begin_nested() as inner:
        inner.rollback()
        connection.execute(p_add, row(now))


def test_who_listens_hears_of_it_and_many_rows_and_defaults_go_by_core(app: Flask, now: datetime) -> None:
    heard: list[str] = []
    with looking_up() as connection:
        event.listen(connection, "before_cursor_execute", lambda *told: heard.append(told[2]))
        assert connection.execute(p_all).all() == []
    assert len(heard) == 1
    with writing() as tx:
        tx.execute(p_add, [row(now, 1), row(now, 2)])
        without = {name: value for name, value in row(now, 3).items() if name not in {"id", "payload"}}
        tx.execute(p_add, without)
        assert [each.payload for each in tx.execute(p_all)] == [{}, {}, {}]
        among = prepared(select(table.c.number).where(table.c.number.in_(bindparam("these", expanding=True))))
        assert set(tx.execute(among, {"these": [1, 3]}).scalars()) == {1, 3}


def test_the_row_level_fence_holds(app: Flask, make: Make) -> None:
    mine, other = make.subject(password=None), make.subject(password=None)
    for each in (mine, other):
        make.affiliation(each, make.group())
    held = prepared(select(Affiliation.__table__.c.subject_id))
    with looking_up(fenced=True) as connection:
        before = len(connection.execute(held).all())
        see_as(connection, subject_id=mine.id)
        after = connection.execute(held).scalars()
    assert (before, len(list(after))) == ((0, 1) if db.engine.dialect.name == "postgresql" else (2, 2))


def test_what_is_built_upon_it_is_built_upon_the_statement(tx: Session, now: datetime) -> None:
    for number in (1, 2):
        tx.execute(p_add, row(now, number))
    assert tx.execute(p_all.where(table.c.number == 2)).one().number == 2
    assert tx.execute(select(func.count()).select_from(p_all.subquery())).scalar_one() == 2
    assert artefacts.digest_of("x") not in {each.digest for each in tx.execute(p_all, {"more": 1})}


def test_a_session_of_another_class_asks_the_statement_itself(app: Flask, now: datetime) -> None:
    with Session(db.engine) as tx:
        tx.execute(p_add, row(now, 1))
        assert not isinstance(tx.execute(p_all), Found)
        assert tx.execute(p_one, {"identity": tx.execute(p_all).one().id}).one().number == 1


@pytest.mark.parametrize("statement", [select(Subject), text("SELECT 1"), update(Subject)])
def test_statements_of_the_orm_and_plain_text_are_not_prepared(statement: Any) -> None:
    with pytest.raises(TypeError):
        prepared(statement)
