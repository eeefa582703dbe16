"""The step after the password: nobody is signed in before it, nothing goes around it (MF area of SECURITY)."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.authenticators.totp.models import TotpSecret
from idp.authenticators.totp.service import _take
from idp.foundation.vault import Unopenable
from idp.sessions.models import BrowserSession, Transaction
from idp.subjects.models import Subject
from tests.authenticators.second_factors import code_of, type_code
from tests.conftest import Hands
from tests.factories import Make
from tests.oidc.flow import Flow, Registered, payload_of, query_of
from tests.sign_in.visiting import SESSION, ask, come, enter, force, send, step_of, txn_of

pytestmark = pytest.mark.both


@pytest.fixture
def rosa(make: Make) -> tuple[Any, str]:
    """Somebody who holds an authenticator app, and its secret."""
    subject = make.subject(user_id="rosa.delgado")
    make.client("ozark-secure")
    make.affiliation(subject, make.provider(registry_name="ozark"), levels=(("ozark-secure", "claims.inquiry"),))
    return subject, make.totp(subject)[1]


def test_MF_01_a_right_password_alone_signs_nobody_in(client: FlaskClient, make: Make, rosa: Any) -> None:
    page = come(client)
    assert step_of(page) == "totp"
    assert make.rows(BrowserSession) == []
    assert client.get_cookie(SESSION, domain="credence.test") is None
    txn = txn_of(page)
    for path in (f"/sign-in/{txn}", f"/oauth/authorize/{txn}", f"/sign-in/{txn}/consent", f"/sign-in/{txn}/choose"):
        answer = client.get(path)
        while answer.status_code in {302, 303}:
            answer = client.get(answer.location)
        assert step_of(answer) in {"totp", "password"}, path
        assert client.get_cookie(SESSION, domain="credence.test") is None
    for path in (f"/sign-in/{txn}/consent", f"/sign-in/{txn}/choose", f"/sign-in/{txn}/set-up-mfa"):
        assert force(client, page, path).status_code == 303
    assert client.get("/account/").status_code == 303
    assert make.rows(BrowserSession) == []


def test_C4_the_code_of_the_app_signs_in_and_acr_amr_say_so(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    subject, secret = rosa
    done = type_code(client, come(client), code_of(secret, hands.now))
    assert step_of(done) == "code"
    (session,) = make.rows(BrowserSession)
    assert (session.subject_id, session.acr, session.amr) == (subject.id, ["aal1", "aal2"], ["pwd", "otp", "mfa"])
    assert set(session.proven) == {"password", "totp"}
    code = query_of(done.location)["code"][0]
    told = payload_of(Flow(client, Registered("ozark-secure")).exchange(code).json["id_token"])
    assert (told["acr"], told["amr"]) == ("aal2", ["pwd", "otp", "mfa"])


def test_MF_05_a_code_counts_once_also_in_another_sign_in(
    client: FlaskClient, new_browser: Any, hands: Hands, rosa: Any
) -> None:
    code = code_of(rosa[1], hands.now)
    assert step_of(type_code(client, come(client), code)) == "code"
    other = new_browser()
    again = type_code(other, come(other), code)
    assert step_of(again) == "totp"
    assert "used already" in again.text


@pytest.mark.parametrize("disguise", [
    lambda code: "".join(chr(0xFF10 + int(digit)) for digit in code),
    lambda code: "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in code),
    lambda code: f"{code[:3]} {code[3:]}",
])  # fmt: skip
def test_MF_06_a_used_code_in_disguise_is_used(
    client: FlaskClient, new_browser: Any, hands: Hands, rosa: Any, disguise: Any
) -> None:
    code = code_of(rosa[1], hands.now)
    assert step_of(type_code(client, come(client), code)) == "code"
    other = new_browser()
    assert step_of(type_code(other, come(other), disguise(code))) == "totp"


@pytest.mark.parametrize("steps", [-2, 2])
def test_MF_07_a_code_of_two_steps_away_is_wrong(client: FlaskClient, hands: Hands, rosa: Any, steps: int) -> None:
    assert step_of(type_code(client, come(client), code_of(rosa[1], hands.now, steps=steps))) == "totp"


def test_MF_07_an_older_step_after_a_newer_one_is_used(
    client: FlaskClient, new_browser: Any, hands: Hands, rosa: Any
) -> None:
    assert step_of(type_code(client, come(client), code_of(rosa[1], hands.now, steps=1))) == "code"
    other = new_browser()
    assert step_of(type_code(other, come(other), code_of(rosa[1], hands.now))) == "totp"


def test_SI_12_a_session_that_was_there_gets_a_new_cookie_with_the_factor(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    type_code(client, come(client), code_of(rosa[1], hands.now))
    before = client.get_cookie(SESSION, domain="credence.test")
    hands.forward(minutes=1)
    done = type_code(client, come(client, prompt="login"), code_of(rosa[1], hands.now))
    after = client.get_cookie(SESSION, domain="credence.test")
    assert step_of(done) == "code"
    assert before is not None and after is not None and before.value != after.value
    client.set_cookie(SESSION, before.value, domain="credence.test", secure=True)
    assert client.get("/account/").status_code == 303


def test_MF_03_five_wrong_codes_end_the_sign_in_and_ten_pause_the_account(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    for _ in range(5):
        page = type_code(client, page, "000000")
        assert step_of(page) == "totp"
    page = type_code(client, page, "000000")
    assert "Too many wrong codes" in page.text
    assert make.rows(Transaction)[-1].pending_subject_id is None
    other = new_browser()
    page = come(other)
    for _ in range(5):
        page = type_code(other, page, "000000")
    third = new_browser()
    page = type_code(third, come(third), code_of(rosa[1], hands.now))
    assert step_of(page) == "totp"
    assert "Wait 10 minutes" in page.text
    hands.forward(minutes=10)
    page = type_code(third, page, code_of(rosa[1], hands.now))
    assert step_of(page) == "code"


def test_a_password_waits_fifteen_minutes_for_its_factor(client: FlaskClient, hands: Hands, rosa: Any) -> None:
    page = come(client)
    hands.forward(minutes=15)
    assert step_of(type_code(client, page, code_of(rosa[1], hands.now))) == "password"


def test_RC_11_a_reset_in_between_ends_the_waiting(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, tx: Any
) -> None:
    page = come(client)
    tx.get(Subject, rosa[0].id).epoch += 1
    tx.commit()
    assert step_of(type_code(client, page, code_of(rosa[1], hands.now))) == "password"


def test_use_another_account_goes_back_to_the_password(client: FlaskClient, rosa: Any) -> None:
    page = come(client)
    page = force(client, page, f"/sign-in/{txn_of(page)}/start-over")
    while page.status_code == 303:
        page = client.get(page.location)
    assert step_of(page) == "password"


def test_every_outcome_is_audited_and_no_code_is(client: FlaskClient, make: Make, hands: Hands, rosa: Any) -> None:
    page = type_code(client, come(client), "000000")
    type_code(client, page, code_of(rosa[1], hands.now))
    told = [(each.type, each.outcome) for each in make.rows(AuditEvent) if each.subject_id == rosa[0].id]
    assert ("password_proven", "ok") in told
    assert ("sign_in_refused", "wrong_code") in told
    assert ("signed_in", "ok") in told
    assert "000000" not in "".join(str(each.details) for each in make.rows(AuditEvent))


def test_ST_05_a_secret_moved_to_another_row_does_not_open(make: Make, tx: Any, rosa: Any) -> None:
    other, _secret = make.totp(make.subject(user_id="ines.ortega"))
    mine = tx.scalars(select(TotpSecret).where(TotpSecret.factor_id != other.id)).one()
    tx.get(TotpSecret, other.id).secret_sealed = mine.secret_sealed
    tx.flush()
    with pytest.raises(Unopenable):
        _take(tx, "123456", mine=(other.id,), now=make.now)


def test_the_password_is_asked_of_whoever_holds_nothing_and_no_more(client: FlaskClient, make: Make, rosa: Any) -> None:
    ines = make.subject(user_id="ines.ortega")
    make.affiliation(ines, make.provider(registry_name="ozark"), levels=(("ozark-secure", "claims.inquiry"),))
    assert step_of(enter(client, ask(client), "ines.ortega")) == "code"


def test_a_malformed_form_is_no_attempt(client: FlaskClient, hands: Hands, rosa: Any) -> None:
    page = come(client)
    for _ in range(7):
        assert force(client, page, page.request.path, code="1", csrf="x", other="y").status_code == 400
    assert step_of(send(client, page, "factor-form", code=code_of(rosa[1], hands.now))) == "code"
