"""*Do not challenge me on this device*: spares the question, proves nothing, and a copy of its cookie is noticed (C5)."""

import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.authenticators.remembered_devices import service as devices
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.authenticators.totp.models import TotpSecret
from idp.foundation.artefacts import digest_of
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession
from idp.subjects.models import Subject
from tests.authenticators.browsing import post_form
from tests.authenticators.second_factors import code_of, set_up_totp, type_code
from tests.conftest import Hands
from tests.factories import Make
from tests.factories.make import PASSWORD
from tests.sign_in.visiting import SESSION, ask, come, force, send, step_of

pytestmark = pytest.mark.both
DEVICE = "__Host-credence_device"


@pytest.fixture
def rosa(make: Make) -> tuple[Subject, str]:
    """Somebody who holds an authenticator app, at a portal that requires a factor."""
    make.client("ozark-secure", mfa={"policy": "required"})
    return person(make, "rosa.delgado")


def person(make: Make, user_id: str) -> tuple[Subject, str]:
    subject = make.subject(user_id=user_id)
    make.affiliation(
        subject, make.provider(registry_name="ozark"), registry="ozark", levels=(("ozark-secure", "admin"),)
    )
    return subject, make.totp(subject)[1]


def remember(client: FlaskClient, secret: str, hands: Hands, user_id: str = "rosa.delgado") -> None:
    """Sign in with the box ticked, then lose the session."""
    done = send(client, come(client, user_id), "factor-form", code=code_of(secret, hands.now), remember="yes")
    assert step_of(done) == "code"
    leave(client, hands)


def leave(client: FlaskClient, hands: Hands) -> None:
    client.delete_cookie(SESSION, domain="credence.test")
    hands.forward(minutes=2)


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie(DEVICE, domain="credence.test")
    assert found is not None
    return found.value


def put(client: FlaskClient, value: str) -> None:
    client.set_cookie(DEVICE, value, domain="credence.test", secure=True, httponly=True)


