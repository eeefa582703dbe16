"""The system's epoch (D4, ST-06)."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from idp.foundation import epochs
from idp.foundation.database import reading, writing
from idp.foundation.epochs import SystemState
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both


def test_each_bump_raises_the_epoch_and_is_read_at_once(app: Flask, make: Make, now: datetime) -> None:
    with writing() as tx:
        first = epochs.bump(tx, now=now)
        assert first > 1
        assert epochs.bump(tx, now=now - timedelta(days=365)) == first + 1
    with reading() as tx:
        assert epochs.current(tx) == first + 1
    assert make.row(SystemState, 1).bumped_at == now - timedelta(days=365)  # type: ignore[arg-type]


def test_ST_06_one_copy_restored_twice_gives_two_epochs(app: Flask, now: datetime) -> None:
    with writing() as tx:
        after_the_first = epochs.bump(tx, now=now)
        tx.execute(update(SystemState).values(epoch=1))
        assert epochs.bump(tx, now=now + timedelta(seconds=1)) > after_the_first


def test_bumps_beside_one_another_are_all_counted(app: Flask, now: datetime) -> None:
    def bump() -> int:
        with writing() as tx:
            return epochs.bump(tx, now=now)

    counted = sorted(race(app, bump, threads=8))
    assert counted == list(range(counted[0], counted[0] + 8))
