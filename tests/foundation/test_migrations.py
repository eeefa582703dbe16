"""The schema: models and migrations agree on both databases, migrators wait for each other, the fences hold."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from idp.migrations.fences import give_rights_to_new
from idp.migrations.run import _revisions, differences, pending, upgrade
from idp.migrations.tables import metadata
from idp.settings import PROJECT, Settings
from tests.servers import Postgres, until

EVERY = _revisions()


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest, make_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Settings]:
    """Settings of a database that has nothing in it."""
    if request.param == "sqlite":
        yield make_settings(database_url=f"sqlite:///{tmp_path / 'fresh.sqlite3'}")
        return
    yield _on_postgres(request.getfixturevalue("postgres"), make_settings)


def _on_postgres(server: Postgres, make_settings: Callable[..., Settings]) -> Settings:
    name = f"fresh_{uuid4().hex}"
    server.create_database(name)
    return make_settings(
        database_url=server.url("credence_app", name), database_owner_url=server.url("credence_owner", name)
    )


def statement(settings: Settings, sql: str) -> None:
    """As the application's role."""
    engine = create_engine(settings.database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(sql))


def test_an_empty_database_lacks_everything_and_then_nothing_that_the_models_have(fresh: Settings) -> None:
    assert pending(fresh) == EVERY
    assert upgrade(fresh) == EVERY
    assert pending(fresh) == ()
    assert upgrade(fresh) == ()
    assert differences(fresh) == []


