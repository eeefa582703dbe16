"""RC-15 for the telephone: a code at the new number, news at the mailbox and the former number, a way back."""

from typing import Any

import pytest

from idp.audit.models import AuditEvent
from idp.foundation.database import reading
from idp.subjects import service as subjects
from idp.subjects.models import FormerContact
from tests.account.contacting import disown, letters, newest, signed_in
from tests.authenticators.browsing import post_form
from tests.conftest import Hands
from tests.factories import Make

pytestmark = pytest.mark.both
FIRST, SECOND = "(417) 555-0142", "(417) 555-0143"


def ask(browser: Any, number: str) -> Any:
    return post_form(browser, browser.get("/account/phone"), "phone-form", phone=number)


def code_to(number: str) -> str:
    return [str(context["code"]) for to, context in letters("sign_in_code") if to == number][-1]


def change(browser: Any, number: str, e164: str) -> Any:
    asked = ask(browser, number)
    page = browser.get(asked.location)
    return post_form(browser, page, "phone-code-form", code=code_to(e164))


def phone_of(subject_id: str) -> tuple[str | None, bool]:
    with reading() as tx:
        subject = subjects.by_id(tx, subject_id=subject_id)
        assert subject is not None
        return subjects.phone_of(subject), subject.phone_verified_at is not None


def test_RC_15_a_telephone_is_changed_by_a_code_sent_to_it_and_put_back(
    new_browser: Any, make: Make, hands: Hands
) -> None:
    rosa = make.subject("rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    assert change(browser, FIRST, "+14175550142").location == "/account/profile?done=phone"
    assert phone_of(rosa.id) == ("+14175550142", True)
    hands.forward(minutes=1)
    assert change(browser, SECOND, "+14175550143").status_code == 303
    assert phone_of(rosa.id) == ("+14175550143", True)
    told = [to for to, _ in letters("phone_changed")]
    assert sorted(told) == ["+14175550142", "rosa.delgado@mail.test", "rosa.delgado@mail.test"]
    assert "555-0143" in browser.get("/account/profile").text or "5550143" in browser.get("/account/profile").text
    assert disown(new_browser(), newest("phone_changed", "+14175550142")).status_code == 200
    assert phone_of(rosa.id) == ("+14175550142", True)
    assert [row.phone_sealed for row in make.rows(FormerContact)] == [None]
    outcomes = sorted(each.outcome for each in make.rows(AuditEvent) if each.type == "phone_changed")
    assert outcomes == ["ok", "ok"]


def test_RC_15_a_wrong_code_or_another_session_changes_nothing(new_browser: Any, make: Make, hands: Hands) -> None:
    rosa = make.subject("rosa.delgado")
    browser, other = signed_in(new_browser(), "rosa.delgado"), signed_in(new_browser(), "rosa.delgado")
    path = ask(browser, FIRST).location
    page = browser.get(path)
    right = code_to("+14175550142")
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    assert other.get(path).status_code == 410
    answers = [post_form(browser, page, "phone-code-form", code=wrong).status_code for _ in range(6)]
    assert answers == [422] * 6
    assert post_form(browser, page, "phone-code-form", code=right).status_code == 422  # five tries, then a new code
    assert phone_of(rosa.id) == (None, False)
    hands.forward(minutes=11)
    assert browser.get(path).status_code == 410


@pytest.mark.parametrize("number", ["", "555", "+44 7700 900123", "911", "+1 900 555 0142"])
def test_MF_15_a_number_that_takes_no_text_is_sent_none(new_browser: Any, make: Make, number: str) -> None:
    make.subject("rosa.delgado")
    assert ask(signed_in(new_browser(), "rosa.delgado"), number).status_code in {400, 422}
    assert letters("sign_in_code") == []


def test_RC_15_no_telephone_is_asked_for_without_a_fresh_proof(new_browser: Any, make: Make, hands: Hands) -> None:
    make.subject("rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    page = browser.get("/account/phone")
    hands.forward(minutes=15)
    assert "fresh=1" in post_form(browser, page, "phone-form", phone=FIRST).location
    assert letters("sign_in_code") == []
