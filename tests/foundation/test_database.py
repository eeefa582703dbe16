"""Two ways in, at most two writes a request, aware moments; and that the shared fixtures keep what they promise."""

import sqlite3
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Session

from idp.affiliations.models import Affiliation
from idp.foundation import artefacts, epochs
from idp.foundation.database import db, new_id, reading, see_as, write_budget, writing
from idp.messaging.models import OutboxMessage
from idp.settings import Settings
from idp.subjects.models import Subject
from tests.factories import Make

pytestmark = pytest.mark.both


def test_returning_commits(app: Flask, now: datetime) -> None:
    with writing() as tx:
        raised = epochs.bump(tx, now=now)
    with reading() as tx:
        assert epochs.current(tx) == raised > 1


def test_sqlite_gives_a_write_the_database_from_its_first_read_on(app: Flask) -> None:
    if db.engine.dialect.name != "sqlite":
        return  # PostgreSQL locks rows
    other = sqlite3.connect(str(db.engine.url.database), timeout=0, isolation_level=None)
    with reading() as tx:
        epochs.current(tx)
        other.execute("BEGIN IMMEDIATE").execute("ROLLBACK")
    with writing() as tx:
        epochs.current(tx)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()


def test_raising_rolls_back(app: Flask, now: datetime) -> None:
    with pytest.raises(LookupError), writing() as tx:
        epochs.bump(tx, now=now)
        raise LookupError
    with reading() as tx:
        assert epochs.current(tx) == 1


def test_what_a_read_changes_by_mistake_is_not_kept(app: Flask, now: datetime) -> None:
    with reading() as tx:
        epochs.bump(tx, now=now)
    with reading() as tx:
        assert epochs.current(tx) == 1


def test_postgresql_keeps_what_was_prepared_through_a_read_s_end_and_forgets_it_after_an_error(
    app: Flask, make: Make, settings: Settings
) -> None:
    if settings.sqlite:  # its driver keeps them for itself
        return
    identity = make.subject().id
    asked = select(Subject.given_name).where(Subject.id == identity)

    def kept(tx: Session) -> list[str]:
        told = text("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%given_name%'")
        return list(tx.execute(told).scalars())

    def ask_often() -> None:
        for _ in range(8):
            with reading() as tx:
                tx.execute(update(Subject).values(family_name="Changed by mistake"))
                assert tx.execute(asked).scalar_one() is not None

    db.engine.dispose()
    ask_often()
    with reading() as tx:
        assert len(kept(tx)) == 1
        assert tx.get(Subject, identity).family_name != "Changed by mistake"  # type: ignore[union-attr]
    with pytest.raises(DBAPIError), reading() as tx:
        tx.execute(text("SELECT 1 / 0"))
    with reading() as tx:
        assert kept(tx) == []
    ask_often()


def test_a_savepoint_takes_back_what_failed_in_it_and_the_transaction_goes_on(app: Flask) -> None:
    with writing() as tx:
        assert tx.execute(text("SELECT 1")).scalar_one() == 1
        with pytest.raises(DBAPIError), tx.begin_nested():
            tx.execute(text("SELECT one FROM nowhere"))
        assert tx.execute(text("SELECT 2")).scalar_one() == 2


def test_a_third_write_in_one_request_is_a_programming_error(app: Flask) -> None:
    with write_budget():
        for _ in range(2):
            with writing():
                pass
        with pytest.raises(RuntimeError), writing():
            pass


def test_a_naive_moment_is_refused(app: Flask, now: datetime) -> None:
    with pytest.raises(StatementError), writing() as tx:
        tx.execute(update(epochs.SystemState).values(bumped_at=now.replace(tzinfo=None)))


def test_a_moment_comes_back_aware(app: Flask, make: Make, now: datetime) -> None:
    subject = make.subject(password=None, updated_at=now)
    assert make.row(Subject, subject.id).updated_at == now


def test_ids_of_later_rows_sort_later() -> None:
    made = [new_id() for _ in range(3)]
    assert all(identity.version == 7 for identity in made)


def test_fixtures_begin_every_test_with_an_empty_database(app: Flask, make: Make) -> None:
    assert make.rows(Subject) == []
    make.subject(password=None)


def test_fixtures_begin_every_test_with_an_empty_database_again(app: Flask, make: Make) -> None:
    assert make.rows(Subject) == []
    make.subject(password=None)


def test_AD_01_affiliations_are_fenced_by_scope_on_postgresql(app: Flask, make: Make, settings: Settings) -> None:
    mine, other = make.subject(password=None), make.subject(password=None)
    make.affiliation(mine, make.group())
    make.affiliation(other, make.group())
    with reading() as tx:
        unscoped = len(tx.scalars(select(Affiliation)).all())
    with reading() as tx:
        see_as(tx, subject_id=mine.id)
        scoped = len(tx.scalars(select(Affiliation)).all())
    with reading() as tx:
        assert tx.execute(text("SELECT count(*) FROM affiliation_epoch")).scalar_one() == 2
    assert (unscoped, scoped) == ((2, 2) if settings.sqlite else (0, 1))


def test_a_read_cannot_wait_for_a_writer(app: Flask, tx: Session, now: datetime) -> None:
    epochs.bump(tx, now=now)
    with reading() as other:
        assert epochs.current(other) == 1


def test_foreign_keys_hold(app: Flask, now: datetime) -> None:
    with pytest.raises(DBAPIError), writing() as tx:
        tx.execute(
            insert(Affiliation.__table__).values(
                id=new_id(), subject_id="nobody", registry="ozark", target_kind="practice", target_id=new_id(),
                status="active", account_manager=False, starts_at=now, epoch=1, version=1, created_at=now,
            )
        )  # fmt: skip


def test_artefacts_are_used_up_in_the_transaction_of_their_effect(app: Flask, now: datetime, make: Make) -> None:
    from datetime import timedelta

    with writing() as tx:
        secret, _ = artefacts.issue(tx, kind=artefacts.Kind.PASSWORD_RESET, now=now, lifetime=timedelta(minutes=30))
    digest = artefacts.digest_of(secret.reveal())
    with pytest.raises(LookupError), writing() as tx:
        artefacts.redeem(tx, kind=artefacts.Kind.PASSWORD_RESET, digest=digest, now=now)
        raise LookupError
    with writing() as tx:
        redeemed = artefacts.redeem(tx, kind=artefacts.Kind.PASSWORD_RESET, digest=digest, now=now)
    assert isinstance(redeemed, artefacts.Redeemed)
    assert make.rows(OutboxMessage) == []
