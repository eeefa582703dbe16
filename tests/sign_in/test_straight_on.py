"""Straight to the next page or answer: what the dispatcher would say at the next request is said in this one (D2)."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from idp.audit.models import AuditEvent
from idp.authenticators.password.models import PasswordCredential
from idp.consent.models import Grant
from idp.foundation import epochs
from idp.foundation.database import reading, writing
from idp.relying_parties.models import Client
from idp.sessions import service as sessions
from idp.sessions import transactions
from idp.sessions.models import BrowserSession, Participant, Transaction
from idp.sessions.rules import SessionFacts
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from tests.authenticators.browsing import post_form
from tests.factories import Make
from tests.factories.make import PASSWORD
from tests.oidc.flow import VERIFIER, challenge_of
from tests.plans import asked
from tests.sessions.conftest import BROWSER, park
from tests.sign_in.visiting import ask, step_of, txn_of

__all__ = ["park"]
pytestmark = pytest.mark.both
REQUEST = {
    "response_type": "code", "client_id": "ozark-secure", "redirect_uri": "https://ozark-secure.test/callback",
    "scope": "openid", "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
}  # fmt: skip


@pytest.fixture
def rosa(make: Make) -> Subject:
    """May act for one provider: nothing is asked after the password."""
    make.client()
    rosa = make.subject("rosa.delgado")
    make.affiliation(rosa, make.provider(registry_name="ozark"), registry="ozark", levels=(("ozark-secure", "admin"),))
    return rosa


def enter(client: FlaskClient, page: TestResponse) -> TestResponse:
    return post_form(client, page, "login-form", username="rosa.delgado", password=PASSWORD)


def test_a_request_leads_to_its_first_page(client: FlaskClient, make: Make, rosa: Subject) -> None:
    answer = client.get("/oauth/authorize?" + urlencode(REQUEST))
    (row,) = make.rows(Transaction)
    assert (answer.status_code, answer.location) == (303, f"/sign-in/{row.id}/password")
    assert (row.awaiting, row.accepts) == ("password", [])


def test_the_password_leads_to_the_answer_once(client: FlaskClient, make: Make, rosa: Subject) -> None:
    page = ask(client)
    answer = enter(client, page)
    assert answer.status_code == 303
    assert answer.location.startswith("https://ozark-secure.test/callback?code=")
    assert "__Host-credence_session" in answer.headers["Set-Cookie"]
    row = make.row(Transaction, UUID(txn_of(page)))
    assert (row.finished_at, row.session_id) == (row.authenticated_at, make.rows(BrowserSession)[0].id)
    again = client.get(enter(client, page).location)
    assert "code=" not in (again.location or "")
    events = [event.type for event in make.rows(AuditEvent)]
    assert (events.count("grant_made"), events.count("signed_in")) == (1, 1), events


def test_what_the_sign_in_knows_is_not_read_again(client: FlaskClient, rosa: Subject) -> None:
    page = ask(client)
    with asked("SELECT") as seen:
        assert "code=" in enter(client, page).location
    read = [statement.partition("FROM ")[2].split()[0] for statement, _ in seen]
    told = {
        name: read.count(name) for name in ("password_credential", "affiliation", "provider", "participant", "client")
    }
    assert told == {"password_credential": 2, "affiliation": 1, "provider": 0, "participant": 0, "client": 0}


def test_the_same_person_s_session_keeps_what_portals_it_has_joined(
    client: FlaskClient, make: Make, rosa: Subject
) -> None:
    enter(client, ask(client))
    (before,) = make.rows(Participant)
    page = client.get("/oauth/authorize?" + urlencode(REQUEST | {"prompt": "login"}), follow_redirects=True)
    assert "code=" in enter(client, page).location
    assert [(row.sid, row.session_id) for row in make.rows(Participant)] == [(before.sid, before.session_id)]
    assert len(make.rows(BrowserSession)) == len(make.rows(Grant)) == 1


def test_the_grant_is_told_as_of_the_new_session(client: FlaskClient, make: Make, rosa: Subject) -> None:
    enter(client, ask(client))
    (made,) = (event for event in make.rows(AuditEvent) if event.type == "grant_made")
    assert made.session_digest == make.rows(BrowserSession)[0].digest.hex()[:16]


def test_a_step_that_is_due_is_awaited_and_shown(client: FlaskClient, make: Make, rosa: Subject) -> None:
    with writing() as tx:
        tx.execute(update(PasswordCredential).values(must_change=True))
    page = ask(client)
    answer = enter(client, page)
    assert answer.location == f"/sign-in/{txn_of(page)}/change-password"
    row = make.row(Transaction, UUID(txn_of(page)))
    assert (row.awaiting, row.finished_at, row.session_id) == ("change-password", None, make.rows(BrowserSession)[0].id)
    assert step_of(client.get(answer.location)) == "change-password"


def test_a_client_switched_off_meanwhile_gets_nothing(client: FlaskClient, make: Make, rosa: Subject) -> None:
    page = ask(client)
    with writing() as tx:
        tx.execute(update(Client).values(enabled=False, version=Client.version + 1))
    make.client("another")
    answer = enter(client, page)
    assert "code=" not in answer.location


def test_what_is_settled_is_what_the_row_says(park: Callable[..., UUID], make: Make, now: datetime) -> None:
    """Another session's settlements are gone, this one's authentication is there: as rule and as statement."""
    (hers, _), (his, _) = make.session(make.subject()), make.session(make.subject())
    txn = park()
    with writing() as tx:
        transactions.await_step(tx, txn=txn, step="choose", session_id=hers.id)
        transactions.remember_choice(tx, txn=txn, affiliation_id=hers.id, provider_id=None, practice_id=None, now=now)
        transactions.remember_consent(tx, txn=txn, scopes="openid")
        transactions.remember_first_factor(tx, txn=txn, subject_id="x", epoch=1, now=now)
        before = transactions.lock(tx, txn=txn, browser_digest=BROWSER, now=now)
    for session in (hers, his):
        with writing() as tx:
            transactions.mark_authenticated(tx, txn=txn, session_id=session.id, now=now)
        with reading() as tx:
            after = transactions.load(tx, txn=txn, browser_digest=BROWSER, now=now)
        assert not isinstance(before, Refused)
        assert after == before.authenticated_by(session.id, now=now)
        before = after


def test_RA_a_grant_dies_with_an_epoch_that_ended_its_session_meanwhile(
    client: FlaskClient, make: Make, rosa: Subject, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(client, ask(client))
    hold = sessions.hold

    def bumped(tx: Session, session: SessionFacts) -> SessionFacts | None:
        epochs.bump(tx, now=now)
        return hold(tx, session)

    monkeypatch.setattr(sessions, "hold", bumped)
    ask(client)
    with reading() as tx:
        assert epochs.current(tx) != 1
    assert {grant.system_epoch for grant in make.rows(Grant)} == {1}