def test_C5_for_thirty_days_the_password_is_enough_on_this_device(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    remember(client, rosa[1], hands)
    hands.forward(days=29, hours=23)
    assert step_of(come(client)) == "code"
    newest = max(make.rows(BrowserSession), key=lambda row: row.created_at)
    assert (newest.acr, newest.amr) == (["aal1"], ["pwd"]), "MF-23: a device proves nothing"
    assert {each.type for each in make.rows(AuditEvent)} >= {"device_remembered"}


def test_MF_21_a_second_past_thirty_days_the_factor_is_asked(client: FlaskClient, hands: Hands, rosa: Any) -> None:
    remember(client, rosa[1], hands)
    hands.forward(days=30)
    assert step_of(come(client)) == "totp"


def test_without_the_box_nothing_is_remembered(client: FlaskClient, make: Make, hands: Hands, rosa: Any) -> None:
    send(client, come(client), "factor-form", code=code_of(rosa[1], hands.now))
    leave(client, hands)
    assert make.rows(RememberedDevice) == []
    assert step_of(come(client)) == "totp"


def test_MF_24_a_wrong_code_with_the_box_ticked_remembers_nothing(client: FlaskClient, make: Make, rosa: Any) -> None:
    page = send(client, come(client), "factor-form", code="000000", remember="yes")
    assert step_of(page) == "totp"
    assert make.rows(RememberedDevice) == []
    assert client.get_cookie(DEVICE, domain="credence.test") is None
    assert force(client, page, page.request.path, remember="yes").status_code == 422


def test_MF_20_as_device_with_another_persons_password_asks_the_factor(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    remember(client, rosa[1], hands)
    _ines, secret = person(make, "ines.ortega")
    assert step_of(come(client, "ines.ortega")) == "totp"
    remember(client, secret, hands, "ines.ortega")
    for user_id in ("rosa.delgado", "ines.ortega"):
        assert step_of(come(client, user_id)) == "code", "several people may share a browser"
        leave(client, hands)


def test_MF_21_a_changed_cookie_says_nothing(client: FlaskClient, hands: Hands, rosa: Any) -> None:
    remember(client, rosa[1], hands)
    value = cookie(client)
    for place in (0, -1):
        put(client, value[:place] + ("B" if value[place] == "A" else "A") + (value[1:] if place == 0 else ""))
        assert step_of(come(client)) == "totp"


@pytest.mark.parametrize("more", [{"prompt": "login"}, {"max_age": "3600"}, {"acr_values": "aal2"}])
def test_MF_23_the_device_does_not_help_where_more_is_asked(
    client: FlaskClient, hands: Hands, rosa: Any, more: dict[str, str]
) -> None:
    remember(client, rosa[1], hands)
    assert step_of(come(client, **more)) == "totp"


def test_MF_23_the_box_is_not_offered_where_it_would_not_serve(client: FlaskClient, rosa: Any) -> None:
    assert 'name="remember"' in come(client).text
    assert 'name="remember"' not in come(client, prompt="login").text


def test_MF_23_a_device_never_stands_for_a_strong_proof_on_our_own_pages(
    client: FlaskClient, hands: Hands, rosa: Any
) -> None:
    remember(client, rosa[1], hands)
    assert step_of(come(client)) == "code"
    page = client.get("/sign-in?to=account.overview&fresh=1")
    while page.status_code in {302, 303}:
        page = client.get(page.location)
    assert step_of(page) == "totp"


def test_a_portal_may_ask_for_a_younger_device(client: FlaskClient, make: Make, hands: Hands, rosa: Any) -> None:
    make.client("strict", mfa={"policy": "required", "remember_days": 7})
    remember(client, rosa[1], hands)
    hands.forward(days=8)
    assert step_of(come(client)) == "code"
    assert step_of(ask(client, "strict")) == "totp"


def test_RA_12_two_tabs_raise_no_alarm(client: FlaskClient, new_browser: Any, hands: Hands, rosa: Any) -> None:
    remember(client, rosa[1], hands)
    former = cookie(client)
    assert step_of(come(client)) == "code"
    assert cookie(client) != former
    tab = new_browser()
    put(tab, former)
    hands.forward(seconds=30)
    assert step_of(come(tab)) == "code", "the other tab of the same browser"
    assert cookie(tab) == former, "the other answer brings the new one"
    leave(client, hands)
    assert step_of(come(client)) == "code"


@pytest.mark.parametrize("uses", [1, 2, 3])
def test_RA_12_a_copy_is_noticed_however_often_the_thief_came_first(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any, uses: int
) -> None:
    remember(client, rosa[1], hands)
    thief = new_browser()
    put(thief, cookie(client))
    for _ in range(uses):
        assert step_of(come(thief)) == "code"
        leave(thief, hands)
    step = step_of(come(client))
    if uses == 1:
        assert step == "code", "as if the answer had been lost, until the other one comes"
        assert step_of(come(thief)) == "totp"
    else:
        assert step == "totp"
    assert make.rows(RememberedDevice) == []
    assert "device_copied" in {each.notice for each in make.rows(OutboxMessage)}
    assert "device_copied" in {each.type for each in make.rows(AuditEvent)}
    for browser in (client, thief):
        leave(browser, hands)
        assert step_of(come(browser)) == "totp", "nobody is spared the factor any more"


def test_RA_12_a_lost_answer_accuses_nobody(client: FlaskClient, make: Make, hands: Hands, rosa: Any) -> None:
    remember(client, rosa[1], hands)
    for _ in range(3):
        former = cookie(client)
        assert step_of(come(client)) == "code"
        unseen = cookie(client)
        leave(client, hands)
        put(client, former)
        assert step_of(come(client)) == "code", "the answer with the new cookie never came"
        assert cookie(client) not in {former, unseen}
        leave(client, hands)
    assert step_of(come(client)) == "code"
    assert "device_copied" not in {each.notice for each in make.rows(OutboxMessage)}


def test_a_cookie_of_before_there_were_selectors_serves_and_gets_one(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, tx: Any
) -> None:
    remember(client, rosa[1], hands)
    old = "k" * 43
    (row,) = tx.scalars(select(RememberedDevice)).all()
    row.digest = digest_of(old)
    tx.commit()
    put(client, old)
    assert step_of(come(client)) == "code"
    assert cookie(client).startswith(f"{row.id.hex}~")
    leave(client, hands)
    put(client, old)
    assert step_of(come(client)) == "code", "it is the former one now"


def test_the_cookie_is_ours_alone_and_its_value_is_kept_nowhere(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    answer = client.post(
        page.request.path,
        data={"csrf_token": page.text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0],
              "code": code_of(rosa[1], hands.now), "remember": "yes"},
        headers={"Origin": "https://credence.test"},
    )  # fmt: skip
    (header,) = [value for name, value in answer.headers if name == "Set-Cookie" and value.startswith(DEVICE)]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; "))
    assert int(header.split("Max-Age=")[1].split(";")[0]) == 30 * 86_400
    value = cookie(client)
    assert all(value.encode() not in bytes(row.digest) for row in make.rows(RememberedDevice))


def test_MF_21_a_new_factor_forgets_every_device(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, tx: Any
) -> None:
    remember(client, rosa[1], hands)
    page = client.get("/sign-in?to=account.overview&set-up=1")
    while page.status_code in {302, 303}:
        page = client.get(page.location)
    page = send(client, page, "login-form", username="rosa.delgado", password="kettle-orbit-walnut-42")
    page = type_code(client, page, code_of(rosa[1], hands.now))
    assert step_of(page) == "set-up-mfa"
    set_up_totp(client, page, hands.now)
    assert len(make.rows(TotpSecret)) == 2
    assert make.rows(RememberedDevice) == []


def test_the_device_survives_a_use_in_its_place(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, tx: Any
) -> None:
    remember(client, rosa[1], hands)
    remembered_at = make.rows(RememberedDevice)[0].remembered_at
    come(client)
    (row,) = tx.scalars(select(RememberedDevice)).all()
    assert (row.remembered_at, row.last_used_at) == (remembered_at, hands.now)


def test_SI_09_strangers_failures_lock_nobody_out_of_a_remembered_browser(
    client: FlaskClient, new_browser: Any, hands: Hands, rosa: Any
) -> None:
    remember(client, rosa[1], hands)
    stranger = new_browser()
    page = ask(stranger)
    for _ in range(6):
        page = send(stranger, page, "login-form", username="rosa.delgado", password="CNRY-guess-of-a-stranger")
    assert step_of(come(new_browser())) == "password", "locked where she is not known"
    assert step_of(come(client)) == "code"


def test_SI_09_a_remembered_browser_is_counted_too(client: FlaskClient, hands: Hands, rosa: Any) -> None:
    remember(client, rosa[1], hands)
    page = ask(client)
    for _ in range(6):
        page = send(client, page, "login-form", username="rosa.delgado", password="CNRY-guess-of-a-thief")
    assert step_of(send(client, page, "login-form", username="rosa.delgado", password=PASSWORD)) == "password"


def test_RA_12_what_a_copy_opened_ends_and_the_mail_leads_to_the_way_out(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    remember(client, rosa[1], hands)
    thief = new_browser()
    put(thief, cookie(client))
    for _ in range(2):
        assert step_of(come(thief)) == "code"
        hands.forward(minutes=2)
        stolen = thief.get_cookie(SESSION, domain="credence.test")
        thief.delete_cookie(SESSION, domain="credence.test")
    assert stolen is not None
    thief.set_cookie(SESSION, stolen.value, domain="credence.test", secure=True, httponly=True)
    assert thief.get("/account/").status_code == 200
    assert step_of(come(client)) == "totp"
    assert thief.get("/account/").status_code == 303
    ended = [row.ended_reason for row in make.rows(BrowserSession) if "device" in (row.proven or {})]
    assert ended == ["device_copied"] * 2
    (mail,) = [each for each in make.rows(OutboxMessage) if each.notice == "device_copied"]
    path = str(messaging.opened(mail).payload.context["url"]).removeprefix("https://credence.test")
    assert post_form(client, client.get(path), "not-me-form").status_code == 200


@pytest.mark.parametrize("way", ["one", "all"])
def test_MF_21_a_forgotten_device_is_forgotten_in_what_it_opened(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, way: str
) -> None:
    remember(client, rosa[1], hands)
    assert step_of(come(client)) == "code"
    (device,) = make.rows(RememberedDevice)
    before = {"subject_id": rosa[0].id, "now": hands.now, "origin": Origin.local("test")}
    with writing() as tx:
        if way == "one":
            assert devices.forget_one(tx, device_id=device.id, **before)
        else:
            assert devices.forget_all(tx, **before) == 1
    assert all("device" not in (row.proven or {}) for row in make.rows(BrowserSession))
    assert client.get("/account/").status_code == 200, "the password was right: they stay signed in"
    assert step_of(ask(client)) == "totp"


def test_RA_09_a_device_forgotten_while_it_opens_a_session_is_not_believed_in_it(
    app: Flask, client: FlaskClient, make: Make, hands: Hands, rosa: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(client, rosa[1], hands)
    renew, through = devices._renew, threading.Event()

    def forget() -> None:
        with app.app_context(), writing() as tx:
            devices.forget_all(tx, subject_id=rosa[0].id, now=hands.now, origin=Origin.local("test"))
        through.set()

    thread = threading.Thread(target=forget)

    def meanwhile(*args: Any, **named: Any) -> Any:
        thread.start()
        through.wait(0.3)  # it waits for the device that this sign-in holds
        return renew(*args, **named)

    monkeypatch.setattr(devices, "_renew", meanwhile)
    assert step_of(come(client)) == "code"
    thread.join(20)
    assert make.rows(RememberedDevice) == []
    assert all("device" not in (row.proven or {}) for row in make.rows(BrowserSession))
