"""An application in demo mode: before its people are loaded, and after. Each is made once and copied for every test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from idp.authenticators.password.kdf import Kdf
from idp.demo import clients, loading, people
from idp.demo.cli import DEMO_DATA, MANIFESTS, overrides
from idp.directory.upstairs import Upstairs
from idp.foundation import clock, database, house
from idp.foundation.store import Store
from idp.keyring import rotation
from idp.keyring.service import Keyring
from idp.migrations import run as migrations
from idp.relying_parties.cache import Cache
from idp.settings import Settings, load
from tests.conftest import NOON, Hands
from tests.demo.ground import DemoHouse


def _settings(folder: Path) -> Settings:
    return load(env={}, overrides=overrides(9000, folder) | {"password_memory_kib": 8, "password_time_cost": 1})


@contextmanager
def _standing(folder: Path) -> Iterator[DemoHouse]:
    """Only what loading needs is furnished, with a cheap key derivation."""
    settings = _settings(folder)
    app = Flask("demo")
    database.attach(app, url=settings.database_url)
    keyring = Keyring.open(settings.keys_dir, production=False)
    for piece in (settings, keyring, Kdf.by(settings), Store(None), Cache(), Upstairs()):
        house.furnish(app, piece)
    with app.app_context():
        try:
            yield DemoHouse(clients.prepare(MANIFESTS, credentials=folder / "clients", port_base=9000))
        finally:
            database.db.engine.dispose()


@pytest.fixture(scope="session")
def _bare_ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and empty tables."""
    folder = tmp_path_factory.mktemp("bare")
    settings = _settings(folder)
    rotation.create(settings.keys_dir, now=NOON, demo=True)
    migrations.upgrade(settings)
    return folder


@pytest.fixture(scope="session")
def _loaded_ground(_bare_ground: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo as it stands at noon, its portals, directory and people loaded."""
    folder = shutil.copytree(_bare_ground, tmp_path_factory.mktemp("loaded"), dirs_exist_ok=True)
    clock.set_reader(lambda: NOON)
    try:
        with _standing(folder) as made:
            made.apply(now=NOON)
            loading.load_directory(DEMO_DATA, now=NOON)
            assert loading.load_people(people.read(DEMO_DATA / "people.toml"), now=NOON) == 30
    finally:
        clock.set_reader(None)
    return folder


@pytest.fixture
def demo_house(_bare_ground: Path, tmp_path: Path, now: datetime, hands: Hands) -> Iterator[DemoHouse]:
    """Its people are not loaded yet."""
    assert now == NOON
    with _standing(shutil.copytree(_bare_ground, tmp_path, dirs_exist_ok=True)) as own:
        yield own


@pytest.fixture
def loaded(_loaded_ground: Path, tmp_path: Path, now: datetime, hands: Hands) -> Iterator[DemoHouse]:
    """Everything that the demo's files list is loaded."""
    assert now == NOON
    with _standing(shutil.copytree(_loaded_ground, tmp_path, dirs_exist_ok=True)) as own:
        yield own
