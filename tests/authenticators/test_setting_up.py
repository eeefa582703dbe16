"""*Set Up Multifactor Authentication*: required by a portal, at its own step, with recovery codes at its end (C4)."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.totp.models import TotpSecret
from idp.foundation.artefacts import Artefact
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession, Transaction
from tests.authenticators.second_factors import code_of, set_up_totp, type_code
from tests.conftest import Hands
from tests.factories import Make
from tests.sign_in.visiting import SESSION, come, force, send, step_of, walk

pytestmark = pytest.mark.both


@pytest.fixture
def rosa(make: Make) -> Any:
    """Somebody without a factor, at a portal that requires one."""
    subject = make.subject(user_id="rosa.delgado")
    make.client("ozark-secure", mfa={"policy": "required"})
    make.affiliation(
        subject, make.provider(registry_name="ozark"), registry="ozark", levels=(("ozark-secure", "admin"),)
    )
    return subject


def codes_on(page: Any) -> list[str]:
    return re.findall(r"<code>([a-z0-9-]+)</code>", page.text)


def test_C4_who_holds_nothing_sets_one_up_gets_ten_codes_and_goes_on(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    assert step_of(page) == "set-up-mfa"
    assert "set-up-continue" not in page.text
    page, _secret = set_up_totp(client, page, hands.now, name="Work phone")
    assert step_of(page) == "set-up-mfa"
    assert "“Work phone”" in page.text
    codes = send(client, page, "set-up-done")
    assert len(set(codes_on(codes))) == 10
    assert codes.headers["Cache-Control"] == "no-store"
    assert step_of(walk(client, client.get(page.request.path.removesuffix("/set-up-mfa")))) == "code"
    (session,) = make.rows(BrowserSession)
    assert session.acr == ["aal1", "aal2"]
    told = {each.type for each in make.rows(AuditEvent)}
    assert {"factor_added", "recovery_codes_made", "factors_set_up"} <= told
    assert [each.notice for each in make.rows(OutboxMessage)] == ["factor_added"]


def test_no_page_leads_past_the_set_up(client: FlaskClient, rosa: Any) -> None:
    page = come(client)
    assert step_of(walk(client, force(client, page, page.request.path))) == "set-up-mfa"
    txn = page.request.path.split("/")[2]
    assert step_of(walk(client, client.get(f"/oauth/authorize/{txn}"))) == "set-up-mfa"


def test_SI_12_the_session_gets_a_new_cookie_with_its_factor(client: FlaskClient, hands: Hands, rosa: Any) -> None:
    page = come(client)
    before = client.get_cookie(SESSION, domain="credence.test")
    set_up_totp(client, page, hands.now)
    after = client.get_cookie(SESSION, domain="credence.test")
    assert before is not None and after is not None and before.value != after.value


def test_MF_08_a_secret_from_the_browser_or_another_set_up_adds_nothing(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    set_up = walk(client, force(client, page, page.request.path + "/totp/new"))
    theirs = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    code = code_of(theirs, hands.now)
    assert force(client, set_up, set_up.request.path, code=code, name="", secret=theirs).status_code == 400
    assert send(client, set_up, "totp-form", code=code, name="").status_code == 422
    make.affiliation(
        make.subject(user_id="ines.ortega"), make.provider(registry_name="ozark"), levels=(("ozark-secure", "admin"),)
    )
    other = new_browser()
    _page, secret = set_up_totp(other, come(other, "ines.ortega"), hands.now)
    assert send(client, set_up, "totp-form", code=code_of(secret, hands.now), name="").status_code == 422
    assert {row.subject_id for row in make.rows(HeldFactor)} == {make.rows(HeldFactor)[0].subject_id}


def test_MF_08_a_proven_secret_is_never_shown_again(client: FlaskClient, make: Make, hands: Hands, rosa: Any) -> None:
    page = come(client)
    _page, secret = set_up_totp(client, page, hands.now)
    again = client.get(page.request.path + "/totp")
    assert secret[:8] not in again.text.replace(" ", "")
    assert 'class="qr"' not in again.text
    assert all(row.set_up_sealed is None for row in make.rows(Transaction))


def test_MF_09_the_secret_has_160_bits_and_stands_in_no_address(client: FlaskClient, hands: Hands, rosa: Any) -> None:
    page = come(client)
    set_up = walk(client, force(client, page, page.request.path + "/totp/new"))
    secret = set_up.text.split('id="totp-key">', 1)[1].split("<", 1)[0].replace(" ", "")
    assert len(secret) * 5 >= 160
    assert secret not in re.sub(r'id="totp-key">[^<]*', "", set_up.text).replace(" ", "")
    assert "style=" not in set_up.text
    assert set_up.headers["Cache-Control"] == "no-store"
    assert "otpauth" not in set_up.text


def test_the_secret_is_sealed_at_rest(client: FlaskClient, make: Make, hands: Hands, rosa: Any) -> None:
    _page, secret = set_up_totp(client, come(client), hands.now)
    (row,) = make.rows(TotpSecret)
    assert secret.encode() not in row.secret_sealed


def test_MF_32_a_recovery_code_takes_the_place_of_the_app_once_in_any_spelling(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    page, _secret = set_up_totp(client, come(client), hands.now)
    code = codes_on(send(client, page, "set-up-done"))[0]
    assert all(code.encode() not in row.digest for row in make.rows(Artefact))
    for spelling, expected in (
        (code.upper().replace("-", " "), "code"),
        (code, "recovery"),
        (code.upper(), "recovery"),
    ):
        other = new_browser()
        asked = come(other)
        assert step_of(asked) == "totp"
        asked = walk(other, other.get(asked.request.path.replace("/totp", "/recovery")))
        assert step_of(type_code(other, asked, spelling)) == expected
    assert "recovery_code_used" in [each.notice for each in make.rows(OutboxMessage)]


def test_MF_03_recovery_codes_share_the_counters_of_the_app(
    client: FlaskClient, new_browser: Any, hands: Hands, rosa: Any
) -> None:
    page, _secret = set_up_totp(client, come(client), hands.now)
    send(client, page, "set-up-done")
    other = new_browser()
    asked = come(other)
    for _ in range(3):
        asked = type_code(other, asked, "000000")
    asked = other.get(asked.request.path.replace("/totp", "/recovery"))
    for _ in range(2):
        asked = type_code(other, asked, "aaaa-bbbb-cccc")
    assert "Too many wrong codes" in type_code(other, asked, "aaaa-bbbb-cccc").text


def test_MF_11_fifteen_minutes_later_the_password_is_asked_before_anything_is_set_up(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    set_up = walk(client, force(client, page, page.request.path + "/totp/new"))
    hands.forward(minutes=15)
    secret = set_up.text.split('id="totp-key">', 1)[1].split("<", 1)[0].replace(" ", "")
    late = send(client, set_up, "totp-form", code=code_of(secret, hands.now), name="")
    assert step_of(late) in {"password", "set-up-mfa"}
    assert make.rows(HeldFactor) == []


def test_another_persons_set_up_page_left_open_adds_nothing(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    set_up = walk(client, force(client, page, page.request.path + "/totp/new"))
    secret = set_up.text.split('id="totp-key">', 1)[1].split("<", 1)[0].replace(" ", "")
    make.subject(user_id="ines.ortega")
    come(client, "ines.ortega", prompt="login")
    send(client, set_up, "totp-form", code=code_of(secret, hands.now), name="")
    assert make.rows(HeldFactor) == []
