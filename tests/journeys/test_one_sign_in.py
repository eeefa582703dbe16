"""X1, X2: a person signs in once; five portals learn who, and for whom; one sign-out ends all of it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.demo import PORTALS, Demo, levels, people
from tests.journeys.people import Person, PortalPage, expect_gone

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
FIRST, OTHERS = "cascade-mmis", [client_id for client_id in PORTALS if client_id != "cascade-mmis"]


def everywhere(rosa: Person) -> dict[str, PortalPage]:
    """Rosa, signed in at the first portal with her password and at the other four without."""
    portals = {client_id: rosa.at(client_id) for client_id in (FIRST, *OTHERS)}
    rosa.sign_in(portals[FIRST])
    for client_id in OTHERS:
        rosa.enter(portals[client_id])
    return portals


def target_of(client_id: str, *, kind: str) -> str:
    """Whom Rosa acts for at that portal, by the demo's own list."""
    rosa = next(person for person in people() if person["user_id"] == "rosa.delgado")
    return next(str(row["id"]) for row in rosa["affiliations"] if row["kind"] == kind and client_id in row["levels"])


def test_X1_X2_one_sign_in_serves_five_portals_each_with_the_right_provider(rosa: Person) -> None:
    portals = everywhere(rosa)
    told = {client_id: portal.me for client_id, portal in portals.items()}
    assert all(told.values())
    for client_id, me in told.items():
        assert me is not None
        access = me["access_token"]
        assert access["header"]["typ"] == "at+jwt"
        assert access["payload"]["client_id"] == client_id
        assert access["payload"]["sub"] == me["userinfo"]["sub"] == me["id_token"]["sub"]
        if client_id == "ozark-exchange":
            assert access["payload"]["trading_partner_id"] == target_of(client_id, kind="trading_partner")
            assert me["id_token"]["trading_partner_id"] == me["userinfo"]["trading_partner_id"]
            continue
        assert access["payload"]["provider_id"] == me["userinfo"]["provider_id"] == me["id_token"]["provider_id"]
        assert access["payload"]["tin"] == me["userinfo"]["tin"] == me["id_token"]["tin"]
    for client_id in ("heartland-selfservice", "carebridge-provider", "cascade-mmis"):
        assert told[client_id]["userinfo"]["provider_id"] == target_of(client_id, kind="provider")  # type: ignore[index]
    assert told["ozark-secure"]["userinfo"]["tin"] == target_of("ozark-secure", kind="practice")  # type: ignore[index]
    assert len({me["id_token"]["sub"] for me in told.values() if me}) == 1, "first-party portals see one subject"
    assert len({me["id_token"]["auth_time"] for me in told.values() if me}) == 1, "one sign-in, one time of it"


def test_X1_every_portal_shows_for_whom_the_person_acts(rosa: Person) -> None:
    for portal in everywhere(rosa).values():
        portal.open("/me")
        expect(portal.page.locator("#acting-for")).to_contain_text("Acting for")


def test_X1_signing_out_here_leaves_the_others(rosa: Person) -> None:
    portals = everywhere(rosa)
    portals[FIRST].open("/sign-out")
    portals[FIRST].page.locator("#sign-out-here").click()
    expect(portals[FIRST].page.locator("main")).to_contain_text("Signed out")
    assert portals[FIRST].me is None
    assert all(portals[client_id].me for client_id in OTHERS)
    rosa.enter(portals[FIRST])
    assert portals[FIRST].me is not None


def test_X1_signing_out_everywhere_ends_all_five(rosa: Person, demo: Demo) -> None:
    portals = everywhere(rosa)
    page = portals[FIRST].page
    portals[FIRST].open("/sign-out")
    page.locator("#sign-out-everywhere").click()
    if not portals[FIRST].is_here:
        page.locator("#logout-confirm").click()
    expect(page.locator("main")).to_contain_text("signed out everywhere")
    for portal in portals.values():
        expect_gone(portal)
    page.goto(f"{portals[FIRST].base}/sign-in")
    expect(page.locator("#login-form")).to_be_visible()
    assert page.url.startswith(demo.issuer)


