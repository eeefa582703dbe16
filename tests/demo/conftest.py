"""An application in demo mode, its people not loaded yet."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from idp.authenticators.password.kdf import Kdf
from idp.demo import clients
from idp.demo.cli import MANIFESTS, overrides
from idp.directory.upstairs import Upstairs
from idp.foundation import database, house
from idp.foundation.store import Store
from idp.keyring import rotation
from idp.keyring.service import Keyring
from idp.migrations import run as migrations
from idp.relying_parties.cache import Cache
from idp.settings import load
from tests.conftest import Hands
from tests.demo.ground import DemoHouse


@pytest.fixture
def demo_house(tmp_path: Path, now: datetime, hands: Hands) -> Iterator[DemoHouse]:
    """Only what loading needs is furnished, with a cheap key derivation."""
    settings = load(env={}, overrides=overrides(9000, tmp_path) | {"password_memory_kib": 8, "password_time_cost": 1})
    rotation.create(settings.keys_dir, now=now, demo=True)
    migrations.upgrade(settings)
    app = Flask("demo")
    database.attach(app, url=settings.database_url)
    keyring = Keyring.open(settings.keys_dir, production=False)
    for piece in (settings, keyring, Kdf.by(settings), Store(None), Cache(), Upstairs()):
        house.furnish(app, piece)
    with app.app_context():
        yield DemoHouse(clients.prepare(MANIFESTS, credentials=tmp_path / "clients", port_base=9000))
        database.db.engine.dispose()