def test_looking_for_what_is_pending_makes_no_file(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    settings = make_settings(database_url=f"sqlite:///{tmp_path / 'absent.sqlite3'}")
    assert pending(settings) == EVERY
    assert not (tmp_path / "absent.sqlite3").exists()


def test_R_28_two_migrators_wait_for_each_other(fresh: Settings) -> None:
    done: list[tuple[str, ...]] = []
    both = [threading.Thread(target=lambda: done.append(upgrade(fresh))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    assert sorted(done) == [(), EVERY]


def test_R_27_a_migration_that_fails_leaves_nothing_of_its_own(
    fresh: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.migrations.fences.AUDIT_TRIGGERS", ("CREATE NONSENSE",))
    monkeypatch.setattr("idp.migrations.fences.ROW_FENCES", ("CREATE NONSENSE",))
    with pytest.raises(DBAPIError):
        upgrade(fresh)
    assert pending(fresh) == EVERY[1:]
    monkeypatch.undo()
    assert upgrade(fresh) == EVERY[1:]


@pytest.mark.faults
def test_R_27_a_migrator_killed_half_way_leaves_whole_migrations_and_the_next_one_goes_on(fresh: Settings) -> None:
    own = {
        "PATH": os.environ["PATH"], "IDP_MODE": "demo", "IDP_ISSUER": "http://localhost:8000", "IDP_DATA_DIR": str(fresh.data_dir),
        "IDP_DATABASE_URL": fresh.database_url, "IDP_DATABASE_OWNER_URL": fresh.database_owner_url,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.faults.dying_migrator", "200"]
    ran = subprocess.run(command, env=own, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    left = pending(fresh)
    assert 0 < len(left) < len(EVERY) - 1
    statement(fresh, "SELECT epoch FROM affiliation_epoch")  # by the application's role, which has its rights already
    assert upgrade(fresh) == left == EVERY[-len(left) :]
    assert differences(fresh) == []


_STRONG = text(
    "SELECT relname FROM pg_locks JOIN pg_class ON pg_class.oid = relation WHERE pid = pg_backend_pid() AND relkind = 'r'"
    " AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"
)


def test_R_26_what_a_migration_locked_is_free_before_the_next_one_works(
    postgres: Postgres, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = _on_postgres(postgres, make_settings)
    locked: dict[str, set[str]] = {}

    def look(connection: Connection, *, role: str | None) -> None:
        give_rights_to_new(connection, role=role)
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        locked[revision] = set(connection.execute(_STRONG).scalars())

    monkeypatch.setattr("idp.migrations.run.give_rights_to_new", look)
    upgrade(fresh)
    assert locked["how_imports_ended"] == {"import_run"}
    assert locked["seen_moments"] == {"system_state"}
    beside = ("unused_of_target", "roster_words_alone", "stroked_letters", "roster_words_by_program")
    assert [locked[revision] for revision in beside] == [set()] * 4
    assert locked["told_by_roster"] == {"affiliation"}
    assert locked["common_words"] == {"name_word"}
    assert locked["former_roster_words"] == locked["roster_words_before_programs"] == {"provider_word"}


def test_R_26_rosters_are_taken_in_while_the_index_of_their_words_is_built_and_a_broken_one_is_built_anew(
    postgres: Postgres, make_settings: Callable[..., Settings]
) -> None:
    fresh = _on_postgres(postgres, make_settings)
    upgrade(fresh, to="seen_moments")
    owner_url, name = fresh.database_owner_url, make_url(fresh.database_url).database
    with psycopg.connect(postgres.url("postgres", name), autocommit=True) as mighty:
        mighty.execute("CREATE INDEX ix_provider_word_pages ON provider_word (word)")
        mighty.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_provider_word_pages'::regclass")
        mighty.execute("ALTER INDEX ix_provider_word_pages OWNER TO credence_owner")
        taken = "UPDATE provider_word SET number = number"
        with psycopg.connect(owner_url.replace("+psycopg", "")) as importing:
            importing.execute(taken)
            upgrading = threading.Thread(target=upgrade, args=(fresh,))
            upgrading.start()
            waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'virtualxid' AND datname = current_database()"
            until(lambda: mighty.execute(waits).fetchone(), what="the index is not built beside what goes on")
            mighty.execute("SET lock_timeout = '1s'")
            mighty.execute(taken)
        upgrading.join(30)
    assert pending(fresh) == ()
    assert differences(fresh) == []


def test_AU_nobody_changes_an_audit_event(fresh: Settings) -> None:
    upgrade(fresh)
    hollow = "x''" if fresh.sqlite else "''::bytea"
    values = f"'{uuid4().hex}', 0, 1, '2026-01-01', 'x', 'ok', 'system', '{{}}', '-', {hollow}, {hollow}"
    columns = "id, stream, sequence, at, type, outcome, actor, details, address, previous_hash, hash"
    statement(fresh, f"INSERT INTO audit_event ({columns}) VALUES ({values})")
    for sql in ("UPDATE audit_event SET outcome = 'no'", "DELETE FROM audit_event"):
        with pytest.raises(DBAPIError):
            statement(fresh, sql)


def test_the_application_cannot_change_the_schema(fresh: Settings) -> None:
    if fresh.sqlite:
        assert fresh.database_owner_url == fresh.database_url
        return
    upgrade(fresh)
    for sql in ("CREATE TABLE mine (id int)", "DROP TABLE subject", "TRUNCATE subject", "DELETE FROM system_state"):
        with pytest.raises(DBAPIError):
            statement(fresh, sql)


def test_AD_01_row_fences_show_only_what_the_transaction_named(fresh: Settings, now: datetime) -> None:
    upgrade(fresh)
    if fresh.sqlite:
        assert "affiliation_epoch" in inspect(create_engine(fresh.database_url)).get_view_names()
        return
    mine, target = "a" * 26, uuid4()
    owner = create_engine(fresh.database_owner_url, poolclass=NullPool)
    with owner.begin() as connection:
        for subject in (mine, "b" * 26):
            connection.execute(
                text("INSERT INTO subject (id, status, epoch, version, profile, created_at, updated_at)"
                     " VALUES (:id, 'active', 1, 1, '{}', :now, :now)"), {"id": subject, "now": now}
            )  # fmt: skip
            connection.execute(
                text("INSERT INTO affiliation (id, subject_id, registry, target_kind, target_id, status, account_manager,"
                     " starts_at, epoch, version, created_at) VALUES (:id, :subject, 'ozark', 'practice', :target,"
                     " 'active', false, :now, 1, 1, :now)"),
                {"id": uuid4(), "subject": subject, "target": target if subject == mine else uuid4(), "now": now},
            )  # fmt: skip
    app = create_engine(fresh.database_url, poolclass=NullPool)

    def seen(**scope: str) -> int:
        with app.begin() as connection:
            for name, value in scope.items():
                connection.execute(
                    text("SELECT set_config(:name, :value, true)"), {"name": f"credence.{name}", "value": value}
                )
            return int(connection.execute(text("SELECT count(*) FROM affiliation")).scalar_one())

    assert seen() == 0
    assert seen(subject=mine) == 1
    assert seen(target=str(target)) == 1
    assert seen(everything="on") == 2
    with app.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM affiliation_epoch")).scalar_one() == 2
        assert connection.execute(text("UPDATE affiliation SET status = 'ended'")).rowcount == 0


def test_every_model_is_known_to_the_migrations(app: object) -> None:
    assert {"artefact", "affiliation", "audit_event", "outbox", "attempt_budget"} <= set(metadata().tables)
