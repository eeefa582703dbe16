"""Agreements in their order, consent for what was shown and for whom (C10, D1, X2, X3, AZ-33)."""

import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from idp.audit.models import AuditEvent
from idp.consent import service
from idp.consent.models import AgreementAcceptance, Consent, Grant
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.oidc import issuing
from idp.relying_parties.models import Client
from idp.subjects.models import Subject
from tests.factories import Make
from tests.sign_in.visiting import ask, come, force, send, step_of, txn_of

WORDS = {"en": "Use it <b>well</b>.", "es": "Úselo bien."}
LEVELS = (("ozark-secure", "admin"),)
HERE = Origin("203.0.113.9", "r")


def affiliate(make: Make, subject: Subject, name: str = "CEDAR STREET") -> None:
    provider = make.provider(registry_name="ozark", legal_name=name, name_key=name.casefold())
    make.affiliation(subject, provider, registry="ozark", levels=LEVELS)


@pytest.fixture
def rosa(make: Make) -> Subject:
    make.client(
        banner={"version": "3", "text": WORDS, "must_accept": True},
        agreement={"version": "2", "title": {"en": "Provider agreement", "es": "Acuerdo"}},
    )
    rosa = make.subject("rosa.delgado")
    affiliate(make, rosa)
    return rosa


@pytest.fixture
def app_of_rosa(make: Make) -> Subject:
    make.client()
    make.client("app", partner=True, registration={"roles_of": "ozark-secure"})
    rosa = make.subject("rosa.delgado")
    affiliate(make, rosa)
    return rosa


@pytest.mark.both
def test_D1_each_text_is_accepted_by_itself_and_once(client: FlaskClient, make: Make, rosa: Subject) -> None:
    banner = come(client)
    assert step_of(banner) == "agreement"
    assert "Use it &lt;b&gt;well&lt;/b&gt;." in banner.text
    agreement = send(client, banner, "agreement-form", accept="yes")
    assert "Provider agreement" in agreement.text
    assert step_of(send(client, agreement, "agreement-form", accept="yes")) == "code"
    assert [(row.kind, row.version) for row in make.rows(AgreementAcceptance)] == [("banner", "3"), ("agreement", "2")]
    assert step_of(ask(client)) == "code"


def test_an_unticked_box_is_told_and_nothing_is_kept(client: FlaskClient, make: Make, rosa: Subject) -> None:
    page = come(client)
    answer = force(client, page, f"/sign-in/{txn_of(page)}/agreement", shown="banner-3")
    assert answer.status_code == 422
    assert "Tick the box" in answer.text
    assert make.rows(AgreementAcceptance) == []


@pytest.mark.parametrize("shown", ["agreement-2", "banner-4", ""])
def test_C10_an_old_tab_accepts_nothing_that_it_did_not_show(
    client: FlaskClient, make: Make, rosa: Subject, shown: str
) -> None:
    page = come(client)
    answer = force(client, page, f"/sign-in/{txn_of(page)}/agreement", shown=shown, accept="yes")
    assert answer.status_code == 422
    assert make.rows(AgreementAcceptance) == []


def test_declining_is_access_denied_and_audited(client: FlaskClient, make: Make, rosa: Subject) -> None:
    page = come(client)
    assert step_of(send(client, page, "agreement-form", decline="yes")) == "access_denied"
    assert "agreement_declined" in [event.type for event in make.rows(AuditEvent)]
    assert make.rows(AgreementAcceptance) == []
    assert step_of(ask(client)) == "agreement"


def test_prompt_none_with_a_text_to_accept_needs_interaction(client: FlaskClient, rosa: Subject) -> None:
    come(client)
    assert step_of(ask(client, prompt="none")) == "interaction_required"


@pytest.mark.both
def test_X3_consent_is_asked_once_for_an_app_and_an_affiliation(
    client: FlaskClient, make: Make, app_of_rosa: Subject
) -> None:
    page = come(client, client_id="app")
    assert step_of(page) == "consent"
    assert "CEDAR STREET" in page.text
    assert "The Tax ID of the practice you act for" in page.text
    assert step_of(send(client, page, "consent-form", answer="allow")) == "code"
    (kept,) = make.rows(Consent)
    assert kept.affiliation_id is not None
    assert step_of(ask(client, "app")) == "code"
    assert step_of(ask(client, "app", prompt="none")) == "code"


