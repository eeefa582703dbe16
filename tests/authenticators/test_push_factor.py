"""Approval on a phone: connected at the set-up page, asked at the second step, answered with the number (C4, MF-17)."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.push import answering, calls, closing
from idp.authenticators.push.models import PushPhone, PushRequest
from idp.authenticators.push.rules import Outcome
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import press
from tests.authenticators.software_phone import SoftwarePhone, connected, number_on
from tests.conftest import Hands
from tests.factories import Make
from tests.races import race
from tests.sign_in.visiting import come, force, send, step_of, txn_of, walk

pytestmark = pytest.mark.both


@pytest.fixture
def rosa(make: Make) -> Any:
    subject = make.subject("rosa.delgado")
    make.client("ozark-secure", mfa={"policy": "required", "kinds": ["push", "totp"]})
    make.affiliation(
        subject, make.provider(registry_name="ozark"), registry="ozark", levels=(("ozark-secure", "admin"),)
    )
    return subject


@pytest.fixture
def phone(make: Make, rosa: Any) -> SoftwarePhone:
    return connected(make, rosa)


def asked_at(client: FlaskClient, page: Any) -> Any:
    """The phone is asked; the page with the number."""
    return send(client, page, "send-form")


def told(make: Make) -> list[str]:
    return sorted(row.notice for row in make.rows(OutboxMessage))


def code_on(page: Any) -> str:
    return str(page.text.split('id="phone-code">', 1)[1].split("<", 1)[0])


def test_C4_a_phone_is_connected_by_code_key_and_confirmation(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    at = page.request.path + "/push"
    page = walk(client, press(client, client.get(at), at + "/new"))
    code, mobile, phone = code_on(page), new_browser(), SoftwarePhone()
    assert f"/phone/#{code.replace('-', '')}" not in page.text, "only the picture holds the whole address"
    assert client.get(at + "/state").get_json() == {"ready": False}
    assert force(client, page, at, name="Mine").status_code == 422, "nothing is added before a phone came"
    assert phone.call(mobile, "requests", hands.now).status_code == 404
    came = phone.bring(mobile, code.lower(), hands.now)
    assert came.status_code == 200
    assert phone.bring(mobile, code, hands.now).status_code == 409, "one code, one phone"
    assert SoftwarePhone().bring(mobile, "AAAA-BBBB-CCCC", hands.now).status_code == 409
    assert make.rows(HeldFactor) == []
    assert client.get(at + "/state").get_json() == {"ready": True}
    page = client.get(at)
    assert came.get_json()["check"] in page.text
    page = send(client, page, "phone-form", name="Rosa’s phone")
    assert step_of(page) == "set-up-mfa"
    (factor,), (row,) = make.rows(HeldFactor), make.rows(PushPhone)
    assert (factor.kind, factor.name, factor.gives, factor.amr) == ("push", "Rosa’s phone", ["aal2"], ["pop", "mfa"])
    assert (row.factor_id, row.thumbprint) == (factor.id, phone.thumbprint)
    assert told(make) == ["factor_added"]
    assert phone.look(mobile, hands.now)["request"] is None
    (session,) = make.rows(BrowserSession)
    assert session.acr == ["aal1", "aal2"]
    assert 'id="set-up-continue"' in page.text, "push is strong enough to go on with"


def test_a_code_that_is_old_or_replaced_brings_no_phone(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    at = page.request.path + "/push"
    first = code_on(walk(client, force(client, page, at + "/new")))
    second = code_on(walk(client, force(client, page, at + "/new")))
    assert SoftwarePhone().bring(client, first, hands.now).status_code == 409
    hands.forward(minutes=10)
    assert SoftwarePhone().bring(client, second, hands.now).status_code == 409
    assert 'id="phone-begin"' in client.get(at).text


def test_a_key_that_does_not_sign_its_own_code_brings_nothing(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    code = code_on(walk(client, force(client, page, page.request.path + "/push/new")))
    phone, other = SoftwarePhone(), SoftwarePhone()
    token = phone.sign("enrolment", hands.now, code=code)
    assert client.post("/phone/enrolment", data={"call": token, "x": other.x, "y": other.y}).status_code == 401
    assert phone.bring(client, code, hands.now).status_code == 200


def test_C4_the_number_approves_the_sign_in_that_shows_it(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, phone: SoftwarePhone
) -> None:
    page, mobile = come(client), new_browser()
    assert step_of(page) == "push"
    assert "push-number" not in page.text
    page = asked_at(client, page)
    seen = phone.look(mobile, hands.now)
    assert set(seen) == {"name", "account", "now", "request", "ring"}
    assert set(seen["request"]) == {"txn", "nonce", "portal", "browser", "address", "at", "until"}
    assert seen["request"]["portal"] in page.text
    assert client.get(page.request.path + "/state").get_json() == {"ready": False}
    assert "has not answered yet" in send(client, page, "factor-form").text
    answer = phone.answer(mobile, hands.now, seen["request"], number=number_on(page))
    assert answer.get_json()["outcome"] == "approved"
    assert client.get(page.request.path + "/state").get_json() == {"ready": True}
    assert phone.look(mobile, hands.now)["request"] is None
    assert step_of(send(client, page, "factor-form")) == "code"
    (session,) = make.rows(BrowserSession)
    assert (session.acr, session.amr) == (["aal1", "aal2"], ["pwd", "pop", "mfa"])
    assert make.rows(HeldFactor)[0].last_used_at == make.now
    events = {(row.type, row.outcome) for row in make.rows(AuditEvent)}
    assert {("push_asked", "ok"), ("push_answered", "ok"), ("signed_in", "ok")} <= events


@pytest.mark.parametrize(
    ("decision", "right", "outcome"),
    [("deny", True, "denied"), ("approve", False, "wrong_number")],
)
def test_MF_17_a_denial_or_another_number_signs_nobody_in_and_is_final(
    client: FlaskClient, make: Make, hands: Hands, phone: SoftwarePhone, decision: str, right: bool, outcome: str
) -> None:
    page = asked_at(client, come(client))
    asked, number = phone.look(client, hands.now)["request"], number_on(page)
    typed = number if right else str((int(number) - 9) % 90 + 10)
    answer = phone.answer(client, hands.now, asked, decision, typed)
    assert answer.get_json()["outcome"] == outcome
    assert phone.answer(client, hands.now, asked, "approve", number).status_code == 409
    page = send(client, page, "factor-form")
    assert "not approved" in page.text and 'id="send-push"' in page.text
    assert make.rows(BrowserSession) == []


def test_MF_17_twenty_requests_ring_once_at_a_time_and_three_times_at_most(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, phone: SoftwarePhone
) -> None:
    page = come(client)
    for _ in range(4):
        asked_at(client, page)
    assert len(make.rows(PushRequest)) == 1, "one waits"
    other = new_browser()
    assert "another sign-in" in asked_at(other, come(other)).text
    for _ in range(6):
        hands.forward(seconds=121)
        other = new_browser()
        asked_at(other, come(other))
    assert len(make.rows(PushRequest)) == 3
    assert told(make).count("push_stopped") == 1
    other = new_browser()
    page = asked_at(other, come(other))
    assert "leave your phone in peace" in page.text and 'id="send-push"' not in page.text
    hands.forward(minutes=61)
    other = new_browser()
    assert "push-number" in asked_at(other, come(other)).text, "and never for good"


def test_MF_17_what_nobody_came_back_for_is_closed_and_told_by_the_sweep(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, phone: SoftwarePhone
) -> None:
    for _ in range(3):
        other = new_browser()
        asked_at(other, come(other))
        hands.forward(seconds=121)
    with writing() as tx:
        closing.sweep(tx, now=hands.now, batch=10)
    with writing() as tx:
        assert closing.sweep(tx, now=hands.now, batch=10) == 0
    assert {row.outcome for row in make.rows(PushRequest)} == {"unanswered"}
    assert told(make) == ["push_stopped"]
    with writing() as tx:
        assert closing.purge(tx, before=hands.now, batch=10) == 3


def test_MF_19_the_phone_reads_our_words_and_never_the_browsers_own(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, phone: SoftwarePhone
) -> None:
    lie = "<b>Your bank</b> says: type 42 </script>"
    client.environ_base["HTTP_USER_AGENT"] = lie
    asked_at(client, come(client))
    answer = phone.call(new_browser(), "requests", hands.now)
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "bank" not in answer.text and "42" not in answer.get_json()["request"]["browser"]
    assert answer.get_json()["request"]["browser"] == "Unknown browser"


def test_not_me_ends_everything_and_mails_a_link(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any, phone: SoftwarePhone
) -> None:
    make.session(rosa)
    page = asked_at(client, come(client))
    answer = phone.answer(client, hands.now, phone.look(client, hands.now)["request"], "not_me")
    assert answer.get_json()["outcome"] == "disowned"
    assert all(row.ended_at is not None for row in make.rows(BrowserSession))
    assert told(make) == ["password_reset"]
    assert step_of(send(client, page, "factor-form")) not in {"code", "push"}
    other = new_browser()
    assert step_of(come(other)) not in {"code", "push"}, "the password leads nowhere any more"
    assert [row.kind for row in make.rows(HeldFactor)] == ["push"], "the phone stays"


LIES: dict[str, dict[str, Any]] = {
    "address": {"aud": "https://credence.test/phone/answer"},
    "old": {"iat": 1, "exp": 61},
    "lasting": {"exp": 4102444800},
    "no number": {"n": None},
    "text number": {"n": "7"},
    "negative": {"n": -1},
    "algorithm": {"header": {"alg": "none"}},
    "type": {"header": {"typ": "JWT"}},
    "critical": {"header": {"crit": ["exp"]}},
}


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_a_call_that_is_not_wholly_right_is_not_listened_to(
    client: FlaskClient, hands: Hands, phone: SoftwarePhone, lie: str
) -> None:
    assert (
        client.post("/phone/requests", data={"call": phone.sign("requests", hands.now, **LIES[lie])}).status_code == 401
    )
    assert phone.call(client, "requests", hands.now).status_code == 200


def test_a_call_is_heard_once_and_only_signed_by_the_phones_own_key(
    client: FlaskClient, hands: Hands, phone: SoftwarePhone
) -> None:
    token = phone.sign("requests", hands.now)
    assert client.post("/phone/requests", data={"call": token}).status_code == 200
    assert client.post("/phone/requests", data={"call": token}).status_code == 401
    assert client.post("/phone/requests", data={"call": token, "more": "x"}).status_code == 401
    other = SoftwarePhone()
    assert other.call(client, "requests", hands.now).status_code == 404
    other.calls = 50
    assert other.call(client, "requests", hands.now, iss=phone.thumbprint).status_code == 401


def test_another_persons_phone_answers_nothing(
    client: FlaskClient, make: Make, hands: Hands, phone: SoftwarePhone
) -> None:
    theirs = connected(make, make.subject("mallory"))
    page = asked_at(client, come(client))
    asked = phone.look(client, hands.now)["request"]
    assert theirs.look(client, hands.now)["request"] is None
    assert theirs.answer(client, hands.now, asked, "approve", number_on(page)).status_code == 409
    assert phone.answer(client, hands.now, asked, "approve", number_on(page)).status_code == 200


def test_MF_29_an_approval_serves_the_browser_that_asked_alone_and_once(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, phone: SoftwarePhone
) -> None:
    page = asked_at(client, come(client))
    phone.answer(client, hands.now, phone.look(client, hands.now)["request"], "approve", number_on(page))
    other = new_browser()
    theirs = come(other)
    assert walk(other, force(other, theirs, page.request.path)).status_code != 302, "SECURITY D2: not their transaction"
    assert "Nothing was sent" in force(other, theirs, theirs.request.path).text
    assert make.rows(BrowserSession) == []
    assert step_of(send(client, page, "factor-form")) == "code"
    assert txn_of(page) != txn_of(theirs)


@pytest.mark.parametrize("seconds", [120, 241])
def test_an_answer_or_its_use_comes_too_late(
    client: FlaskClient, make: Make, hands: Hands, phone: SoftwarePhone, seconds: int
) -> None:
    page = asked_at(client, come(client))
    asked = phone.look(client, hands.now)["request"]
    if seconds > 200:
        assert phone.answer(client, hands.now, asked, "approve", number_on(page)).status_code == 200
    hands.forward(seconds=seconds)
    if seconds < 200:
        assert phone.answer(client, hands.now, asked, "approve", number_on(page)).status_code == 409
    assert "did not answer in time" in send(client, page, "factor-form").text
    assert make.rows(BrowserSession) == []


def test_a_phone_that_was_removed_neither_looks_nor_counts(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, phone: SoftwarePhone
) -> None:
    make.totp(rosa)
    page = come(client)
    page = client.get(page.request.path.rsplit("/", 1)[0] + "/push")
    page = asked_at(client, page)
    asked = phone.look(client, hands.now)["request"]
    phone.answer(client, hands.now, asked, "approve", number_on(page))
    with writing() as tx:
        tx.delete(tx.get(HeldFactor, make.rows(PushPhone)[0].factor_id))
    assert phone.call(client, "requests", hands.now).status_code == 404
    assert step_of(send(client, page, "factor-form")) != "code"
    assert make.rows(BrowserSession) == []


def test_RA_04_approval_and_denial_at_once_come_to_one_outcome(
    app: Flask, client: FlaskClient, make: Make, hands: Hands, phone: SoftwarePhone
) -> None:
    page = asked_at(client, come(client))
    asked, number = phone.look(client, hands.now)["request"], number_on(page)
    said = iter(["approve", "deny"] * 4)
    origin = Origin("203.0.113.7", "request", "Firefox", None)

    def act() -> Any:
        claims = {"txn": asked["txn"], "jti": asked["nonce"], "number": number, "decision": next(said)}
        token = phone.sign("answer", hands.now, **claims)
        call = calls.read(token, address="answer", now=hands.now)
        assert isinstance(call, calls.Call)
        return answering.answer(call, now=hands.now, origin=origin)

    outcomes = [each for each in race(app, act, threads=8) if isinstance(each, Outcome)]
    assert len(outcomes) == 1
    assert [row.outcome for row in make.rows(PushRequest)] == [outcomes[0].value]
    assert [row.outcome for row in make.rows(AuditEvent) if row.type == "push_answered"] == [
        "ok" if outcomes[0] is Outcome.APPROVED else "denied"
    ]


def test_MF_03_a_sign_in_asks_five_times_at_most(
    client: FlaskClient, make: Make, hands: Hands, phone: SoftwarePhone
) -> None:
    page = come(client)
    for _ in range(5):
        assert "push-number" in asked_at(client, page).text
    assert "push-number" not in asked_at(client, page).text


def test_MF_33_a_live_session_is_lifted_by_the_phone_and_another_one_is_not(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, phone: SoftwarePhone
) -> None:
    page = asked_at(client, come(client))
    phone.answer(client, hands.now, phone.look(client, hands.now)["request"], "approve", number_on(page))
    assert step_of(send(client, page, "factor-form")) == "code"
    hands.forward(minutes=16)
    page = walk(client, client.get("/sign-in?to=account.overview&fresh=1"))
    assert step_of(page) == "push"
    page = asked_at(client, page)
    phone.answer(client, hands.now, phone.look(client, hands.now)["request"], "approve", number_on(page))
    thief = new_browser()
    assert walk(thief, thief.get(page.request.path)).request.path != page.request.path
    landed = send(client, page, "factor-form")
    assert landed.request.path == "/account/"
    (session,) = [row for row in make.rows(BrowserSession) if row.ended_at is None]
    assert session.proven["push"] == hands.now.isoformat()


def test_a_phone_is_listed_named_and_removed_at_the_account_with_all_that_is_kept_of_it(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, phone: SoftwarePhone
) -> None:
    make.totp(rosa)
    page = asked_at(client, come(client))
    phone.answer(client, hands.now, phone.look(client, hands.now)["request"], "approve", number_on(page))
    send(client, page, "factor-form")
    page = client.get("/account/factors")
    assert "Rosa’s phone" in page.text and "Approve on your phone" in page.text
    page = walk(client, client.get("/sign-in?to=ways.factors&set-up=1"))
    assert f'{page.request.path}/push"' in page.text, "and another one can be added from there"
    removal = f"/account/factors/{make.rows(PushPhone)[0].factor_id}/remove"
    assert client.get(removal).status_code == 200
    assert walk(client, press(client, client.get(removal), removal)).status_code == 200
    assert make.rows(PushPhone) == []
    assert [row.kind for row in make.rows(HeldFactor)] == ["totp"]
    assert phone.call(client, "requests", hands.now).status_code == 404
