"""No statement of a hot path reads more because other people, grants and sessions have become many.

What each costs is counted by the database itself: SQLite's steps, PostgreSQL's rows read. Neither depends on the machine.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import Connection

from bench import growing
from idp.foundation.database import db, see_as
from tests.conftest import Backend
from tests.oidc.conftest import SCOPE, World
from tests.oidc.flow import Flow
from tests.plans import Asked, asked, rows_read

pytestmark = pytest.mark.both
PEOPLE = 300
"""Each with an affiliation, two sessions and a grant, a participation and a refresh family at five clients in each."""
MOST_STEPS = 400
MOST_ROWS = 40


def test_a_hot_path_reads_no_more_when_everything_else_has_grown(
    backend: Backend, world: World, flow: Flow, new_browser: Callable[[], Any], make: Any
) -> None:
    tokens = flow.tokens(scope=SCOPE)
    machine = world.partner()
    _grow(backend, [flow.party.client_id, *(make.client(f"grown-{number}").client_id for number in range(4))])

    def client_credentials() -> Any:
        return machine.call(new_browser(), "/oauth/token", {"grant_type": "client_credentials"})

    acts: dict[str, Callable[[], Any]] = {
        "client credentials": client_credentials,
        "UserInfo": lambda: flow.userinfo(tokens["access_token"]),
        "introspection": lambda: flow.party.call(flow.browser, "/oauth/introspect", {"token": tokens["access_token"]}),
        "authorize with a live session": lambda: flow.authorize(prompt="none"),
        "code exchange": lambda: flow.exchange(flow.code()),
        "refresh": lambda: flow.refresh(tokens["refresh_token"]),
        "sign-in": lambda: (again := Flow(new_browser(), flow.party)).exchange(again.code()),
    }
    for name, act in acts.items():
        with asked("SELECT", "UPDATE", "DELETE", "WITH") as statements:
            answer = act()
        assert answer.status_code in {200, 303} and "error=" not in answer.headers.get("Location", ""), answer.text
        assert statements, f"{name} asked nothing"
        for statement in statements:
            _reads_little(backend, name, statement)


def _grow(backend: Backend, clients: list[str]) -> None:
    if backend.name == "sqlite":
        file = backend.settings.database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file, timeout=5, isolation_level=None)) as found:
            growing.fill(found, growing.SQLITE, people=PEOPLE, clients=clients)
        return
    url = backend.settings.database_owner_url.replace("credence_owner", "postgres").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as found:
        growing.fill(found, growing.POSTGRESQL, people=PEOPLE, clients=clients)
        found.execute("ANALYZE")


def _reads_little(backend: Backend, name: str, statement: Asked) -> None:
    with db.engine.connect() as connection:
        see_as(connection, everything=True)
        if backend.name == "sqlite":
            steps = _steps(connection, *statement)
            assert steps <= MOST_STEPS, f"{name}: {steps} steps for {statement[0]}"
        else:
            rows = rows_read(connection, *statement)
            assert max(rows.values(), default=0) <= MOST_ROWS, f"{name}: {rows} rows for {statement[0]}"
        connection.rollback()


def _steps(connection: Connection, statement: str, parameters: Any) -> int:
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(step, 1)
    driver.execute(statement, parameters).fetchall()
    driver.set_progress_handler(None, 1)
    return taken
