"""A person's own pages in a browser (SE-04, SI-20, X5)."""

import re
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError

from idp.audit.models import AuditEvent
from idp.authenticators.password.models import PasswordCredential
from idp.consent.models import Consent, Grant
from idp.consent.words import released
from idp.foundation.database import writing
from idp.sessions import cookies
from idp.sessions.models import BrowserSession
from idp.subjects.models import Subject
from tests.authenticators.browsing import post_form, press, sign_in, signed_in
from tests.factories.make import PASSWORD

NEW = "Orbit-walnut-kettle-77"
PAGES = (
    "/account/", "/account/profile", "/account/security", "/account/factors", "/account/devices", "/account/sessions", "/account/activity",
    "/account/access", "/account/apps",
)  # fmt: skip
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize("path", [*PAGES, "/account/sessions/end-others"])
def test_nobody_sees_a_page_without_a_session(client, app, path):
    answer = client.get(path)
    assert answer.status_code == 303
    assert answer.location.startswith(("/sign-in?to=account.", "/sign-in?to=ways.", "/sign-in?to=activity."))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_page_is_shown_in_both_languages(client, make, path, language):
    make.subject("rosa.delgado", locale=language)
    page = signed_in(client, "rosa.delgado").get(path)
    assert page.status_code == 200
    assert f'<html lang="{language}"' in page.text
    assert 'aria-current="page"' in page.text
    assert "Rosa Delgado" in page.text


def test_a_page_that_can_be_read_stands_where_nothing_can_be_written(client, make, hands, monkeypatch):
    make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    hands.forward(minutes=2)

    @contextmanager
    def full():
        raise OperationalError("INSERT", None, Exception("disk full"))
        yield

    monkeypatch.setattr(cookies, "writing", full)
    assert client.get("/account/").status_code == 200
    assert client.get("/account/sessions").status_code == 200


def test_after_signing_in_the_person_lands_on_the_page_they_asked_for(client, make):
    from tests.authenticators.browsing import follow

    make.subject("rosa.delgado")
    page = follow(client, client.get("/account/sessions"))
    landed = follow(client, post_form(client, page, "login-form", username="rosa.delgado", password=PASSWORD))
    assert landed.request.path == "/account/sessions"


@pytest.mark.both
def test_SE_04_sessions_are_listed_and_one_can_be_ended(client, new_browser, make):
    make.subject("rosa.delgado")
    other = new_browser()
    other.environ_base["HTTP_USER_AGENT"] = FIREFOX
    signed_in(other, "rosa.delgado")
    signed_in(client, "rosa.delgado")
    page = client.get("/account/sessions")
    assert "Firefox" in page.text
    assert "127.0.0.1" in page.text
    doomed = next(row for row in make.rows(BrowserSession) if "Firefox" in row.user_agent)
    path = f"/account/sessions/{doomed.id}/end"
    ask = client.get(path)
    assert make.row(BrowserSession, doomed.id).ended_at is None
    assert press(client, ask, path).location == "/account/sessions?done=session"
    assert other.get("/account/").status_code == 303
    assert client.get("/account/").status_code == 200


@pytest.mark.both
def test_SE_04_all_others_can_be_ended_at_once(client, new_browser, make):
    make.subject("rosa.delgado")
    others = [signed_in(new_browser(), "rosa.delgado") for _ in range(3)]
    signed_in(client, "rosa.delgado")
    press(client, client.get("/account/sessions/end-others"), "/account/sessions/end-others")
    assert {browser.get("/account/").status_code for browser in others} == {303}
    assert client.get("/account/").status_code == 200


def test_SE_04_a_foreign_session_is_a_404_and_lives_on(client, new_browser, make):
    make.subject("rosa.delgado")
    make.subject("somebody.else")
    other = signed_in(new_browser(), "somebody.else")
    foreign = make.rows(BrowserSession)[0]
    signed_in(client, "rosa.delgado")
    path = f"/account/sessions/{foreign.id}/end"
    assert client.get(path).status_code == 404
    asking = client.get("/account/sessions/end-others")
    token = asking.text.split('name="csrf_token" value="')[1].split('"')[0]
    sent = client.post(path, data={"csrf_token": token}, headers={"Origin": "https://credence.test"})
    assert sent.status_code == 404
    assert other.get("/account/").status_code == 200


def test_changes_need_the_token_and_carry_nothing_else(client, make):
    make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    assert client.post("/account/sessions/end-others").status_code == 403
    page = client.get("/account/sessions/end-others")
    assert press(client, page, "/account/sessions/end-others", subject_id="other").status_code == 400


