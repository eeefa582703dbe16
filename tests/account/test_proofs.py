"""A person's ways to sign in on the account pages (MF-11, X5; MODEL §7: only the person themselves)."""

import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from idp.account.proofs.rules import may_remove
from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.factors.rules import Reason
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.messaging.models import OutboxMessage
from idp.subjects.models import Subject
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused
from tests.authenticators.browsing import follow, post_form, press, sign_in
from tests.authenticators.second_factors import code_of, type_code
from tests.authenticators.test_remembered_devices import person, remember
from tests.conftest import Hands
from tests.factories import Make
from tests.sign_in.test_assurance import held
from tests.sign_in.visiting import come, force, step_of, walk

pytestmark = pytest.mark.both


@pytest.fixture
def rosa(make: Make) -> tuple[Subject, str]:
    """Somebody with an app, who may act at a portal that requires a factor."""
    make.client("ozark-secure", mfa={"policy": "required"})
    return person(make, "rosa.delgado")


def arrive(client: FlaskClient, hands: Hands, secret: str, login: str = "rosa.delgado") -> Any:
    """Signed in with the code, on the page of ways."""
    page = follow(client, sign_in(client, login))
    type_code(client, page, code_of(secret, hands.now))
    return client.get("/account/factors")


def row_of(make: Make) -> HeldFactor:
    (row,) = make.rows(HeldFactor)
    return row


def test_everything_held_is_listed(client: FlaskClient, hands: Hands, rosa: Any) -> None:
    page = arrive(client, hands, rosa[1])
    assert "Work phone" in page.text
    assert "No code is left" in page.text


@pytest.mark.parametrize("demanded", [True, False])
def test_MF_11_the_last_factor_is_kept_whether_a_portal_demands_one_or_not(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, demanded: bool
) -> None:
    secret = rosa[1] if demanded else make.totp(make.subject("ines.ortega"))[1]
    arrive(client, hands, secret, "rosa.delgado" if demanded else "ines.ortega")
    (listed,) = set(re.findall(r'href="(/account/factors/[0-9a-f-]+)"', client.get("/account/factors").text))
    path = f"{listed}/remove"
    answer = press(client, client.get(path), path)
    assert answer.status_code == 422
    assert "This is your last one" in answer.text
    assert len(make.rows(HeldFactor)) == 2 - demanded


