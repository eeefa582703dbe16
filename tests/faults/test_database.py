"""The database gone or locked (R-09, R-11): a quick, honest answer, and recovery without help."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text

from idp.foundation.database import engine_options, prepare
from idp.migrations.run import upgrade
from idp.settings import Settings
from tests.conftest import Browser
from tests.servers import Postgres, binary

pytestmark = pytest.mark.faults

WRITERS = 16


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    if binary("postgres") is None:
        pytest.skip("needs Debian's postgresql: apt-get install -y --no-install-recommends postgresql")
    server = Postgres().start()
    server.create_database("credence")
    yield server
    server.remove()


def test_R_09_without_its_database_it_says_503_stays_alive_and_recovers_alone(
    own_postgres: Postgres, house_app: Callable[..., Flask]
) -> None:
    app = house_app(
        database_url=own_postgres.url("credence_app", "credence"),
        database_owner_url=own_postgres.url("credence_owner", "credence"),
    )
    app.test_client_class = Browser
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.testing = False
    browser = app.test_client()
    assert browser.get("/readyz").status_code == 200
    own_postgres.stop()
    for path in ("/readyz", "/oauth/authorize?client_id=x&response_type=code", "/oauth/userinfo"):
        answer = browser.get(path, headers={"Authorization": "Bearer x"})
        if path != "/oauth/userinfo":
            assert answer.status_code == 503, path
        assert "Traceback" not in answer.text
        assert "psycopg" not in answer.text
    down = browser.get("/oauth/authorize?client_id=x&response_type=code")
    assert 1 <= int(down.headers["Retry-After"]) <= 2
    assert browser.get("/healthz").status_code == 200
    own_postgres.start()
    assert browser.get("/readyz").status_code == 200


def _engine(settings: Settings) -> Engine:
    """As another process of the application has it."""
    engine = create_engine(settings.database_url, **engine_options(settings.database_url))
    prepare(engine)
    return engine


def test_R_11_sixteen_writers_wait_out_a_lock_of_three_seconds(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = make_settings(database_url=f"sqlite:///{tmp_path / 'locked.sqlite3'}")
    upgrade(settings)
    bump = text("UPDATE system_state SET epoch = epoch + 1")
    held, released = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def hold() -> None:
        with _engine(settings).execution_options(credence_write=True).begin() as connection:
            connection.execute(bump)
            held.set()
            released.wait(3)

    def write() -> None:
        try:
            with _engine(settings).execution_options(credence_write=True).begin() as connection:
                connection.execute(bump)
        except BaseException as error:
            failed.append(error)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in writers:
        thread.start()
    with _engine(settings).execution_options(credence_read=True).connect() as reader:
        assert reader.execute(text("SELECT epoch FROM system_state")).scalar_one() == 1
    for thread in (holder, *writers):
        thread.join(20)
    assert failed == []
    with _engine(settings).connect() as reader:
        assert reader.execute(text("SELECT epoch FROM system_state")).scalar_one() == 2 + WRITERS
