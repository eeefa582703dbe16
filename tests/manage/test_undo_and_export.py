"""Undo where it is harmless, *Locked*, and the list as CSV (E3, E4, E7; AD-01, AU-06, ST-13)."""

import csv
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.audit.models import AuditEvent
from idp.manage import export_views
from tests.affiliations.deciding.world import PORTAL, World
from tests.authenticators.browsing import post_form, press, sign_in
from tests.manage.desks import at_desk
from tests.sign_in.visiting import force

pytestmark = pytest.mark.both


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def lena(client: FlaskClient, world: World) -> FlaskClient:
    return at_desk(client, "lena.ortiz")


def page_of(world: World, row: Any) -> str:
    return f"/manage/{PORTAL}/{world.provider.id}/people/{row.id}"


def act(browser: FlaskClient, world: World, row: Any, what: str) -> Any:
    address = f"{page_of(world, row)}/act/{what}"
    return browser.get(press(browser, browser.get(address), address).location)


def undo(browser: FlaskClient, world: World, row: Any, page: Any) -> Any:
    return press(browser, page, f"{page_of(world, row)}/undo")


def levels(world: World, row: Any) -> set[str]:
    return {held.level for held in world.row(row).levels}


def save(browser: FlaskClient, world: World, row: Any, *wanted: str) -> Any:
    address = page_of(world, row)
    ticked = {f"level.{level}": "yes" for level in wanted}
    return browser.get(press(browser, browser.get(address), f"{address}/levels", **ticked).location)


@pytest.mark.parametrize("status", ["active", "unverified"])
def test_E4_a_disabling_is_undone_to_what_it_was(lena: FlaskClient, world: World, status: str) -> None:
    row = world.member(status=status)
    page = act(lena, world, row, "disable")
    assert 'id="undo"' in page.text
    assert undo(lena, world, row, page).status_code == 303
    assert world.row(row).status == status
    assert 'id="undo"' not in lena.get(page_of(world, row)).text, "once"


def test_E4_an_enabling_is_undone(lena: FlaskClient, world: World) -> None:
    row = world.member(status="disabled", disabled_by="manager")
    page = act(lena, world, row, "enable")
    assert undo(lena, world, row, page).status_code == 303
    assert (world.row(row).status, world.row(row).disabled_by) == ("disabled", "manager")


def test_E7_a_change_of_levels_is_undone(lena: FlaskClient, world: World) -> None:
    row = world.member(levels=("claims.inquiry",))
    page = save(lena, world, row, "claims.submit", "admin")
    assert undo(lena, world, row, page).status_code == 303
    assert levels(world, row) == {"claims.inquiry"}
    assert not world.row(row).account_manager


def test_E4_undo_is_for_ten_minutes_for_who_did_it_and_for_what_has_not_changed_since(
    lena: FlaskClient, world: World, make: Any, hands: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    world.manager(make.subject("deputy.dan"))
    dan, row = at_desk(new_browser(), "deputy.dan"), world.member()
    page = act(lena, world, row, "disable")
    theirs = dan.get(page_of(world, row))
    assert 'id="undo"' not in theirs.text
    assert force(dan, theirs, f"{page_of(world, row)}/undo", version=str(world.row(row).version)).status_code == 409
    act(dan, world, row, "enable")
    assert undo(lena, world, row, page).status_code == 409
    later = act(lena, world, row, "disable")
    hands.forward(minutes=10)
    assert undo(lena, world, row, later).status_code == 409
    assert world.row(row).status == "disabled"


def test_E4_locked_is_shown_beside_the_status(
    lena: FlaskClient, world: World, new_browser: Callable[[], FlaskClient]
) -> None:
    row, thief = world.member(), new_browser()
    for _ in range(12):
        sign_in(thief, "oscar.benitez", "CNRY-wrong-password")
    assert "Locked" in lena.get(f"/manage/{PORTAL}/{world.provider.id}/people").text
    assert "Locked" in lena.get(page_of(world, row)).text


def test_ST_13_AU_06_the_list_is_taken_as_csv_safely_and_that_is_kept(
    lena: FlaskClient, world: World, make: Any
) -> None:
    evil = make.subject("eve.evans", given_name='=HYPERLINK("x")', family_name="+Evans", email="eve@mail.test")
    make.affiliation(evil, world.provider, levels=((PORTAL, "claims.inquiry"),))
    stranger = make.subject("sam.stone")
    make.affiliation(stranger, make.provider("100200301"))
    page = lena.get(f"/manage/{PORTAL}/{world.provider.id}/people")
    answer = post_form(lena, page, "export-form")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(answer.text.splitlines()))
    assert rows[0][:4] == ["name", "first_name", "last_name", "user_id"]
    assert {row[3] for row in rows[1:]} == {"lena.ortiz", "eve.evans"}, "AD-01: nobody of another target"
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    (kept,) = [row for row in make.rows(AuditEvent) if row.type == "people_exported"]
    assert (kept.actor, kept.details) == (world.lena.id, {"status": "all", "searched": False})


def test_E3_a_long_list_is_streamed_whole(lena: FlaskClient, world: World, make: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(export_views, "_A_READ", 2)
    for number in range(5):
        make.affiliation(make.subject(f"clerk.n{number}", password=None), world.provider)
    page = lena.get(f"/manage/{PORTAL}/{world.provider.id}/people")
    rows = post_form(lena, page, "export-form").text.splitlines()
    assert len(rows) == len(set(rows)) == 1 + 6