@pytest.mark.both
def test_the_password_is_changed_after_the_current_one_and_this_browser_stays(client, new_browser, make):
    subject = make.subject("rosa.delgado")
    other = signed_in(new_browser(), "rosa.delgado")
    signed_in(client, "rosa.delgado")
    before = client.get_cookie("__Host-credence_session", domain="credence.test").value
    page = client.get("/account/security")
    done = post_form(
        client, page, "change-password-form", current_password=PASSWORD, new_password=NEW, repeat_password=NEW
    )
    assert done.location == "/account/security?done=password"
    assert client.get(done.location).status_code == 200
    assert client.get_cookie("__Host-credence_session", domain="credence.test").value != before
    assert other.get("/account/").status_code == 303
    assert sign_in(new_browser(), "rosa.delgado", PASSWORD).status_code == 422
    signed_in(new_browser(), "rosa.delgado", NEW)
    assert make.row(Subject, subject.id).epoch == subject.epoch + 1
    assert "password_changed" in {event.type for event in make.rows(AuditEvent)}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"current_password": "wrong", "new_password": NEW, "repeat_password": NEW}, "current_password"),
        ({"current_password": PASSWORD, "new_password": PASSWORD, "repeat_password": PASSWORD}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "short", "repeat_password": "short"}, "new_password"),
        ({"current_password": PASSWORD, "new_password": NEW, "repeat_password": NEW + "!"}, "repeat_password"),
        ({"current_password": "", "new_password": NEW, "repeat_password": NEW}, "current_password"),
    ],
)
def test_what_is_wrong_with_a_new_password_is_told_beside_its_field(client, make, typed, field):
    subject = make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    before = make.row(PasswordCredential, subject.id).digest
    page = client.get("/account/security")
    answer = post_form(client, page, "change-password-form", **typed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert make.row(PasswordCredential, subject.id).digest == before


def test_language_and_zone_are_kept(client, make):
    subject = make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    page = client.get("/account/profile")
    answer = post_form(client, page, "language-form", locale="es", zoneinfo="America/Denver")
    assert '<html lang="es"' in client.get(answer.location).text
    kept = make.row(Subject, subject.id)
    assert (kept.locale, kept.zoneinfo) == ("es", "America/Denver")
    for bad in ({"locale": "../../x", "zoneinfo": "UTC"}, {"locale": "en", "zoneinfo": "Mars/Olympus"}):
        assert post_form(client, page, "language-form", **bad).status_code == 422


def test_my_access_shows_states_levels_and_who_can_change_what(client, make):
    make.client("ozark-secure")
    subject = make.subject("rosa.delgado")
    clinic = make.group(registry_name="ozark")
    make.affiliation(
        subject, clinic, registry="ozark", levels=(("ozark-secure", "claims.inquiry"),), account_manager=True
    )
    make.affiliation(subject, make.practice(), registry="ozark", status="disabled", disabled_by="manager")
    page = signed_in(client, "rosa.delgado").get("/account/access")
    assert "JUNIPER RIDGE CLINIC" in page.text
    assert "Claims inquiry" in page.text
    assert "Account manager" in page.text
    assert "Disabled by an account manager" in page.text
    assert "**-***" in page.text


@pytest.mark.both
def test_a_connected_app_is_shown_and_its_access_can_be_taken_back(client, make):
    subject = make.subject("rosa.delgado")
    make.client("harborline-analytics", partner=True)
    session, _ = make.session(subject)
    grant = make.grant(session, "harborline-analytics", scopes="openid profile")
    with writing() as tx:
        tx.add(
            Consent(
                subject_id=subject.id, client_id="harborline-analytics", scopes="email", granted_at=session.created_at
            )
        )
    signed_in(client, "rosa.delgado")
    page = client.get("/account/apps")
    assert {*map(str, released(["email", "profile"]))} <= {*re.findall("<li>(.*?)</li>", page.text)}
    assert "harborline-analytics" in page.text
    assert "Your e-mail address" in page.text
    path = "/account/apps/harborline-analytics/revoke"
    asking = client.get(path)
    assert make.row(Grant, grant.id).revoked_at is None
    assert press(client, asking, path).status_code == 303
    assert make.row(Grant, grant.id).revoked_at is not None
    assert "harborline" not in client.get("/account/apps").text
    assert client.get(path).status_code == 404
    assert client.get("/account/apps/ozark-secure/revoke").status_code == 404


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", "{{7*7}}", '"><img src=x onerror=alert(1)>'])
def test_AD_15_SE_15_names_and_browsers_are_shown_as_text(client, make, evil):
    make.subject("rosa.delgado", display_name=evil)
    client.environ_base["HTTP_USER_AGENT"] = evil
    signed_in(client, "rosa.delgado")
    for path in PAGES:
        text = client.get(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "49" not in text or evil != "{{7*7}}" or "{{7*7}}" in text


def test_an_idle_session_is_over_after_thirty_minutes(client, make, hands):
    make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    hands.forward(minutes=29)
    assert client.get("/account/").status_code == 200
    hands.forward(minutes=30)
    assert client.get("/account/").status_code == 303
