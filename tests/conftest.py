"""What all tests share. How to use it:

`app`        the application in production mode at `https://credence.test`, its context pushed, its database empty
             save for the rows of the migrations, the clock standing at `NOON`. SQLite, unless the test (or its module's
             `pytestmark`) is marked `both` (SQLite, then PostgreSQL + Redis) or `postgres`. On PostgreSQL the
             application has its own weak role: row fences and the audit's grants are real.
`client`     a browser for `app`: `client.get("/…")`, `client.post("/…", data=…)`, cookies kept, base address set, each
             request with a fresh `g`. `new_browser()` makes another one. More than two writes in a request raise.
`tx`         an open write transaction for services that take one: `f(tx, …)`; sees everything; rolled back at the end
             (`with writing() as tx:` when what was done must last).
`hands`      the clock: `hands.now`, `hands.forward(minutes=5)`, `hands.at(moment)`; `now` is `hands.now` at the start.
`make`       rows straight into the tables: `make.subject(user_id="rosa.delgado")`, `make.affiliation(…)`,
             `make.client(…)`, `make.session(…)`, `make.practice()`, `make.provider()`, `make.trading_partner()` … each
             committed, each returning the row (`tests/factories/`).
`settings`   of `app`; `make_settings(**changed)` others. `keys_dir` a folder with one active key of every kind.
`postgres`, `redis_server`   the worker's servers (`tests/servers.py`); a fault test starts its own.
`house_app(**changed)`  a further application with changed settings on its own SQLite file (slow: use it rarely).

Nothing but loopback and Unix sockets can be dialled. A test that cannot run says why by `pytest.skip`; with
`CREDENCE_NO_SKIPS=1` (`.ci/run`) only absence of `../shared` may be a reason.
Anything furnished in the house, and any module of `idp`, that has a `forget()` without arguments is told to forget
before each test: give caches that. What a test furnishes is gone after it.
"""

import contextlib
import contextvars
import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from idp import create_app
from idp.foundation import clock
from idp.foundation.database import db, see_as
from idp.migrations.run import upgrade
from idp.migrations.tables import metadata
from idp.settings import Settings
from tests.factories import Make
from tests.factories.keys import write_keys
from tests.servers import Postgres, RedisServer, binary

ISSUER = "https://credence.test"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
hypothesis.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("loaded")  # how fast a machine draws its examples says nothing of the code
SEEDED = ("alembic_version", "system_state", "clients_version", "audit_head")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        marks = {mark.name for mark in metafunc.definition.iter_markers()}
        backends = ["sqlite", "postgres"] if "both" in marks else ["postgres"] if "postgres" in marks else ["sqlite"]
        metafunc.parametrize("backend", backends, indirect=True, scope="function")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whatever names a fault (R-01 …) is run by `make soak` too."""
    if re.search(r"_R_\d\d_", item.name):
        item.add_marker("faults")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What shares a running system stays in one process: xdist 3.8 writes the group where pytest 9.2 no longer reads it."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        grouped = vars(item).get("_nodeid")
        if grouped and grouped != item.nodeid:
            item._id = type(item.id).parse(grouped)  # type: ignore[attr-defined]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CREDENCE_NO_SKIPS") != "1" or reporter is None or exitstatus != 0:
        return
    reasons = [str(report.longrepr[2]) for report in reporter.stats.get("skipped", ()) if report.longrepr]
    if unexplained := [reason for reason in reasons if "../shared" not in reason]:
        reporter.write_line(f"skipped although nothing may be: {sorted(set(unexplained))}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """No test speaks to anything but this machine."""
    dial = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "unix"
        if host not in ("127.0.0.1", "::1", "localhost", "unix"):
            raise AssertionError(f"a test dialled {host}")
        dial(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]
    yield
    socket.socket.connect = dial  # type: ignore[method-assign]


class Hands:
    """The clock's hands in a test's grip."""

    def __init__(self) -> None:
        self.now = NOON

    def at(self, moment: datetime) -> datetime:
        self.now = moment
        return self.now

    def forward(self, **amount: float) -> datetime:
        return self.at(self.now + timedelta(**amount))


@pytest.fixture
def hands() -> Iterator[Hands]:
    held = Hands()
    clock.set_reader(lambda: held.now)
    yield held
    clock.set_reader(None)


@pytest.fixture
def now(hands: Hands) -> datetime:
    return hands.now


@pytest.fixture(scope="session")
def quick_folder() -> Iterator[Path]:
    """Memory where there is some: SQLite's fsync is then free."""
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="credence-test-", dir=parent))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def keys_dir(quick_folder: Path) -> Path:
    return write_keys(quick_folder / "keys")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if binary("postgres") is None:
        pytest.skip("needs Debian's postgresql: apt-get install -y --no-install-recommends postgresql")
    server = Postgres().start()
    server.create_database("credence")
    yield server
    server.remove()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    if binary("redis-server") is None:
        pytest.skip("needs Debian's redis-server: apt-get install -y --no-install-recommends redis-server")
    server = RedisServer().start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def make_settings(quick_folder: Path, keys_dir: Path) -> Callable[..., Settings]:
    def build(**changed: Any) -> Settings:
        usual: dict[str, Any] = {
            "issuer": ISSUER,
            "data_dir": quick_folder,
            "keys_dir": keys_dir,
            "smtp_url": "smtp://127.0.0.1:9",
            "smtp_from": "Credence <no-reply@credence.test>",
            "password_memory_kib": 8,
            "password_time_cost": 1,
        }
        return Settings(**(usual | changed))

    return build


