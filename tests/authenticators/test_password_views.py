"""The sign-in pages in a browser: branding, steps, change of password."""

import pytest

from idp.authenticators.password.models import PasswordCredential
from idp.foundation.database import writing
from idp.sessions import transactions
from idp.sessions.models import BrowserSession, Transaction
from idp.sign_in.requests import parked
from idp.sign_in.rules import AuthorizationRequest
from tests.authenticators.browsing import bare, follow, open_sign_in, post_form, sign_in, signed_in
from tests.conftest import ISSUER
from tests.factories.make import PASSWORD

NEW = "Orbit-walnut-kettle-77"


def park(client, now, party="ozark-secure", **asked):
    """A portal's parked request in this browser."""
    from idp.foundation.artefacts import digest_of

    open_sign_in(client)
    cookie = client.get_cookie("__Host-credence_browser", domain="credence.test")
    with writing() as tx:
        request = AuthorizationRequest(party, redirect_uri=f"https://{party}.test/callback")
        from datetime import timedelta

        return transactions.park(
            tx,
            browser_digest=digest_of(cookie.value),
            client_id=party,
            request=parked(request) | asked,
            now=now,
            lifetime=timedelta(hours=1),
        )


def await_step(txn, step):
    with writing() as tx:
        transactions.await_step(tx, txn=txn, step=step)


@pytest.mark.both
def test_a_person_signs_in_with_user_id_or_e_mail_in_any_case(new_browser, make):
    make.subject("rosa.delgado")
    for login in ("rosa.delgado", "ROSA.Delgado ", "Rosa.Delgado@mail.test"):
        signed_in(new_browser(), login)


def test_the_page_is_drivable_by_password_managers_and_runners(client, app):
    page = open_sign_in(client)
    for part in ('id="login-form"', 'id="username"', 'id="password"', 'id="login-submit"', "<main"):
        assert part in page.text
    assert 'autocomplete="username webauthn"' in page.text
    assert 'autocomplete="current-password"' in page.text
    assert page.headers["Content-Security-Policy"].count("'unsafe") == 0
    assert 'id="registering"' not in page.text


def test_empty_fields_are_told_beside_them_and_cost_no_attempt(client, make, work):
    make.subject("rosa.delgado")
    hashes, _ = work.of(lambda: None)
    page = open_sign_in(client)
    hashes, _ = work.of(lambda: post_form(client, page, "login-form", username="", password=""))
    answer = post_form(client, page, "login-form", username="", password="")
    assert (hashes, answer.status_code) == (0, 422)
    assert 'id="username-error"' in answer.text
    assert 'id="error"' in answer.text


def test_what_was_typed_stays_but_never_the_password(client, make):
    make.subject("rosa.delgado")
    answer = sign_in(client, "rosa.delgado", "CNRY-wrong-password")
    assert answer.status_code == 422
    assert 'value="rosa.delgado"' in answer.text
    assert "CNRY" not in answer.text


def test_B1_the_terms_stand_beside_the_button_with_the_portals_links(client, make, now):
    make.client(
        "heartland-selfservice",
        sign_in={
            "terms": {"version": "3", "title": {"en": "Terms of use", "es": "Condiciones"}},
            "button": {"en": "Accept & Login", "es": "Aceptar e ingresar"},
        },
        links=[{"label": {"en": "View FAQs", "es": "Preguntas"}, "url": "/faq", "place": "sign_in"}],
    )
    txn = park(client, now, "heartland-selfservice")
    await_step(txn, "password")
    page = client.get(f"/sign-in/{txn}/password")
    assert "Accept &amp; Login" in page.text
    assert "Terms of use" in page.text
    assert "View FAQs" in page.text
    assert "https://heartland-selfservice.test" in page.headers["Content-Security-Policy"]


def test_A6_user_id_first_then_the_password_for_it(client, make, now):
    make.client("ozark-exchange", sign_in={"username_first": True})
    make.subject("rosa.delgado")
    txn = park(client, now, "ozark-exchange")
    await_step(txn, "identify")
    page = client.get(f"/sign-in/{txn}/identify")
    assert 'id="password"' not in page.text
    answer = post_form(client, page, "login-form", username="Rosa.DELGADO")
    assert answer.location.endswith(f"/sign-in/{txn}")
    assert "rosa" not in (make.row(Transaction, txn).login or "")
    await_step(txn, "password")
    page = client.get(f"/sign-in/{txn}/password")
    assert 'value="rosa.delgado"' in page.text
    done = post_form(client, page, "login-form", password=PASSWORD)
    assert done.status_code == 303
    assert len(make.rows(BrowserSession)) == 1


def test_A6_use_another_user_id_forgets_the_first(client, make, now):
    make.client("ozark-exchange", sign_in={"username_first": True})
    txn = park(client, now, "ozark-exchange")
    await_step(txn, "identify")
    post_form(client, client.get(f"/sign-in/{txn}/identify"), "login-form", username="somebody")
    await_step(txn, "password")
    post_form(client, client.get(f"/sign-in/{txn}/password"), "other-login")
    assert make.row(Transaction, txn).login is None


