"""Managers and registrars start things: none of them reads or sets a password, link, PIN or seed anywhere (AD-19)."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from idp.affiliations.models import Affiliation
from idp.authenticators.password.models import PasswordCredential
from idp.authenticators.totp.models import TotpSecret
from idp.foundation.database import reading, see_as
from idp.foundation.front_door import policy_of
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from tests.affiliations.deciding.world import PORTAL, World
from tests.affiliations.pins.posted import PIN
from tests.affiliations.pins.posted import post as post_letter
from tests.authenticators.browsing import press
from tests.console.staff_world import REGISTRAR, enter_as, post, staff
from tests.factories import Make
from tests.factories.make import PASSWORD
from tests.manage.desks import at_desk

PLACES = ("/manage/", "/console/registrants", "/console/directory")
_FIELD = re.compile(r'name="(?:[a-z_]*password[a-z_]*|pin|secret|seed|otp)"', re.IGNORECASE)
_MAILING = ("send_reset", "send_registration", "start_recovery", "enable", "verify")


@pytest.fixture
def world(make: Make, now: Any) -> World:
    return World(make, now)


def known_secrets(make: Make, seed: str) -> set[str]:
    """Password, its digest, seed of the app, and every link's secret that is owed by mail."""
    found = {PASSWORD, PIN, seed}
    found |= {str(row.digest) for row in make.rows(PasswordCredential)}
    for row in make.rows(OutboxMessage):
        url = str(messaging.opened(row).payload.context.get("url", ""))
        found |= {url.partition("token=")[2]} - {""}
    return found


def what_is_kept(make: Make) -> tuple[Any, ...]:
    return (
        sorted((row.subject_id, row.digest) for row in make.rows(PasswordCredential)),
        sorted((str(row.factor_id), row.secret_sealed) for row in make.rows(TotpSecret)),
    )


def pages(app: Flask, ids: dict[str, Any]) -> list[str]:
    """Every page of the places, with what is there in its address."""
    found = set()
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(PLACES) or "GET" not in (rule.methods or ()) or policy_of(rule.endpoint) is None:
            continue
        if rule.arguments <= ids.keys():
            found |= {_fill(rule.rule, ids | {"act": act}) for act in ("disable", *_MAILING)}
    return sorted(found)


def _fill(address: str, ids: dict[str, Any]) -> str:
    return re.sub(r"<(?:uuid:)?(\w+)>", lambda part: str(ids[part[1]]), address)


def test_AD_19_no_page_shows_a_secret_and_no_form_sets_one(
    app: Flask, client: FlaskClient, new_browser: Callable[[], FlaskClient], world: World, make: Make
) -> None:
    lena, nora = at_desk(client, "lena.ortiz"), enter_as(new_browser(), make, staff(make, REGISTRAR))
    oscar = world.member()
    _factor, seed = make.totp(make.row(type(world.lena), oscar.subject_id))
    waiting = world.member("una", status="unverified", activated_at=None, last_used_at=None)
    alone = make.affiliation(
        make.subject("kim"), make.provider("100200998", tin="981110002"), registry="heartland", portal=PORTAL,
        levels=((PORTAL, "claims.inquiry"),),
    )  # fmt: skip
    post_letter(world.provider, now=make.now)
    kept = what_is_kept(make)
    person = f"/manage/{PORTAL}/{world.provider.id}/people"
    for row, act in ((oscar, "send_reset"), (oscar, "start_recovery"), (waiting, "send_registration")):
        here = f"{person}/{row.id}/act/{act}"
        page = lena.get(here)
        assert press(lena, page, here, password="Chosen-by-manager-1").status_code == 400, act
        assert press(lena, page, here).status_code == 303, act
    here = f"/console/registrants/{alone.id}/act/send_reset"
    assert press(nora, nora.get(here), here, reason="x", password="Chosen-by-staff-1").status_code == 400
    assert press(nora, nora.get(here), here, reason="she called").status_code == 303
    invite = {"email": "new@clinic.test", "reason": "x", "level.claims.inquiry": "yes"}
    assert post(nora, f"/console/registrants/at/{PORTAL}/{alone.target_id}/invitations", **invite).status_code == 303
    hidden = known_secrets(make, seed)
    assert len(hidden) >= 6
    read = 0
    for browser, rows in ((lena, (oscar, waiting)), (nora, (oscar, waiting, alone))):
        for row in rows:
            for address in pages(app, ids_of(row)):
                answer = browser.get(address)
                if answer.status_code == 200:
                    read += 1
                    text = answer.text + str(answer.headers)
                    assert not [each for each in hidden if each in text], address
                    assert not _FIELD.search(text) or address.endswith("/clerks/new"), address
    assert read > 40
    assert what_is_kept(make) == kept


def ids_of(row: Affiliation) -> dict[str, Any]:
    with reading() as tx:
        see_as(tx, everything=True)
        target: UUID = tx.execute(select(Affiliation.target_id).where(Affiliation.id == row.id)).scalar_one()
    return {
        "client_id": PORTAL, "target_id": target, "affiliation_id": row.id, "act": "disable", "provider_id": target,
    }  # fmt: skip