def test_C10_a_guarded_page_opens_by_the_access_level(rosa: Person, person: Callable[..., Person]) -> None:
    portal = rosa.at(FIRST)
    rosa.sign_in(portal, path="/claims")
    assert portal.page.url == f"{portal.base}/claims"
    expect(portal.page.locator("main")).to_contain_text("Claim number")


def test_D9_a_page_outside_ones_access_says_so(person: Callable[..., Person]) -> None:
    someone, missing = next(
        (row["user_id"], key)
        for row in people()
        if len(here := [a for a in row.get("affiliations", ()) if a.get("levels", {}).get(FIRST)]) == 1
        and here[0].get("status", "active") == "active"
        and "last_used_days_ago" not in here[0]
        and "all" not in here[0]["levels"][FIRST]
        and not row.get("must_change")
        and not row.get("disabled")
        for key in levels(FIRST)
        if key not in here[0]["levels"][FIRST]
    )
    clerk = person(someone)
    portal = clerk.at(FIRST)
    clerk.sign_in(portal)
    assert portal.open(f"/task/{missing}") == 403
    expect(portal.page.locator("#error")).to_contain_text("does not include")


def test_the_sensitive_page_asks_for_the_password_again(rosa: Person) -> None:
    portal = rosa.at(FIRST)
    rosa.sign_in(portal)
    portal.page.goto(f"{portal.base}/sensitive")
    expect(portal.page.locator("#login-form #password")).to_be_visible()
    rosa.type_password(portal)
    rosa.finish(portal)
    assert portal.page.url == f"{portal.base}/sensitive"
    expect(portal.page.locator("main")).to_contain_text("Payment")


def test_D10_switching_provider_from_the_account_takes_no_new_sign_in(
    demo: Demo, person: Callable[..., Person]
) -> None:
    marcus = person("marcus.oyelaran")
    portal = marcus.at(FIRST)
    ids = [str(row["id"]) for row in marcus.listed["affiliations"] if row.get("status", "active") == "active"][:2]
    portal.page.goto(f"{portal.base}/sign-in")
    marcus.type_password(portal)
    _to_the_choice(marcus, portal)
    marcus.choose(portal, provider_id=ids[0])
    before = portal.me
    assert before is not None
    assert before["userinfo"]["provider_id"] == ids[0]
    portal.page.goto(f"{demo.issuer}/account/access")
    portal.page.get_by_role("link", name="Switch Provider").click()
    assert portal.page.locator("#password").count() == 0
    _to_the_choice(marcus, portal)
    marcus.choose(portal, provider_id=ids[1])
    after = portal.me
    assert after is not None
    assert after["userinfo"]["provider_id"] == after["access_token"]["payload"]["provider_id"] == ids[1]
    assert after["id_token"]["auth_time"] == before["id_token"]["auth_time"]


def test_a_wrong_password_is_told_without_saying_which_part_was_wrong(rosa: Person) -> None:
    portal = rosa.at("heartland-selfservice")
    said = []
    for login in ("rosa.delgado", "nobody.at.all"):
        portal.page.goto(f"{portal.base}/sign-in")
        rosa.type_password(portal, login=login, password="Wrong-password-00")
        portal.page.locator("#error, [role=alert]").first.wait_for()
        said.append(portal.page.locator("#error, [role=alert]").first.inner_text())
        rosa.context.clear_cookies()
    assert said[0] == said[1]
    assert portal.me is None


def _to_the_choice(person: Person, portal: PortalPage) -> None:
    """Past the banner and the agreement, to the page with the providers."""
    for _ in range(5):
        if portal.page.locator("main input[type=radio]").count():
            return
        person.press_on(portal.page)
    raise AssertionError(f"no choice at {portal.page.url}")
