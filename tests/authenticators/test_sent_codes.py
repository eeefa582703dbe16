"""Codes by SMS and e-mail: ten minutes, five tries, one address, one sign-in (C4; MF-13, MF-15, MF-16)."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.audit.models import AuditEvent
from idp.authenticators.codes import phones
from idp.authenticators.codes.models import CodePhone
from idp.authenticators.codes.rules import Reason, canonical, mobile
from idp.authenticators.factors.models import HeldFactor
from idp.foundation import house, vault
from idp.foundation.artefacts import Artefact
from idp.keyring.service import Keyring
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession
from idp.subjects.models import Subject
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused
from tests.authenticators.browsing import press
from tests.authenticators.second_factors import type_code
from tests.conftest import Hands
from tests.factories import Make
from tests.sign_in.visiting import come, force, send, step_of, walk

pytestmark = pytest.mark.both
ALL = {"policy": "required", "kinds": ["totp", "sms", "email"]}
PHONE = "+14175550100"


@pytest.fixture
def rosa(make: Make) -> Subject:
    """Somebody at a portal that takes codes."""
    subject = make.subject(user_id="rosa.delgado")
    make.client("ozark-secure", mfa=ALL)
    make.affiliation(
        subject, make.provider(registry_name="ozark"), registry="ozark", levels=(("ozark-secure", "admin"),)
    )
    return subject


def phone(make: Make, subject: Subject, number: str = PHONE) -> HeldFactor:
    row = make.factor(subject, Factor.SMS)
    sealed = vault.seal(number.encode(), keys=house.get(Keyring).vault, context=phones.place_of(row.id))
    make._save(CodePhone(factor_id=row.id, phone_sealed=sealed))
    return row


def messages(make: Make) -> list[Any]:
    """What is owed, opened, oldest first."""
    rows = sorted(make.rows(OutboxMessage), key=lambda row: (row.created_at, row.id))
    return [messaging.opened(row) for row in rows]


def codes(make: Make) -> list[str]:
    return [each.payload.context["code"] for each in messages(make) if each.notice == "sign_in_code"]


def ask_code(client: FlaskClient, page: Any) -> Any:
    """*Send the code*, and the page that asks for it."""
    return walk(client, press(client, page, page.request.path + "/send"))


def test_C4_an_email_code_signs_in_and_lifts_nothing_MF_13(client: FlaskClient, make: Make, rosa: Subject) -> None:
    make.factor(rosa, Factor.EMAIL)
    page = come(client)
    assert step_of(page) == "email"
    assert "ro•••@mail.test" in page.text
    page = ask_code(client, page)
    (code,) = codes(make)
    assert step_of(type_code(client, page, code)) == "code"
    (session,) = make.rows(BrowserSession)
    assert (session.acr, session.amr) == (["aal1"], ["pwd"])
    assert set(session.proven) == {"password", "email"}


def test_C4_an_sms_code_signs_in_and_amr_says_so(client: FlaskClient, make: Make, rosa: Subject) -> None:
    phone(make, rosa)
    page = ask_code(client, come(client))
    assert "•••-•••-0100" in page.text
    (message,) = messages(make)
    assert (message.channel, message.payload.recipient.phone) == ("sms", PHONE)
    assert step_of(type_code(client, page, codes(make)[0])) == "code"
    (session,) = make.rows(BrowserSession)
    assert (session.acr, session.amr) == (["aal1", "aal2"], ["pwd", "sms", "mfa"])


def test_MF_13_an_email_code_is_never_aal2(client: FlaskClient, make: Make, rosa: Subject) -> None:
    make.factor(rosa, Factor.EMAIL)
    page = ask_code(client, come(client, claims='{"id_token":{"acr":{"essential":true,"value":"aal2"}}}'))
    assert step_of(type_code(client, page, codes(make)[0])) == "unmet_authentication_requirements"


def test_a_code_lives_ten_minutes(client: FlaskClient, make: Make, hands: Hands, rosa: Subject) -> None:
    make.factor(rosa, Factor.EMAIL)
    page = ask_code(client, come(client))
    hands.forward(minutes=10)
    assert step_of(type_code(client, page, codes(make)[0])) == "email"


def test_a_newer_code_voids_the_older_and_a_code_works_once(
    client: FlaskClient, new_browser: Any, make: Make, rosa: Subject
) -> None:
    make.factor(rosa, Factor.EMAIL)
    page = come(client)
    first = ask_code(client, page)
    second = ask_code(client, page)
    older, newer = codes(make)
    assert step_of(type_code(client, first, older)) == "email"
    assert step_of(type_code(client, second, newer)) == "code"
    other = new_browser()
    assert step_of(type_code(other, ask_code(other, come(other)), newer)) == "email"


def test_a_code_of_one_sign_in_is_none_in_another(
    client: FlaskClient, new_browser: Any, make: Make, rosa: Subject
) -> None:
    make.factor(rosa, Factor.EMAIL)
    ask_code(client, come(client))
    other = new_browser()
    page = ask_code(other, come(other))
    first, _second = codes(make)
    assert step_of(type_code(other, page, first)) == "email"


def test_MF_16_a_code_for_one_number_is_none_for_another(
    client: FlaskClient, make: Make, rosa: Subject, tx: Any
) -> None:
    row = phone(make, rosa)
    page = ask_code(client, come(client))
    sealed = vault.seal(b"+14175550199", keys=house.get(Keyring).vault, context=phones.place_of(row.id))
    tx.get(CodePhone, row.id).phone_sealed = sealed
    tx.commit()
    assert step_of(type_code(client, page, codes(make)[0])) == "sms"


def test_MF_03_five_tries_a_sign_in_however_many_codes_are_sent(client: FlaskClient, make: Make, rosa: Subject) -> None:
    make.factor(rosa, Factor.EMAIL)
    page = come(client)
    for _ in range(5):
        page = type_code(client, ask_code(client, client.get(page.request.path)), "000000")
    assert "Too many wrong codes" in type_code(client, page, codes(make)[-1]).text


def test_MF_15_six_codes_an_hour_and_no_more(client: FlaskClient, make: Make, hands: Hands, rosa: Subject) -> None:
    make.factor(rosa, Factor.EMAIL)
    page = come(client)
    for _ in range(6):
        assert ask_code(client, page).status_code == 200
    refused = ask_code(client, page)
    assert refused.status_code == 422
    assert "ask again in an hour" in refused.text
    assert len(codes(make)) == 6
    assert "too_many_sent" in {each.outcome for each in make.rows(AuditEvent)}


def test_MF_15_a_number_gets_no_more_by_way_of_several_accounts(
    client: FlaskClient, new_browser: Any, make: Make, rosa: Subject
) -> None:
    phone(make, rosa)
    ines = make.subject(user_id="ines.ortega")
    phone(make, ines)
    for browser, user_id, times in ((client, "rosa.delgado", 4), (new_browser(), "ines.ortega", 3)):
        page = come(browser, user_id)
        for _ in range(times):
            last = ask_code(browser, page)
    assert last.status_code == 422
    assert len(codes(make)) == 6


@pytest.mark.parametrize(("typed", "expected"), [
    ("(417) 555-0100", PHONE), ("+1 417 555 0100", PHONE), ("1-900-555-0100", Reason.NO_NUMBER), ("911", Reason.NO_NUMBER),
    ("+44 20 7183 8750", Reason.ELSEWHERE), ("+882 13 300 655", Reason.ELSEWHERE), ("417-555-0100 x5", Reason.NO_NUMBER),
    ("+1 876 555 0100", Reason.ELSEWHERE), ("four", Reason.NO_NUMBER), ("+1 417 555 0100;" * 9, Reason.NO_NUMBER),
])  # fmt: skip
def test_MF_15_only_numbers_that_cost_nobody_extra_get_codes(typed: str, expected: object) -> None:
    found = mobile(typed)
    assert (found.reason if isinstance(found, Refused) else found) == expected


def test_MF_06_only_ascii_digits_are_a_code() -> None:
    assert canonical("123 456") == "123456"
    assert canonical("１２３４５６") is canonical("12345") is canonical("1234567") is canonical("¹²³⁴⁵⁶") is None


def test_C4_a_telephone_is_added_once_its_code_is_right(
    client: FlaskClient, make: Make, rosa: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.authenticators.factors.asking._unreachable", frozenset)
    page = come(client)
    page = client.get(page.request.path + "/sms")
    assert send(client, page, "send-form", phone="1-900-555-0100").status_code == 422
    page = send(client, page, "send-form", phone="(417) 555-0100")
    assert "•••-•••-0100" in page.text
    assert send(client, page, "code-form", code="000000").status_code == 422
    done = send(client, page, "code-form", code=codes(make)[0])
    assert step_of(done) == "set-up-mfa"
    (row,) = make.rows(HeldFactor)
    assert (row.kind, row.name) == ("sms", "•••-•••-0100")
    (kept,) = make.rows(CodePhone)
    assert b"4175550100" not in kept.phone_sealed


def test_MF_16_the_telephone_added_is_the_one_that_got_the_code(
    client: FlaskClient, make: Make, rosa: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.authenticators.factors.asking._unreachable", frozenset)
    page = client.get(come(client).request.path + "/sms")
    first = send(client, page, "send-form", phone="417 555 0100")
    send(client, page, "send-form", phone="417 555 0199")
    older, _newer = codes(make)
    assert send(client, first, "code-form", code=older).status_code == 422
    assert force(client, first, first.request.path, code=older, phone="417 555 0100").status_code == 400
    assert make.rows(HeldFactor) == []


def test_C4_email_codes_are_added_for_the_accounts_own_address(client: FlaskClient, make: Make, rosa: Subject) -> None:
    page = client.get(come(client).request.path + "/email")
    page = send(client, page, "send-form")
    done = send(client, page, "code-form", code=codes(make)[0])
    assert step_of(done) == "set-up-mfa"
    assert [row.kind for row in make.rows(HeldFactor)] == ["email"]
    assert messages(make)[0].payload.recipient.email == "rosa.delgado@mail.test"


def test_without_a_gateway_sms_is_not_offered(client: FlaskClient, rosa: Subject) -> None:
    page = come(client)
    assert "/set-up-mfa/email" in page.text
    assert "/set-up-mfa/sms" not in page.text


def test_no_code_is_kept_or_audited_readably(client: FlaskClient, make: Make, rosa: Subject) -> None:
    make.factor(rosa, Factor.EMAIL)
    page = ask_code(client, come(client))
    type_code(client, page, codes(make)[0])
    (code,) = codes(make)
    kept = "".join(f"{row.payload}{row.bound_to}{row.digest!r}" for row in make.rows(Artefact))
    assert not re.search(rf"\b{code}\b", kept)
    assert code not in "".join(str(each.details) for each in make.rows(AuditEvent))
    assert all(code.encode() not in (row.payload_sealed or b"") for row in make.rows(OutboxMessage))
