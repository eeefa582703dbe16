"""The system's epoch (D4, ST-06)."""

from datetime import datetime

import pytest
from flask import Flask

from idp.foundation import epochs
from idp.foundation.database import reading, writing
from idp.foundation.epochs import SystemState
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both


def test_each_bump_raises_by_one_and_is_read_at_once(app: Flask, make: Make, now: datetime) -> None:
    with writing() as tx:
        assert epochs.bump(tx, now=now) == 2
    with reading() as tx:
        assert epochs.current(tx) == 2
    assert make.row(SystemState, 1).bumped_at == now  # type: ignore[arg-type]


def test_bumps_beside_one_another_are_all_counted(app: Flask, now: datetime) -> None:
    def bump() -> int:
        with writing() as tx:
            return epochs.bump(tx, now=now)

    assert sorted(race(app, bump, threads=8)) == list(range(2, 10))
