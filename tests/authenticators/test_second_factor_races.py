"""What changes between the page and the lock: whose password is pending, and how long ago anything was proven."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.authenticators.factors import asking
from idp.authenticators.factors.models import HeldFactor
from idp.foundation.artefacts import Artefact
from idp.foundation.database import write_budget, writing
from idp.sessions import transactions
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import follow, press
from tests.authenticators.passkeys import hold
from tests.authenticators.second_factors import code_of, set_up_totp, type_code
from tests.authenticators.software_key import SoftwareKey
from tests.conftest import Hands
from tests.factories import Make
from tests.sign_in.visiting import come, send, step_of, walk

pytestmark = pytest.mark.both


def test_MF_29_the_attackers_own_app_does_not_answer_for_a_victim_who_became_pending_meanwhile(
    client: FlaskClient, make: Make, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.client("ozark-secure")
    victim = make.subject("rosa.delgado")
    make.totp(victim)
    mine = make.totp(make.subject("mallory"))[1]
    page = come(client, "mallory")
    look = asking.asked

    def overtaken(txn: Any) -> Any:
        """The page was read; then another tab typed the victim's password."""
        seen = look(txn)
        with write_budget(1), writing() as tx:
            transactions.remember_first_factor(tx, txn=txn, subject_id=victim.id, epoch=victim.epoch, now=hands.now)
        return seen

    monkeypatch.setattr(asking, "asked", overtaken)
    send(client, page, "factor-form", code=code_of(mine, hands.now))
    assert make.rows(BrowserSession) == []


def test_MF_11_recovery_codes_are_not_made_at_a_set_up_page_left_open(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    make.subject("rosa.delgado")
    page = walk(client, client.get("/sign-in?to=account.overview&set-up=1"))
    page = send(client, page, "login-form", username="rosa.delgado", password="kettle-orbit-walnut-42")
    assert step_of(page) == "set-up-mfa"
    added, _secret = set_up_totp(client, page, hands.now)
    hands.forward(minutes=16)
    late = walk(client, press(client, added, added.request.path))
    assert step_of(late) == "totp"
    assert [row for row in make.rows(Artefact) if row.kind == "recovery_code"] == []


def test_MF_28_a_stopped_passkey_is_no_way_but_the_password_alone_is_none_either(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    make.client("ozark-secure")
    rosa = make.subject("rosa.delgado")
    factor = hold(make, rosa, SoftwareKey())
    with writing() as tx:
        tx.execute(update(HeldFactor).where(HeldFactor.id == factor.id).values(stopped_at=make.now))
    page = come(client)
    assert step_of(page) == "ways"
    assert "Nothing that you have set up is accepted here" in page.text
    assert make.rows(BrowserSession) == []
    secret = make.totp(rosa)[1]
    page = follow(client, client.get(page.request.path.removesuffix("/second-factor/ways")))
    assert step_of(page) == "totp"
    type_code(client, page, code_of(secret, hands.now))
    shown = client.get("/account/factors")
    assert "Stopped" in shown.text
    assert "A copy of it may be in use" in shown.text