def test_more_scopes_are_asked_again(client: FlaskClient, app_of_rosa: Subject) -> None:
    send(client, come(client, client_id="app"), "consent-form", answer="allow")
    assert step_of(ask(client, "app", scope="openid tin email")) == "consent"
    assert step_of(ask(client, "app", scope="openid tin email", prompt="none")) == "consent_required"


def test_another_provider_is_asked_again(client: FlaskClient, make: Make, app_of_rosa: Subject) -> None:
    send(client, come(client, client_id="app"), "consent-form", answer="allow")
    affiliate(make, app_of_rosa, "BIRCH LANE")
    chooses = ask(client, "app", prompt="select_account")
    key = chooses.text.split("BIRCH LANE")[0].rsplit('value="', 1)[1].split('"', 1)[0]
    consents = send(client, chooses, "choose-form", choice=key)
    assert step_of(consents) == "consent"
    assert "BIRCH LANE" in consents.text


def test_no_is_told_and_audited_and_not_remembered(client: FlaskClient, make: Make, app_of_rosa: Subject) -> None:
    page = come(client, client_id="app")
    assert step_of(send(client, page, "consent-form", answer="deny")) == "access_denied"
    assert "consent_denied" in [event.type for event in make.rows(AuditEvent)]
    assert make.rows(Consent) == []
    assert step_of(ask(client, "app")) == "consent"


@pytest.mark.parametrize(
    "sent",
    [{"answer": "yes"}, {}, {"answer": "allow", "scope": "openid email phone"}, {"answer": "allow", "client_id": "x"}],
)
def test_AZ_33_anything_but_an_answer_is_no_answer(
    client: FlaskClient, make: Make, app_of_rosa: Subject, sent: dict[str, str]
) -> None:
    page = come(client, client_id="app")
    force(client, page, f"/sign-in/{txn_of(page)}/consent", **sent)
    assert make.rows(Consent) == []


@pytest.mark.postgres
def test_RA_09_a_consent_taken_back_while_a_code_is_made_leaves_no_grant(
    app: Flask, client: FlaskClient, make: Make, app_of_rosa: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(client, come(client, client_id="app"), "consent-form", answer="allow")
    issue, through = issuing.code, threading.Event()

    def take_back() -> None:
        with app.app_context(), writing() as tx:
            service.revoke(tx, subject_id=app_of_rosa.id, client_id="app", now=make.now, origin=HERE)
        through.set()

    thread = threading.Thread(target=take_back)

    def meanwhile(*args: Any, **named: Any) -> str:
        thread.start()
        through.wait(0.3)  # through before the code is made, unless it has to wait for it
        return issue(*args, **named)

    monkeypatch.setattr(issuing, "code", meanwhile)
    assert step_of(ask(client, "app")) == "code"
    thread.join(20)
    assert through.is_set()
    assert {grant.revoked_reason for grant in make.rows(Grant)} == {"consent_revoked"}


def test_a_first_party_portal_asks_no_consent(client: FlaskClient, app_of_rosa: Subject) -> None:
    assert step_of(come(client)) == "code"
    assert step_of(ask(client, prompt="consent")) == "consent"


def test_AZ_34_the_allow_button_has_no_focus(client: FlaskClient, app_of_rosa: Subject) -> None:
    page = come(client, client_id="app")
    assert "autofocus" not in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://app.test" in page.headers["Content-Security-Policy"]


def test_TK_06_an_app_disabled_while_its_page_is_open_gets_nothing(
    client: FlaskClient, make: Make, app_of_rosa: Subject
) -> None:
    page = come(client, client_id="app")
    with writing() as tx:
        assert tx.execute(select(Client.enabled).where(Client.client_id == "app")).scalar_one()
        tx.execute(update(Client).where(Client.client_id == "app").values(enabled=False))
    from idp.relying_parties import service as relying_parties

    relying_parties.forget()
    end = send(client, page, "consent-form", answer="allow")
    assert end.status_code >= 400
