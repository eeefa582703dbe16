"""Several people at once (AD-23, E4): shown before, then all or nothing."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.affiliations.deciding.rules import Act
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.foundation.database import writing
from idp.subjects.models import Subject
from tests.affiliations.deciding.world import PORTAL, World
from tests.authenticators.browsing import post_form
from tests.manage.desks import at_desk

pytestmark = pytest.mark.both


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def lena(client: FlaskClient, world: World) -> FlaskClient:
    return at_desk(client, "lena.ortiz")


def at_once(world: World) -> str:
    return f"/manage/{PORTAL}/{world.provider.id}/people-at-once"


def ask(browser: FlaskClient, world: World, act: str, *rows: Affiliation, **more: str) -> Any:
    picked = {f"pick.{row.id.hex}": str(row.version) for row in rows}
    return browser.get(at_once(world), query_string={"act": act, **picked, **more})


def statuses(world: World, *rows: Affiliation) -> list[str]:
    return [world.row(row).status for row in rows]


def test_E4_what_will_change_is_shown_first_and_then_done(lena: FlaskClient, world: World) -> None:
    rows = [world.member("anna.abel"), world.member("bert.bond")]
    disabled = world.member("cora.cole", status="disabled", disabled_by="manager")
    page = ask(lena, world, "disable", *rows, disabled)
    assert "2 people?" in page.text
    assert page.text.index("bert.bond") < page.text.index("This stays as it is") < page.text.index("cora.cole")
    assert statuses(world, *rows) == ["active", "active"], "asking changes nothing"
    answer = post_form(lena, page, "at-once")
    assert answer.status_code == 303
    assert statuses(world, *rows, disabled) == ["disabled"] * 3
    assert "Disabled. They can no longer act" in lena.get(answer.location).text


def test_AD_23_one_foreign_id_and_nothing_exists(lena: FlaskClient, world: World, make: Any) -> None:
    mine, foreign = world.member(), make.affiliation(make.subject(), make.provider("100200301"))
    assert ask(lena, world, "disable", mine, foreign).status_code == 404
    page = ask(lena, world, "disable", mine)
    answer = post_form(lena, page, "at-once", **{f"pick.{foreign.id.hex}": "1"})
    assert answer.status_code == 404
    assert post_form(lena, page, "at-once", **{f"pick.{uuid4().hex}": "1"}).status_code == 404
    assert statuses(world, mine, foreign) == ["active", "active"]
    refused = [row.outcome for row in make.rows(AuditEvent) if row.type == "affiliation_changed"]
    assert refused == ["unknown", "unknown"]


def test_AD_23_one_that_changed_meanwhile_undoes_them_all(lena: FlaskClient, world: World, make: Any) -> None:
    first, second = world.member("anna.abel"), world.member("bert.bond")
    page = ask(lena, world, "disable", first, second)
    world.do(Act.SET_LEVELS, second, levels=("claims.submit",))
    answer = post_form(lena, page, "at-once")
    assert answer.status_code == 409
    assert "Here it failed; nothing was changed." in answer.text
    assert statuses(world, first, second) == ["active", "active"]
    assert post_form(lena, answer, "at-once").status_code == 303, "looked at again, it is done"


def test_AD_04_a_manager_in_the_list_does_not_disable_themselves(lena: FlaskClient, world: World) -> None:
    row = world.member()
    page = ask(lena, world, "disable", row, world.mine)
    assert page.text.index("This stays as it is") < page.text.index("lena.ortiz")
    forged = post_form(lena, page, "at-once", **{f"pick.{world.mine.id.hex}": "1"})
    assert forged.status_code == 403
    assert statuses(world, row, world.mine) == ["active", "active"]


@pytest.mark.parametrize(
    "more", [{"act": "remove"}, {"act": "root"}, {"pick.x": "1"}, {"status": "active"}, {f"pick.{'0' * 32}": "-1"}]
)
def test_AD_24_what_no_page_sends_is_not_read(lena: FlaskClient, world: World, more: dict[str, str]) -> None:
    row = world.member()
    page = ask(lena, world, "disable", row)
    assert post_form(lena, page, "at-once", **more).status_code == 400
    query = {"act": "disable", f"pick.{row.id.hex}": "1"} | more
    assert lena.get(at_once(world), query_string=query).status_code == 303
    assert statuses(world, row) == ["active"]


def test_E3_the_list_offers_it(lena: FlaskClient, world: World) -> None:
    row = world.member()
    page = lena.get(f"/manage/{PORTAL}/{world.provider.id}/people")
    assert f'name="pick.{row.id.hex}" value="1"' in page.text
    assert 'value="disable"' in page.text


def test_D6_E5_sent_at_once_as_alone_who_proved_no_mailbox_gets_the_link_that_does(
    lena: FlaskClient, world: World
) -> None:
    proven, unproven = (world.member(name, status="unverified") for name in ("anna.abel", "bert.bond"))
    with writing() as tx:
        changed = {"status": "unverified", "email_verified_at": None}
        tx.execute(update(Subject).where(Subject.id == unproven.subject_id).values(**changed))
    page = ask(lena, world, "send_registration", proven, unproven)
    assert post_form(lena, page, "at-once").status_code == 303
    told = [(notice, to) for notice, to in world.mails() if notice != "registration_link"]
    assert told == [("clerk_added", "bert.bond@mail.test")]
