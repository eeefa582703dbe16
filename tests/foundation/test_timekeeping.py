"""What a process may think of time at its start, and beside its database's (R-19)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask

from idp import create_app
from idp.audit import service as audit
from idp.audit.events import Event
from idp.cli.doctor import _clock as doctor_of_clocks
from idp.foundation import artefacts, clock, epochs, timekeeping
from idp.foundation.artefacts import Kind, Reason, Redeemed, digest_of
from idp.foundation.clock import Forward
from idp.foundation.database import db, writing
from idp.foundation.origin import Origin
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from tests.conftest import ISSUER, NOON

CODE = Kind.AUTHORIZATION_CODE
HOUR = timedelta(hours=1)
Begun = Callable[..., Flask]


@pytest.fixture
def begun(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begun]:
    """A process of its own on the same database, whose machine shows a time of its own."""
    fresh: list[Flask] = []

    def begin(wall: Callable[[], datetime], *, may_go_back: bool = False) -> Flask:
        monkeypatch.setattr(clock, "_forward", Forward(wall=wall, monotonic=lambda: 0.0))
        clock.set_reader(None)
        if not fresh:
            fresh.append(create_app(settings))
        timekeeping.begin(fresh[0], may_go_back=may_go_back)
        return fresh[0]

    yield begin
    for each in fresh:
        with each.app_context():
            db.engine.dispose()


@pytest.mark.both
@pytest.mark.parametrize("known_by", ["the worker", "the audit"])
def test_R_19_a_process_started_after_a_step_back_takes_nothing_expired_as_live(
    begun: Begun, known_by: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen = NOON + timedelta(minutes=2)
    with writing() as tx:
        code, _ = artefacts.issue(tx, kind=CODE, now=NOON, lifetime=timedelta(minutes=1))
        if known_by == "the worker":
            epochs.see(tx, now=seen)
        else:
            for at in (NOON, seen):
                audit.append(tx, Event.SIGNED_IN, now=at, actor="a", subject_id="a", origin=Origin.local("test"))
    begun(lambda: NOON - HOUR)
    assert clock.now() == seen
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert redeemed(code.reveal()) == Refused(Reason.EXPIRED)
    begun(lambda: seen + HOUR)
    assert clock.now() == seen + HOUR, "a clock that stands right is believed"
    begun(lambda: NOON, may_go_back=True)
    assert clock.now() == NOON, "as the operator wants it"


def redeemed(code: str) -> Redeemed | Refused:
    """By the clock of the process that began."""
    with writing() as tx:
        return artefacts.redeem(tx, kind=CODE, digest=digest_of(code), now=clock.now())


@pytest.mark.postgres
@pytest.mark.parametrize("off", [HOUR, -HOUR, timedelta(0)], ids=["early", "late", "right"])
def test_R_19_a_node_whose_clock_is_not_the_databases_writes_nothing_and_is_taken_out(
    begun: Begun, settings: Settings, off: timedelta
) -> None:
    with writing() as tx:
        code, _ = artefacts.issue(tx, kind=CODE, now=clock.now(), lifetime=HOUR * 9000)
    system = clock._system
    node = begun(lambda: system() + off)
    browser = node.test_client()
    agree = off == timedelta(0)
    ready = browser.get("/readyz", base_url=ISSUER)
    assert (ready.status_code, ready.json["clock"]) == ((200, "ok") if agree else (503, "down"))
    assert ready.json["database"] == "ok"
    asked = browser.get("/sign-in", base_url=ISSUER)
    assert (asked.status_code, asked.headers.get("Retry-After")) == ((303, None) if agree else (503, "2"))
    [said] = doctor_of_clocks(settings)
    assert (said.what, said.state) == ("clock", "ok" if agree else "bad")
    with node.app_context():
        if not agree:
            with pytest.raises(timekeeping.ClockApart):
                redeemed(code.reveal())
            clock.set_reader(system)
        assert isinstance(redeemed(code.reveal()), Redeemed), "as soon as it is right again"


@pytest.mark.postgres
def test_R_19_no_node_follows_one_whose_clock_leapt(begun: Begun) -> None:
    system = clock._system
    with writing() as tx:
        epochs.see(tx, now=system() + HOUR)
    node = begun(system)
    assert clock.now() - system() < timedelta(minutes=1)
    with node.app_context(), writing() as tx:
        epochs.see(tx, now=clock.now())


@pytest.mark.postgres
def test_R_19_a_clock_that_leaps_within_the_second_after_a_look_is_asked_about_at_once(app: Flask) -> None:
    hands = [clock._system(), 100.0]
    agreement = timekeeping.Agreement(read=lambda: hands[0], monotonic=lambda: hands[1])
    with writing() as tx:
        assert agreement.apart(tx) < timekeeping.MOST_APART
        hands[0] += HOUR
        hands[1] += 0.2
        assert agreement.apart(tx) > timekeeping.MOST_APART
        assert agreement.apart(tx) > timekeeping.MOST_APART, "and again"


@pytest.mark.usefixtures("app")
def test_R_19_doctor_tells_of_a_clock_that_was_stepped_forward_and_set_right(settings: Settings) -> None:
    clock.set_reader(clock._system)
    [said] = doctor_of_clocks(settings)
    assert said.state == "ok"
    with writing() as tx:
        epochs.see(tx, now=clock.now() + HOUR)
    [said] = doctor_of_clocks(settings)
    assert said.state == "bad" and "before the newest moment in the database" in said.said
