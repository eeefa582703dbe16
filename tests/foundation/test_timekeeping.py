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
from idp.keyring import service as keyring
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from tests.conftest import ISSUER, NOON
from tests.factories.make import Make
from tests.oidc.flow import Registered
from tests.oidc.sides import Sides

CODE = Kind.AUTHORIZATION_CODE
HOUR = timedelta(hours=1)
Begun = Callable[..., Flask]
ALONE = {
    "scope": "provider_id",
    "grant_types": ["client_credentials"],
    "approved_for": {"registry": "heartland", "provider_ids": ["100200300"], "tins": []},
    "resources": ["https://api.test"],
    "redirect_uris": [],
    "first_party": False,
}
FORM = {"content-type": "application/x-www-form-urlencoded"}
PROOF = FORM | {name.lower(): value for name, value in Registered("app").proof()[0].items()}
TOKEN = {"authorization": "Bearer unknown"}
BODIES = {"/oauth/token": b"grant_type=client_credentials", "/oauth/introspect": b"token=unknown"}


class Machine:
    """What its clock shows."""

    def __init__(self) -> None:
        self.off = timedelta(0)
        self._system = clock._system

    def __call__(self) -> datetime:
        return self._system() + self.off


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


@pytest.mark.postgres
def test_R_19_no_token_is_issued_or_judged_by_a_clock_that_jumped(
    begun: Begun, settings: Settings, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the next request on, at once on the loop, in a thread and by Flask, and once it is right as before."""
    monkeypatch.setattr(keyring, "SETTLED_BEFORE", -3600.0)
    make.client("app", partner=True, registration=ALONE)
    machine = Machine()
    sides = Sides(begun(machine), settings, monkeypatch)

    def told(of: dict[str, tuple[int, bool]]) -> None:
        for path, expected in of.items():
            sent = TOKEN if path.endswith("userinfo") else PROOF
            method, body = ("GET", b"") if sent is TOKEN else ("POST", BODIES[path])
            (short, _), (whole, _), left_out = sides.both(method, path, sent, body)
            assert (short[0], left_out) == expected, path
            assert short[0] == whole[0], path
            assert (dict(short[1]).get("Retry-After") == "2") is (short[0] == 503), path

    right = {"/oauth/token": (200, True), "/oauth/userinfo": (401, True), "/oauth/introspect": (200, True)}
    sides.both("POST", "/oauth/token", PROOF, BODIES["/oauth/token"])
    sides.look()
    told(right)
    machine.off = HOUR
    told(dict.fromkeys(right, (503, False)))
    sides.look()
    told(dict.fromkeys(right, (503, False)))
    machine.off = timedelta(0)
    clock.begin_anew()
    sides.look()
    told(right)


@pytest.mark.postgres
def test_R_19_a_node_is_served_only_once_its_clock_is_right(
    begun: Begun, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine()
    begun(machine)
    paused: list[float] = []

    def set_right(seconds: float) -> None:
        paused.append(seconds)
        machine.off = timedelta(0)

    def waited() -> int:
        paused.clear()
        timekeeping.wait(settings.database_url, pause=set_right)
        return len(paused)

    assert waited() == 0
    for off in (HOUR, -HOUR):
        machine.off = off
        assert waited() == 1
        assert abs(clock.now() - clock._system()) < timedelta(minutes=5), "what it showed before is forgotten"
    assert "nothing is served" in caplog.text
    timekeeping.wait("postgresql+psycopg://127.0.0.1:9/none", pause=pytest.fail)
    timekeeping.wait("sqlite://", pause=pytest.fail)


@pytest.mark.postgres
def test_R_19_a_server_ends_when_its_clock_jumps(begun: Begun) -> None:
    machine, ended = Machine(), list[str]()
    looks = iter([timedelta(0), timedelta(0), HOUR])

    def pause(_: float) -> None:
        assert ended == []
        machine.off = next(looks)

    timekeeping.end_when_off(begun(machine), lambda: ended.append("ended"), pause=pause)
    assert ended == ["ended"]
    assert list(looks) == []


@pytest.mark.usefixtures("app")
def test_R_19_doctor_tells_of_a_clock_that_was_stepped_forward_and_set_right(settings: Settings) -> None:
    clock.set_reader(clock._system)
    [said] = doctor_of_clocks(settings)
    assert said.state == "ok"
    with writing() as tx:
        epochs.see(tx, now=clock.now() + HOUR)
    [said] = doctor_of_clocks(settings)
    assert said.state == "bad" and "before the newest moment in the database" in said.said
