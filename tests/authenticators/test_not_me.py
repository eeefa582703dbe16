"""*This wasn't me*: whoever came in uninvited is out, with everything that they left behind (AU-10, RC-11)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from idp.audit.models import AuditEvent
from idp.authenticators.alerts import links as alerts
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.lost_factors import service as lost_factors
from idp.authenticators.lost_factors.models import FactorRecovery
from idp.authenticators.lost_factors.rules import Starter
from idp.authenticators.lost_factors.service import By
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.authenticators.webauthn.models import WebauthnCredential
from idp.foundation.artefacts import Artefact
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from tests.authenticators.browsing import follow, open_sign_in, post_form, press, sign_in
from tests.authenticators.passkeys import challenge_of, hold, post, use
from tests.authenticators.software_key import SoftwareKey
from tests.conftest import Hands
from tests.factories import Make
from tests.factories.make import PASSWORD
from tests.sign_in.visiting import txn_of

pytestmark = pytest.mark.both
SET_UP = "set-up-mfa/passkey"


@pytest.fixture
def rosa(make: Make) -> Subject:
    return make.subject("rosa.delgado")


def link(make: Make, subject: Subject) -> str:
    """The address in a mail about what happens now."""
    with writing() as tx:
        known = subjects.by_id(tx, subject_id=subject.id)
        assert known is not None
        url, _link = alerts.link_for(tx, known, now=make.now)
    return url.reveal().removeprefix("https://credence.test")


def disown(client: FlaskClient, address: str) -> TestResponse:
    return post_form(client, client.get(address), "not-me-form")


def is_dead(browser: FlaskClient, address: str) -> bool:
    return browser.get(address).status_code == 410


def intrude(client: FlaskClient, key: SoftwareKey, subject: Subject) -> None:
    """Sign in by the stolen password, and leave a passkey."""
    key.user_handle = subject.id.encode()
    page = follow(client, client.get("/sign-in?to=account.overview&set-up=1"))
    follow(client, post_form(client, page, "login-form", username="rosa.delgado", password=PASSWORD))
    there = client.get(f"/sign-in/{txn_of(page)}/{SET_UP}")
    answer = post(client, there, key.create(challenge_of(client, there, SET_UP)), SET_UP, name="Mine now")
    assert answer.status_code == 303
    finished = follow(client, answer)
    press(client, finished, finished.request.path)


def test_the_thiefs_passkey_goes_with_everything_else(
    new_browser: Callable[[], FlaskClient], make: Make, hands: Hands, rosa: Subject
) -> None:
    theirs, thief, owner = SoftwareKey(), new_browser(), new_browser()
    address = link(make, rosa)
    hands.forward(seconds=5)
    intrude(thief, theirs, rosa)
    assert len(make.rows(WebauthnCredential)) == 1
    assert [row.expires_at > hands.now for row in make.rows(Artefact) if row.kind == "recovery_code"] == [True] * 10
    shown = owner.get(address)
    assert "Ways to sign in that were added since are removed" in shown.text
    assert len(make.rows(WebauthnCredential)) == 1, "RC-09: looking changes nothing"
    assert disown(owner, address).status_code == 200
    assert make.rows(HeldFactor) == make.rows(WebauthnCredential) == make.rows(RememberedDevice) == []
    assert all(session.ended_at is not None for session in make.rows(BrowserSession))
    assert not any(row.expires_at > hands.now for row in make.rows(Artefact) if row.kind == "recovery_code")
    assert use(thief, open_sign_in(thief), theirs).status_code == 422
    assert sign_in(thief, "rosa.delgado").status_code == 422
    assert {"disowned", "factor_removed"} <= {event.type for event in make.rows(AuditEvent)}
    assert "password_reset" in [message.notice for message in make.rows(OutboxMessage)]


def test_the_owners_own_older_factors_stay(client: FlaskClient, make: Make, hands: Hands, rosa: Subject) -> None:
    own = SoftwareKey()
    older = hold(make, rosa, own)
    hands.forward(hours=1)
    make.now = hands.now
    assert disown(client, link(make, rosa)).status_code == 200
    assert [row.id for row in make.rows(HeldFactor)] == [older.id]


def test_the_mail_about_a_new_factor_takes_that_factor_away(
    new_browser: Callable[[], FlaskClient], make: Make, rosa: Subject
) -> None:
    thief, owner, key = new_browser(), new_browser(), SoftwareKey()
    intrude(thief, key, rosa)
    (message,) = [message for message in make.rows(OutboxMessage) if message.notice == "factor_added"]
    told = messaging.opened(message).payload.context
    assert told["factor_name"] == "Mine now"
    address = str(told["url"])
    disown(owner, address.removeprefix("https://credence.test"))
    assert make.rows(WebauthnCredential) == []


def test_the_link_works_though_the_thief_has_changed_the_password(
    new_browser: Callable[[], FlaskClient], make: Make, hands: Hands, rosa: Subject
) -> None:
    address = link(make, rosa)
    with writing() as tx:
        tx.execute(update(Subject).where(Subject.id == rosa.id).values(epoch=Subject.epoch + 1))
    browser = new_browser()
    assert disown(browser, address).status_code == 200
    assert is_dead(browser, address), "it works once"
    assert "disowned" in {event.type for event in make.rows(AuditEvent)}


def test_RC_22_a_recovery_that_the_thief_began_ends_too(client: FlaskClient, make: Make, rosa: Subject) -> None:
    make.totp(rosa)
    by = By(Starter.PERSON, rosa.id, make.now, Origin.local("test"))
    with writing() as tx:
        lost_factors.start(tx, subject_id=rosa.id, by=by)
    assert disown(client, link(make, rosa)).status_code == 200
    assert [each.outcome for each in make.rows(FactorRecovery)] == ["disowned"]
    told = [each for each in make.rows(OutboxMessage) if each.notice == "factor_recovery_stopped"]
    assert [messaging.opened(each).payload.context["why"] for each in told] == ["disowned"]


def test_the_link_dies_after_seven_days_and_for_somebody_disabled(
    new_browser: Callable[[], FlaskClient], make: Make, hands: Hands, rosa: Subject
) -> None:
    first, second = link(make, rosa), link(make, rosa)
    browser = new_browser()
    with writing() as tx:
        tx.execute(update(Subject).where(Subject.id == rosa.id).values(status="disabled"))
    assert is_dead(browser, first)
    with writing() as tx:
        tx.execute(update(Subject).where(Subject.id == rosa.id).values(status="active"))
    hands.at(hands.now + timedelta(days=8))
    assert is_dead(browser, second)