@pytest.mark.parametrize(
    ("identifier", "refused", "empty", "reminds"),
    [
        ("email", "The e-mail or password is not right.", "Enter your e-mail.", False),
        ("user_id", "The user ID or password is not right.", "Enter your user ID.", True),
        ("either", "The user ID or password is not right.", "Enter your user ID or e-mail.", True),
    ],
)
def test_a_portals_page_speaks_of_what_it_asks_for(client, make, now, identifier, refused, empty, reminds):
    make.client("ozark-secure", sign_in={"identifier": identifier})
    make.subject("rosa.delgado")
    txn = park(client, now)
    await_step(txn, "password")
    page = client.get(f"/sign-in/{txn}/password")
    assert ("Forgot user ID?" in page.text) is reminds
    assert refused in post_form(client, page, "login-form", username="rosa.delgado", password="wrong").text
    assert empty in post_form(client, page, "login-form", username="", password="wrong").text
    await_step(txn, "identify")
    page = client.get(f"/sign-in/{txn}/identify")
    assert ("Forgot user ID?" in page.text) is reminds
    assert empty in post_form(client, page, "login-form", username="").text


def test_a_step_that_is_not_awaited_goes_back_to_the_dispatcher(client, make, now):
    make.client("ozark-secure")
    txn = park(client, now)
    for step in ("identify", "change-password"):
        assert client.get(f"/sign-in/{txn}/{step}").location.endswith((f"/sign-in/{txn}", "/sign-in"))


def give(make, subject, **values):
    with writing() as tx:
        row = tx.get(PasswordCredential, subject.id)
        for name, value in values.items():
            setattr(row, name, value)


def test_D6_a_temporary_password_is_changed_before_anything_else(client, make, hands):
    subject = make.subject("rosa.delgado")
    give(make, subject, must_change=True)
    page = follow(client, sign_in(client, "rosa.delgado"))
    assert page.request.path.endswith("/change-password")
    assert client.get("/account/").status_code in {200, 303}
    same = post_form(client, page, "change-password-form", new_password=PASSWORD, repeat_password=PASSWORD)
    assert same.status_code == 422
    assert "must differ" in same.text
    before = client.get_cookie("__Host-credence_session", domain="credence.test").value
    done = post_form(client, page, "change-password-form", new_password=NEW, repeat_password=NEW)
    landed = follow(client, done)
    assert landed.request.path == "/account/"
    assert client.get_cookie("__Host-credence_session", domain="credence.test").value != before
    assert not make.row(PasswordCredential, subject.id).must_change


def test_D6_a_temporary_password_dies_after_its_week(client, make, hands):
    subject = make.subject("rosa.delgado")
    give(make, subject, must_change=True, temporary_until=hands.now)
    hands.forward(seconds=1)
    assert sign_in(client, "rosa.delgado").status_code == 422


def test_MODEL_4_a_typed_password_too_weak_for_the_portal_is_changed_on_the_way_in(client, make, now):
    make.client("carebridge-provider", password={"min_length": 12, "upper": True, "special": True})
    subject = make.subject("rosa.delgado")
    txn = park(client, now, "carebridge-provider")
    await_step(txn, "password")
    post_form(client, client.get(f"/sign-in/{txn}/password"), "login-form", username="rosa.delgado", password=PASSWORD)
    assert make.row(PasswordCredential, subject.id).satisfies == []
    await_step(txn, "change-password")
    page = client.get(f"/sign-in/{txn}/change-password")
    assert "One upper-case letter" in page.text
    refused = post_form(
        client, page, "change-password-form", new_password="walnutkettleorbit", repeat_password="walnutkettleorbit"
    )
    assert refused.status_code == 422
    assert "unmet" in refused.text
    done = post_form(client, page, "change-password-form", new_password=NEW, repeat_password=NEW)
    assert done.status_code == 303
    assert make.row(PasswordCredential, subject.id).satisfies == ["carebridge-provider"]


def test_a_digest_of_old_parameters_is_renewed_at_sign_in(client, make, app):
    from idp.authenticators.password.kdf import Kdf
    from idp.vocabulary.secret import Secret

    subject = make.subject("rosa.delgado")
    old = Kdf(memory_kib=16, time_cost=1, parallelism=1, concurrency=1, queue=1).digest(Secret(PASSWORD))
    give(make, subject, digest=old)
    signed_in(client, "rosa.delgado")
    renewed = make.row(PasswordCredential, subject.id).digest
    assert "m=8," in renewed
    assert renewed != old


def test_RX_02_busy_hashing_is_503_with_retry_after_and_uses_up_no_attempt(client, make, app):
    from idp.authenticators.password.kdf import Kdf
    from idp.foundation import house

    make.subject("rosa.delgado")
    kdf = house.get(Kdf)
    taken = 0
    while kdf._places.acquire(blocking=False):
        taken += 1
    try:
        answers = [sign_in(client, "rosa.delgado") for _ in range(6)]
    finally:
        for _ in range(taken):
            kdf._places.release()
    assert {answer.status_code for answer in answers} == {503}
    assert int(answers[0].headers["Retry-After"]) > 0
    assert ISSUER not in bare(answers[0])
    signed_in(client, "rosa.delgado")