class Backend:
    """One database of this worker, its application built once, made empty before each test."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings = name, settings
        self._broom: psycopg.Connection | None = None
        self._sweep = _sweep()
        upgrade(settings)
        self.app = create_app(settings)
        self.app.testing = True
        self.app.test_client_class = Browser
        if name == "sqlite":
            self._file = Path(settings.database_url.removeprefix("sqlite:///"))
            self._template = self._file.with_suffix(".template")
            shutil.copyfile(self._file, self._template)

    def clean(self) -> None:
        with self.app.app_context():
            if self.name == "sqlite":
                db.engine.dispose()
                for suffix in ("-wal", "-shm"):
                    self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
                shutil.copyfile(self._template, self._file)
            else:
                self._clean_postgres()
            _forget_everything(self.app)

    def _clean_postgres(self) -> None:
        """One prepared statement on a connection that is kept: planning sixty, on a new one, took 30 ms a test."""
        if self._broom is None or self._broom.closed:
            address = make_url(self.settings.database_owner_url).set(drivername="postgresql", username="postgres")
            self._broom = psycopg.connect(address.render_as_string(hide_password=False), autocommit=True)
            self._broom.execute("SET session_replication_role = replica")
        self._broom.execute(self._sweep, prepare=True)


def _sweep() -> bytes:
    """Empty every table and set back what the migrations put there."""
    parts = [f'DELETE FROM "{table}"' for table in metadata().tables if table not in SEEDED]
    parts += [
        "UPDATE system_state SET epoch = 1, bumped_at = NULL, seen_at = NULL",
        "UPDATE clients_version SET version = 1, note = NULL",
        f"UPDATE audit_head SET sequence = 0, hash = '\\x{bytes(32).hex()}'",
    ]
    return f"WITH {', '.join(f'part_{at} AS ({part})' for at, part in enumerate(parts))} SELECT".encode()


def _forget_everything(app: Flask) -> None:
    for piece in list(app.extensions.get("credence", {}).values()):
        if callable(forget := getattr(piece, "forget", None)):
            forget()
    for name, module in list(sys.modules.items()):
        if name.startswith("idp.") and "forget" in vars(module):
            module.forget()


_backends: dict[str, Backend] = {}


@pytest.fixture
def backend(request: pytest.FixtureRequest, make_settings: Callable[..., Settings], quick_folder: Path) -> Backend:
    name: str = request.param
    if name not in _backends:
        changed: dict[str, Any] = {"database_url": f"sqlite:///{quick_folder / 'shared.sqlite3'}"}
        if name == "postgres":
            server: Postgres = request.getfixturevalue("postgres")
            changed = {
                "database_url": server.url("credence_app", "credence"),
                "database_owner_url": server.url("credence_owner", "credence"),
                "redis_url": request.getfixturevalue("redis_server").url,
            }
        _backends[name] = Backend(name, make_settings(**changed))
    if name == "postgres":
        from redis import Redis

        with Redis(port=request.getfixturevalue("redis_server").port) as redis:
            redis.flushall()
    _backends[name].clean()
    return _backends[name]


@pytest.fixture
def app(backend: Backend, hands: Hands) -> Iterator[Flask]:
    pieces = backend.app.extensions["credence"]
    furnished = dict(pieces)
    with backend.app.app_context():
        yield backend.app
    pieces.clear()
    pieces.update(furnished)


@pytest.fixture
def settings(backend: Backend) -> Settings:
    return backend.settings


class Browser(FlaskClient):
    """A test client at the issuer's address, each request in a context of its own."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("base_url", ISSUER)
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture
def new_browser(app: Flask) -> Callable[[], FlaskClient]:
    return app.test_client


@pytest.fixture
def client(new_browser: Callable[[], FlaskClient]) -> FlaskClient:
    return new_browser()


@pytest.fixture
def tx(app: Flask) -> Iterator[Session]:
    engine = db.engine.execution_options(credence_write=True)
    with Session(engine, expire_on_commit=False) as session:
        see_as(session, everything=True)
        yield session
        session.rollback()


@pytest.fixture
def make(app: Flask, hands: Hands, settings: Settings) -> Make:
    return Make(now=hands.now, settings=settings)


@pytest.fixture
def house_app(make_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    with contextlib.ExitStack() as stack:

        def build(**changed: Any) -> Flask:
            changed = {"data_dir": tmp_path, "database_url": f"sqlite:///{tmp_path / 'own.sqlite3'}"} | changed
            built_for = make_settings(**changed)
            upgrade(built_for)
            built = create_app(built_for)
            built.testing = True
            stack.enter_context(built.app_context())
            stack.callback(db.engine.dispose)
            return built

        yield build