def test_MF_11_a_factor_that_nothing_demands_is_removed_with_a_mail(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    subject = make.subject("rosa.delgado")
    row, secret = make.totp(subject)
    other, _secret = make.totp(subject, name="Old phone")
    arrive(client, hands, secret)
    path = f"/account/factors/{row.id}/remove"
    answer = press(client, client.get(path), path)
    assert answer.location == "/account/factors?done=factor"
    assert "It is removed" in client.get(answer.location).text
    assert [each.id for each in make.rows(HeldFactor)] == [other.id]
    assert [each.notice for each in make.rows(OutboxMessage)] == ["factor_removed"]
    assert "factor_removed" in {each.type for each in make.rows(AuditEvent)}


def test_MF_11_after_fifteen_minutes_nothing_is_removed_without_the_code(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    subject = make.subject("rosa.delgado")
    row, secret = make.totp(subject)
    make.totp(subject, name="Old phone")
    page = arrive(client, hands, secret)
    path = f"/account/factors/{row.id}/remove"
    shown = client.get(path)
    hands.forward(minutes=15)
    late = walk(client, press(client, shown, path))
    assert step_of(late) == "totp"
    assert len(make.rows(HeldFactor)) == 2
    back = type_code(client, late, code_of(secret, hands.now))
    assert back.request.path == "/account/factors"
    assert press(client, client.get(path), path).location == "/account/factors?done=factor"
    assert page.status_code == 200


def test_MF_11_a_remembered_device_is_no_strong_proof(client: FlaskClient, make: Make, hands: Hands, rosa: Any) -> None:
    remember(client, rosa[1], hands)
    come(client)
    path = f"/account/factors/{row_of(make).id}/remove"
    assert step_of(walk(client, client.get(path))) == "totp"


def test_a_foreign_factor_is_as_unknown_as_none(client: FlaskClient, make: Make, hands: Hands, rosa: Any) -> None:
    theirs, _secret = make.totp(make.subject("ines.ortega"))
    page = arrive(client, hands, rosa[1])
    for identity in (theirs.id, uuid4()):
        for path in (f"/account/factors/{identity}", f"/account/factors/{identity}/remove"):
            assert client.get(path).status_code == 404
        assert force(client, page, f"/account/factors/{identity}/remove").status_code == 404
    assert len(make.rows(HeldFactor)) == 2


def test_a_factor_gets_another_name(client: FlaskClient, make: Make, hands: Hands, rosa: Any) -> None:
    arrive(client, hands, rosa[1])
    page = client.get(f"/account/factors/{row_of(make).id}")
    post_form(client, page, "factor-name-form", name="<b>My phone</b>")
    assert row_of(make).name == "<b>My phone</b>"
    assert "<b>My phone</b>" not in client.get("/account/factors").text
    assert post_form(client, page, "factor-name-form", name=" ").status_code == 422


def test_MF_32_new_recovery_codes_void_the_former_ones(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    arrive(client, hands, rosa[1])
    first, second = (
        re.findall(
            r"<code>([a-z0-9-]+)</code>",
            press(client, client.get("/account/factors"), "/account/factors/recovery-codes").text,
        )
        for _ in range(2)
    )
    assert len({*first, *second}) == 20
    assert "10 codes are left" in client.get("/account/factors").text
    for code, expected in ((first[0], "recovery"), (second[0], "code")):
        other = new_browser()
        page = come(other)
        page = other.get(page.request.path.replace("/totp", "/recovery"))
        assert step_of(type_code(other, page, code)) == expected
    assert "recovery_codes_made" in {each.notice for each in make.rows(OutboxMessage)}


def test_X5_remembered_devices_are_listed_and_forgotten_one_by_one_or_all(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    remember(client, rosa[1], hands)
    other = new_browser()
    remember(other, rosa[1], hands)
    third = new_browser()
    arrive(third, hands, rosa[1])
    page = third.get("/account/devices")
    paths = re.findall(r'action="(/account/devices/[0-9a-f-]+/forget)"', page.text)
    assert len(paths) == 2
    assert press(third, page, paths[0]).location == "/account/devices?done=device"
    assert len(make.rows(RememberedDevice)) == 1
    assert force(third, page, paths[0]).status_code == 404
    assert force(third, page, "/account/devices/forget-all").location == "/account/devices?done=devices"
    assert make.rows(RememberedDevice) == []
    assert step_of(come(client)) == step_of(come(other)) == "totp"


def test_only_the_last_one_that_a_portal_takes_is_kept() -> None:
    app, phone = held(Factor.TOTP, Factor.SMS)
    assert may_remove(app.id, held=(app, phone), demanded=[{Factor.TOTP}]) == Refused(Reason.LAST_ONE)
    assert may_remove(app.id, held=(app, phone), demanded=[{Factor.TOTP, Factor.SMS}]) is None
    assert may_remove(phone.id, held=(app, phone), demanded=[{Factor.PASSKEY}]) is None
    assert may_remove(app.id, held=(app,), demanded=[]) == Refused(Reason.NONE_LEFT)
    assert may_remove(app.id, held=(app, phone), demanded=[]) is None
    assert may_remove(uuid4(), held=(app,), demanded=[]) == Refused(Reason.NOT_HELD)


def test_MF_11_a_stopped_key_is_no_last_one_to_fall_back_on() -> None:
    app, key = held(Factor.TOTP, Factor.PASSKEY)
    dead = replace(key, stopped=True)
    strong = [{Factor.TOTP, Factor.PASSKEY}]
    assert may_remove(app.id, held=(app, dead), demanded=strong) == Refused(Reason.NONE_LEFT)
    assert may_remove(dead.id, held=(app, dead), demanded=strong) is None
    assert may_remove(app.id, held=(app, dead), demanded=[]) == Refused(Reason.NONE_LEFT)
    assert may_remove(dead.id, held=(dead,), demanded=strong) == Refused(Reason.NONE_LEFT)
