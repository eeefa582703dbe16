"""The ceremonies as browsers see them: pages, the mailed link, who may go on, and what an answer costs nobody."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.consent.models import AgreementAcceptance
from idp.enrollment.models import Enrollment
from idp.foundation.artefacts import Artefact, Kind
from idp.messaging.rules import DELIVERY_HORIZON
from idp.settings import Settings
from idp.subjects.models import Subject
from idp.worker.sweep import sweep
from tests.authenticators.browsing import post_form, signed_in
from tests.conftest import Hands
from tests.enrollment.worlds import ACCOUNT, PORTAL, follow, link_of, mailed, open_ceremony, portal, press, send
from tests.factories import Make
from tests.factories.make import PASSWORD

pytestmark = pytest.mark.both
STEPS = ("create_account", "verify_email", "agreement", "confirmation")
Browsers = Callable[[], FlaskClient]


@pytest.fixture(autouse=True)
def ceremony(make: Make) -> None:
    portal(make, *STEPS)


def test_opening_a_ceremony_keeps_nothing(client: FlaskClient, make: Make) -> None:
    page = open_ceremony(client)
    assert page.status_code == 200 and 'name="email"' in page.text
    assert make.rows(Enrollment) == []


def test_RC_19_nobody_exists_before_the_mailbox_is_proven(client: FlaskClient, make: Make) -> None:
    page = send(client, open_ceremony(client), **ACCOUNT)
    assert page.request.path.endswith("/verify-email")
    assert make.rows(Subject) == []
    assert ACCOUNT["email"] not in page.text and "ju•••@harwood.test" in page.text


def test_C3_the_link_makes_the_account_and_its_person_signs_in(client: FlaskClient, make: Make) -> None:
    send(client, open_ceremony(client), **ACCOUNT)
    page = press(client, link_of(make))
    assert page.request.path.endswith("/password"), page.request.path
    page = follow(client, post_form(client, page, "login-form", username=ACCOUNT["email"], password=PASSWORD))
    assert page.request.path.endswith("/agreement")
    (subject,) = make.rows(Subject)
    assert (subject.status, subject.given_name, subject.family_name) == ("active", "June", "Harwood")
    assert subject.email_verified_at is not None


def test_C10_the_agreement_is_kept_when_the_ceremony_ends(client: FlaskClient, make: Make) -> None:
    send(client, open_ceremony(client), **ACCOUNT)
    page = press(client, link_of(make))
    page = follow(client, post_form(client, page, "login-form", username=ACCOUNT["email"], password=PASSWORD))
    refused = post_form(client, page, "enroll-form")
    assert refused.status_code == 422 and make.rows(AgreementAcceptance) == []
    page = send(client, page, agree="yes")
    assert 'id="enroll-done"' in page.text
    (accepted,) = make.rows(AgreementAcceptance)
    assert (accepted.kind, accepted.version, accepted.client_id) == ("agreement", "1", PORTAL)


def test_RC_09_opening_the_link_changes_nothing(client: FlaskClient, make: Make) -> None:
    send(client, open_ceremony(client), **ACCOUNT)
    link = link_of(make)
    for method in ("GET", "HEAD"):
        assert client.open(link, method=method).status_code == 200
    assert make.rows(Subject) == []
    press(client, link)
    assert len(make.rows(Subject)) == 1


def test_EN_12_a_link_works_once_and_a_newer_one_voids_it(client: FlaskClient, make: Make) -> None:
    page = send(client, open_ceremony(client), **ACCOUNT)
    former = link_of(make)
    page = post_form(client, page, None) if 'id="send-again"' not in page.text else page
    action = page.request.path.replace("verify-email", "send-again")
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    again = client.post(action, data={"csrf_token": token})
    assert again.status_code == 200 and "sent the e-mail again" in again.text
    assert client.get(former).status_code == 410
    link = link_of(make)
    assert link != former
    press(client, link)
    assert client.get(link).status_code == 410


def test_EN_12_a_link_expires(client: FlaskClient, make: Make, hands: Hands) -> None:
    send(client, open_ceremony(client), **ACCOUNT)
    hands.forward(hours=49)
    assert client.get(link_of(make)).status_code == 410


def test_EN_12_an_operator_sets_how_long_a_link_lives(
    client: FlaskClient, make: Make, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = client.application.extensions["credence"]
    monkeypatch.setitem(
        pieces, Settings, pieces[Settings].model_copy(update={"email_link_lifetime": timedelta(hours=1)})
    )
    send(client, open_ceremony(client), **ACCOUNT)
    (link,) = (row for row in make.rows(Artefact) if row.kind == Kind.EMAIL_PROOF)
    assert link.expires_at == hands.now + timedelta(hours=1) + DELIVERY_HORIZON


def test_A9_RC_19_another_browser_needs_the_password_typed_at_registration(
    client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    send(client, open_ceremony(client), **ACCOUNT)
    victim, link = new_browser(), link_of(make)
    page = victim.get(link)
    assert 'name="password"' in page.text
    wrong = post_form(victim, page, "link-form", password="not-what-mallory-typed")
    assert wrong.status_code == 422 and make.rows(Subject) == []
    page = press(victim, link, password=PASSWORD)
    assert page.request.path.endswith("/agreement")
    assert client.get(f"/enroll/{PORTAL}/register/").status_code == 200, "the first browser has lost it"


def test_RC_19_the_password_at_the_link_is_limited(client: FlaskClient, new_browser: Browsers, make: Make) -> None:
    send(client, open_ceremony(client), **ACCOUNT)
    victim, link = new_browser(), link_of(make)
    for _ in range(5):
        post_form(victim, victim.get(link), "link-form", password="guess-guess-guess")
    page = post_form(victim, victim.get(link), "link-form", password=PASSWORD)
    assert page.status_code == 422 and make.rows(Subject) == []


def test_EN_10_C3_a_known_address_gets_the_same_page_and_another_mail(
    client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    known = make.subject("june.harwood", email=ACCOUNT["email"])
    page = send(client, open_ceremony(client), **ACCOUNT)
    stranger = new_browser()
    other = send(
        stranger,
        open_ceremony(stranger),
        **ACCOUNT | {"email": "new@harwood.test", "confirm_email": "new@harwood.test"},
    )

    def bare(text: str) -> str:
        return "".join(text.split("ju•••@harwood.test")[0].split("enroll/")[0])

    assert page.status_code == other.status_code == 200
    assert page.text.count("<li>") == other.text.count("<li>")
    assert len(mailed(make, "already_registered")) == 1 and len(mailed(make, "verify_email")) == 1
    assert [row.id for row in make.rows(Subject)] == [known.id]


def test_X4_a_known_person_signs_in_and_no_twin_is_made(client: FlaskClient, make: Make) -> None:
    known = make.subject("june.harwood", email=ACCOUNT["email"])
    send(
        client,
        open_ceremony(client),
        **ACCOUNT | {"password": "a-quite-different-one-9", "confirm_password": "a-quite-different-one-9"},
    )
    page = press(client, link_of(make, "already_registered"))
    assert 'id="login-form"' in page.text
    page = follow(client, post_form(client, page, "login-form", username="june.harwood", password=PASSWORD))
    assert page.request.path.endswith("/agreement")
    page = send(client, page, agree="yes")
    assert 'id="enroll-done"' in page.text
    assert [row.id for row in make.rows(Subject)] == [known.id]
    assert len(mailed(make, "welcome")) == 1


def test_X4_whoever_is_signed_in_continues_with_that_account(client: FlaskClient, make: Make) -> None:
    known = make.subject("june.harwood")
    signed_in(client, "june.harwood")
    page = open_ceremony(client)
    assert 'name="use_account"' in page.text and 'name="password"' not in page.text
    page = send(client, page)
    assert page.request.path.endswith("/agreement")
    assert make.rows(Enrollment)[0].subject_id == known.id


def test_X4_signing_in_half_way_comes_back_to_the_ceremony(client: FlaskClient, make: Make) -> None:
    make.subject("june.harwood")
    page = follow(client, post_form(client, open_ceremony(client), "enroll-form", sign_in="yes"))
    assert 'id="login-form"' in page.text
    page = follow(client, post_form(client, page, "login-form", username="june.harwood", password=PASSWORD))
    assert 'name="use_account"' in page.text


def test_EN_15_no_step_is_skipped_by_a_direct_post(client: FlaskClient, make: Make) -> None:
    page = send(client, open_ceremony(client), **ACCOUNT)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    target = page.request.path.replace("verify-email", "agreement")
    answer = client.post(target, data={"csrf_token": token, "agree": "yes", "agreement_version": "1"})
    assert answer.status_code == 303 and not answer.location.endswith("/agreement")
    assert make.rows(Enrollment)[0].done == ["create_account"]


def test_another_browser_cannot_go_on_with_a_run(client: FlaskClient, new_browser: Browsers, make: Make) -> None:
    page = send(client, open_ceremony(client), **ACCOUNT)
    other = new_browser()
    assert follow(other, other.get(page.request.path)).status_code == 400


def test_a_run_is_resumed_in_its_browser_and_left_by_cancel(client: FlaskClient, make: Make) -> None:
    page = send(client, open_ceremony(client), **ACCOUNT)
    assert open_ceremony(client).request.path == page.request.path
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    left = client.post(page.request.path.replace("verify-email", "leave"), data={"csrf_token": token})
    assert left.location == f"https://{PORTAL}.test/"
    (row,) = make.rows(Enrollment)
    assert row.outcome == "left" and row.finished_at is not None
    assert 'name="email"' in open_ceremony(client).text
    assert client.get(link_of(make)).status_code == 410


def test_Back_keeps_what_was_typed_but_no_secret(client: FlaskClient, make: Make) -> None:
    page = send(client, open_ceremony(client), **ACCOUNT)
    first = client.get(page.request.path.replace("verify-email", "create-account"))
    assert 'value="june@harwood.test"' in first.text and 'value="June"' in first.text
    assert PASSWORD not in first.text


def test_A5_C1_errors_stand_beside_their_fields_and_nothing_is_kept(client: FlaskClient, make: Make) -> None:
    page = post_form(
        client, open_ceremony(client), "enroll-form",
        **ACCOUNT | {"confirm_email": "other@harwood.test", "password": "short", "confirm_password": "other", "phone": "12"},
    )  # fmt: skip
    assert page.status_code == 422
    for field in ("confirm_email", "password", "confirm_password", "phone"):
        assert f'id="{field}-error"' in page.text
    assert "At least 15 characters" in page.text and make.rows(Enrollment) == []
    assert 'value="June"' in page.text and 'value="short"' not in page.text


@pytest.mark.parametrize(
    "sent", [{"email": "x@y.test", "is_admin": "yes"}, {"subject_id": "1"}, {"done": "verify_email"}]
)
def test_AD_06_unknown_fields_are_400(client: FlaskClient, make: Make, sent: dict[str, str]) -> None:
    page = post_form(client, open_ceremony(client), "enroll-form", **ACCOUNT | sent)
    assert page.status_code == 400 and make.rows(Enrollment) == []


def test_RX_10_one_address_is_mailed_five_times_an_hour(client: FlaskClient, new_browser: Browsers, make: Make) -> None:
    for _ in range(7):
        browser = new_browser()
        page = send(browser, open_ceremony(browser), **ACCOUNT)
        assert page.request.path.endswith("/verify-email"), "the page says the same"
    assert len(mailed(make, "verify_email")) == 5


def test_ST_04_nothing_typed_stands_in_the_table(client: FlaskClient, make: Make) -> None:
    send(client, open_ceremony(client), **ACCOUNT)
    (row,) = make.rows(Enrollment)
    kept = repr((row.done, row.answers_sealed))
    assert "harwood" not in kept and PASSWORD not in kept


def test_the_person_of_another_session_does_not_go_on(client: FlaskClient, make: Make) -> None:
    make.subject("mallory")
    send(client, open_ceremony(client), **ACCOUNT)
    link = link_of(make)
    page = press(client, link)
    run = make.rows(Enrollment)[0]
    signed_in(client, "mallory")
    page = client.get(f"/enroll/{PORTAL}/register/{run.id}")
    assert page.status_code == 409 and "Somebody else is signed in here" in page.text


def test_EN_08_twins_by_case_are_one_mailbox(client: FlaskClient, make: Make) -> None:
    make.subject("june.harwood", email="june@harwood.test")
    send(
        client, open_ceremony(client), **ACCOUNT | {"email": "JUNE@Harwood.TEST", "confirm_email": "JUNE@Harwood.TEST"}
    )
    assert len(mailed(make, "already_registered")) == 1


def test_unknown_portals_ceremonies_and_pages_are_404(client: FlaskClient, app: Flask, make: Make) -> None:
    page = send(client, open_ceremony(client), **ACCOUNT)
    for path in (
        "/enroll/nobody/register/",
        f"/enroll/{PORTAL}/nothing/",
        page.request.path.replace("verify-email", "x"),
    ):
        assert client.get(path).status_code == 404


def test_what_nobody_finished_is_forgotten(client: FlaskClient, make: Make, hands: Hands) -> None:
    send(client, open_ceremony(client), **ACCOUNT)
    hands.forward(days=2)
    assert sweep(now=hands.now)["enrollments"] == 0, "a late mail may still lead back"
    hands.forward(days=1, minutes=1)
    assert sweep(now=hands.now)["enrollments"] == 1
    assert make.rows(Enrollment) == []
