"""Sessions as rows: made, rotated, replaced, listed, ended, and every portal told (SI-12, SE-03, SE-04, D4)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import update

from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.foundation import epochs
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.sessions import participants, presence, service
from idp.sessions.models import BrowserSession, LogoutDelivery
from idp.sessions.rules import Ended, SessionFacts
from idp.sessions.service import NewSession
from idp.settings import Settings
from idp.subjects.models import Subject
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.secret import Secret
from tests.conftest import Hands
from tests.factories import Make
from tests.races import race
from tests.sessions.conftest import BROWSER

pytestmark = pytest.mark.both
HERE = Origin(address="192.0.2.7", request_id="r", user_agent="Firefox")


def authenticated(subject: Subject, now: datetime, replacing: SessionFacts | None = None) -> NewSession:
    with writing() as tx:
        row = tx.get(Subject, subject.id)
        assert row is not None
        return service.authenticated(
            tx, txn=uuid4(), subject=row, acr={Acr.AAL1}, amr=(Amr.PASSWORD,), browser_digest=BROWSER,
            now=now, origin=HERE, replacing=replacing,
        )  # fmt: skip


def live(cookie: Secret, now: datetime, **more: Any) -> SessionFacts | None:
    with reading() as tx:
        return service.find_live(tx, cookie=cookie.reveal(), now=now, **more)


def test_signing_in_makes_a_session_whose_cookie_is_kept_nowhere(make: Make, now: datetime) -> None:
    made = authenticated(make.subject(), now)
    found = live(made.cookie, now)
    assert found is not None
    assert (found.id, found.acr, found.auth_time, found.address) == (made.session_id, {Acr.AAL1}, now, HERE.address)
    row = make.row(BrowserSession, made.session_id)
    assert made.cookie.reveal().encode() not in row.digest
    assert len(made.cookie.reveal()) >= 43


def test_SI_12_authenticating_again_rotates_the_cookie_and_keeps_the_row(make: Make, hands: Hands) -> None:
    subject = make.subject()
    first = authenticated(subject, hands.now)
    later = hands.forward(minutes=5)
    second = authenticated(subject, later, replacing=live(first.cookie, later))
    assert second.session_id == first.session_id
    assert live(first.cookie, later) is None
    found = live(second.cookie, later)
    assert found is not None
    assert found.auth_time == later
    assert found.expires_at == later + timedelta(hours=12), "its absolute life counts from signing in"


def test_another_person_in_this_browser_replaces_and_ends_the_former(make: Make, now: datetime) -> None:
    first = authenticated(make.subject(), now)
    second = authenticated(make.subject(), now, replacing=live(first.cookie, now))
    assert second.session_id != first.session_id
    assert live(first.cookie, now) is None
    assert make.row(BrowserSession, first.session_id).ended_reason == Ended.REPLACED


def test_RA_13_a_session_killed_meanwhile_is_not_raised_but_made_anew(make: Make, now: datetime) -> None:
    subject = make.subject()
    first = authenticated(subject, now)
    seen = live(first.cookie, now)
    with writing() as tx:
        service.end_session(tx, session_id=first.session_id, reason=Ended.BY_OWNER, now=now, origin=HERE)
    second = authenticated(subject, now, replacing=seen)
    assert second.session_id != first.session_id
    assert make.row(BrowserSession, first.session_id).ended_at == now


def test_holding_sees_an_end_and_a_rotation_in_between(make: Make, now: datetime) -> None:
    subject = make.subject()
    made = authenticated(subject, now)
    seen = live(made.cookie, now)
    assert seen is not None
    with writing() as tx:
        assert service.hold(tx, seen) == seen
    authenticated(subject, now, replacing=seen)
    with writing() as tx:
        assert service.hold(tx, seen) is None


@pytest.mark.parametrize(
    ("forward", "lives"), [({"minutes": 29, "seconds": 59}, True), ({"minutes": 30}, False), ({"hours": 12}, False)]
)
def test_SE_03_idleness_and_age_are_read(make: Make, hands: Hands, forward: dict[str, float], lives: bool) -> None:
    made = authenticated(make.subject(), hands.now)
    assert (live(made.cookie, hands.forward(**forward)) is not None) is lives


def test_SE_03_twelve_hours_end_even_a_busy_session(make: Make, hands: Hands, settings: Settings) -> None:
    made = authenticated(make.subject(), hands.now)
    for _ in range(24 * 60 // 40):
        now = hands.forward(minutes=20)
        with writing() as tx:
            presence.touch(tx, session_id=made.session_id, now=now)
    assert hands.now - made_at(make, made) == settings.session_absolute
    assert live(made.cookie, hands.now) is None


def made_at(make: Make, made: NewSession) -> datetime:
    return make.row(BrowserSession, made.session_id).created_at


def test_a_role_may_be_given_less_idleness(make: Make, hands: Hands) -> None:
    made = authenticated(make.subject(), hands.now)
    assert live(made.cookie, hands.forward(minutes=15), idle=timedelta(minutes=15)) is None


@pytest.mark.parametrize("killer", ["subject", "system", "disabled"])
def test_D4_one_write_kills_by_the_next_read(make: Make, now: datetime, killer: str) -> None:
    subject = make.subject()
    made = authenticated(subject, now)
    with writing() as tx:
        match killer:
            case "subject":
                tx.execute(update(Subject).where(Subject.id == subject.id).values(epoch=Subject.epoch + 1))
            case "system":
                epochs.bump(tx, now=now)
            case _:
                tx.execute(update(Subject).where(Subject.id == subject.id).values(status="disabled"))
    assert live(made.cookie, now) is None
    with reading() as tx:
        assert service.list_sessions(tx, subject_id=subject.id, now=now) == []


@pytest.mark.parametrize("cookie", ["", "x", "é" * 43, "\udcff", "A" * 43])
def test_SE_12_a_forged_cookie_is_nobody(make: Make, now: datetime, cookie: str) -> None:
    authenticated(make.subject(), now)
    assert live(Secret(cookie), now) is None


def test_presence_is_noted_once_a_minute_and_never_on_an_ended_session(make: Make, hands: Hands) -> None:
    made = authenticated(make.subject(), hands.now)
    start = hands.now
    for seconds, expected in ((30, start), (30, start + timedelta(minutes=1)), (59, start + timedelta(minutes=1))):
        with writing() as tx:
            presence.touch(tx, session_id=made.session_id, now=hands.forward(seconds=seconds))
        assert make.row(BrowserSession, made.session_id).last_seen_at == expected
    found = live(made.cookie, hands.now)
    assert found is not None
    assert not presence.wants_touch(found, now=hands.now)
    assert presence.wants_touch(found, now=hands.forward(seconds=1))


def test_SE_04_a_person_lists_and_ends_their_own_and_nobody_elses(make: Make, hands: Hands) -> None:
    her, him = make.subject(), make.subject()
    first, second = authenticated(her, hands.now), authenticated(her, hands.forward(minutes=1))
    his = authenticated(him, hands.now)
    with reading() as tx:
        listed = service.list_sessions(tx, subject_id=her.id, now=hands.now)
    assert [each.id for each in listed] == [second.session_id, first.session_id]
    with writing() as tx:
        end = {"reason": Ended.BY_OWNER, "now": hands.now, "origin": HERE, "subject_id": her.id}
        assert not service.end_session(tx, session_id=his.session_id, **end)
        assert not service.end_session(tx, session_id=uuid4(), **end)
        assert service.end_session(tx, session_id=first.session_id, **end)
        assert not service.end_session(tx, session_id=first.session_id, **end)
    assert live(first.cookie, hands.now) is None
    assert live(his.cookie, hands.now) is not None


def test_SE_04_all_but_this_one(make: Make, now: datetime) -> None:
    subject = make.subject()
    every = [authenticated(subject, now) for _ in range(3)]
    with writing() as tx:
        ended = service.end_sessions_of(
            tx, subject_id=subject.id, reason=Ended.BY_OWNER, now=now, origin=HERE, except_session=every[1].session_id
        )
    assert ended == 2
    assert [live(each.cookie, now) is not None for each in every] == [False, True, False]


def test_an_end_owes_each_portal_one_logout_and_leaves_one_event(app: Flask, make: Make, now: datetime) -> None:
    for name in ("ozark-secure", "heartland-selfservice"):
        make.client(name)
    make.client("silent-app", registration={"backchannel_logout_uri": None})
    session, _ = make.session(make.subject())
    for name in ("ozark-secure", "heartland-selfservice", "silent-app"):
        make.grant(session, name)

    def end() -> bool:
        with writing() as tx:
            return service.end_session(tx, session_id=session.id, reason=Ended.SIGNED_OUT, now=now, origin=HERE)

    assert race(app, end, threads=8).count(True) == 1
    owed = make.rows(LogoutDelivery)
    assert sorted(row.client_id for row in owed) == ["heartland-selfservice", "ozark-secure"]
    assert all(row.due_at == now and row.done_at is None for row in owed)
    assert [row.type for row in make.rows(AuditEvent)].count(Event.SIGNED_OUT) == 1


def test_the_sweep_makes_durable_what_reading_decides(make: Make, hands: Hands) -> None:
    make.client("ozark-secure")
    idle, _ = make.session(make.subject())
    make.grant(idle, "ozark-secure")
    expired, _ = make.session(make.subject(), expires_at=hands.now + timedelta(minutes=1))
    bumped = make.subject()
    outdated, _ = make.session(bumped, subject_epoch=0)
    later = hands.forward(minutes=40)
    alive, _ = make.session(make.subject(), last_seen_at=later)
    with writing() as tx:
        assert service.close_dead(tx, now=later, batch=2) == 2
        assert service.close_dead(tx, now=later) == 1
        assert service.close_dead(tx, now=later) == 0
    reasons = {row.id: row.ended_reason for row in make.rows(BrowserSession)}
    assert reasons == {idle.id: "idle", expired.id: "expired", outdated.id: "epoch", alive.id: None}
    assert len(make.rows(LogoutDelivery)) == 1


def test_a_relying_party_keeps_its_sid_and_the_session_its_choice(make: Make, now: datetime) -> None:
    make.client("ozark-secure")
    session, _ = make.session(make.subject())
    first, second = uuid4(), uuid4()
    joined = []
    for affiliation in (first, second):
        with writing() as tx:
            joined.append(
                participants.join(
                    tx, session_id=session.id, client_id="ozark-secure", sub="s", now=now,
                    affiliation_id=affiliation, provider_id=None, practice_id=None,
                    before=participants.participation(tx, session_id=session.id, client_id="ozark-secure"),
                )
            )  # fmt: skip
    assert joined[0] == joined[1]
    with reading() as tx:
        remembered = participants.participation(tx, session_id=session.id, client_id="ozark-secure")
        assert participants.participation(tx, session_id=session.id, client_id="other") is None
    assert remembered is not None
    assert remembered.affiliation_id == second
