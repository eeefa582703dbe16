"""The system's epoch (D4, ST-06)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.foundation import epochs
from idp.foundation.database import reading, writing
from idp.foundation.epochs import SystemState
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import signed_in
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


def test_D4_who_signs_in_anew_after_a_bump_stays_and_the_former_session_is_dead(
    app: Flask, new_browser: Callable[[], FlaskClient], make: Make, now: datetime
) -> None:
    rosa = make.subject()
    former, again = new_browser(), new_browser()
    signed_in(former, rosa.email)
    with writing() as tx:
        epochs.bump(tx, now=now)
    assert former.get("/account/").status_code == 303, "to the sign-in"
    for browser in (again, former):
        signed_in(browser, rosa.email)
        assert browser.get("/account/").status_code == 200
    stamped = {session.system_epoch for session in make.rows(BrowserSession) if session.ended_at is None}
    with reading() as tx:
        assert epochs.current(tx) in stamped


def test_bumps_beside_one_another_are_all_counted(app: Flask, now: datetime) -> None:
    def bump() -> int:
        with writing() as tx:
            return epochs.bump(tx, now=now)

    counted = sorted(race(app, bump, threads=8))
    assert counted == list(range(counted[0], counted[0] + 8))
