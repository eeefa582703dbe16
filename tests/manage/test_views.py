"""The managers' pages (B6, D8, E3–E10, AD): what they show, what they do, and to whom they do not exist."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from idp.affiliations.deciding.models import Comment
from idp.affiliations.models import Affiliation
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.service import Submitted
from idp.audit.models import AuditEvent
from idp.authenticators.lost_factors.models import FactorRecovery
from idp.manage import service
from idp.messaging.models import OutboxMessage
from idp.vocabulary.assurance import Factor
from tests.affiliations.deciding.world import PORTAL, World
from tests.affiliations.requests.asking import submit
from tests.attacks.strings import POLYGLOTS, SEEDED
from tests.authenticators.browsing import press, signed_in
from tests.manage.desks import at_desk, prove


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def lena(client: FlaskClient, world: World) -> FlaskClient:
    return at_desk(client, "lena.ortiz")


def place(world: World) -> str:
    return f"/manage/{PORTAL}/{world.provider.id}"


def page_of(world: World, row: Affiliation) -> str:
    return f"{place(world)}/people/{row.id}"


def save(browser: FlaskClient, world: World, row: Affiliation, **sent: Any) -> Any:
    address = page_of(world, row)
    return press(browser, browser.get(address), f"{address}/levels", **sent)


def act(browser: FlaskClient, world: World, row: Affiliation, what: str) -> Any:
    address = f"{page_of(world, row)}/act/{what}"
    asked = browser.get(address)
    assert asked.status_code == 200, asked.location
    return press(browser, asked, address)


def test_E3_with_one_place_the_list_opens_at_once(lena: FlaskClient, world: World) -> None:
    world.member(levels=(), status="verification_pending", activated_at=None, last_used_at=None)
    answer = lena.get("/manage/")
    assert (answer.status_code, answer.location) == (303, f"{place(world)}/people")
    page = lena.get(answer.location)
    assert "Oscar Benítez" in page.text
    assert "oscar.benitez@mail.test" in page.text
    assert page.text.index("Verification Pending <span") < page.text.index("All <span"), "the first tab (E3)"
    top = page.text.split("<main", 1)[0]
    assert "Acting for DELGADO, ROSA" in top
    assert [f'href="{way}"' in top for way in ("/manage/", "/account/", "/oauth/logout")] == [True, True, True]


@pytest.mark.both
def test_MODEL_1_a_practice_s_manager_finds_its_providers_too(
    world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    world.manager(make.subject("head.helen"), world.practice)
    row, helen = world.member(), at_desk(new_browser(), "head.helen")
    start = helen.get("/manage/")
    assert start.status_code == 200
    assert f'href="{place(world)}/people"' in start.text
    assert "data-filter" not in start.text
    for _ in range(8):
        make.provider(practice=world.practice, tin="981112223")
    assert "data-filter" in helen.get("/manage/").text, "a long list can be narrowed"
    act(helen, world, row, "disable")
    assert world.row(row).status == "disabled"
    found = submit(world.party, world.provider.id, now=world.now)
    assert isinstance(found, Submitted)
    inbox = helen.get(f"/manage/{PORTAL}/{world.practice.id}/requests")
    assert "June Harwood" in inbox.text
    assert "DELGADO, ROSA" in inbox.text


@pytest.mark.both
def test_E3_the_list_is_searched_and_filtered(lena: FlaskClient, world: World, make: Any) -> None:
    world.member("oscar.benitez")
    waiting = make.subject("tobias.abbott", given_name="Tobias", family_name="Abbott")
    make.affiliation(waiting, world.provider, status="verification_pending", activated_at=None)
    stranger = make.subject("stranger.sam", given_name="Sam", family_name="Stranger")
    make.affiliation(stranger, make.provider("100200301"))

    def names(**query: str) -> set[str]:
        text = lena.get(f"{place(world)}/people", query_string=query).text.split("</header>", 1)[1]
        return {name for name in ("Abbott", "Benítez", "Ortiz", "Stranger") if f"{name}</b>" in text}

    assert names() == {"Abbott", "Benítez", "Ortiz"}, "AD-18: nobody of another target"
    assert names(status="verification_pending") == {"Abbott"}
    empty = lena.get(f"{place(world)}/people?status=suspended").text
    assert "Nobody has this status now." in empty
    assert f'href="{place(world)}/people?status=all" id="show-all"' in empty
    assert names(q="abb") == names(q="TOBIAS") == names(q="tobias.abbott@") == names(q="to abb") == {"Abbott"}
    assert names(q="%") == names(q="_") == names(q="stranger") == set()
    assert names(q="\x00") == names()


@pytest.mark.both
def test_E3_the_list_is_paged_by_key(lena: FlaskClient, world: World, make: Any) -> None:
    for number in range(30):
        subject = make.subject(
            f"person.x{number:02}", given_name="P", family_name=f"Name{number % 7:02}", password=None
        )
        make.affiliation(subject, world.provider)
    seen: list[str] = []
    address: str | None = f"{place(world)}/people"
    while address is not None:
        text = lena.get(address).text
        seen += [part.split("<", 1)[0] for part in text.split('<span class="muted">')[1:] if "@mail.test" in part[:60]]
        more = text.split(">Next<", 1)[0].rsplit('href="', 1) if "Next" in text else None
        address = more[1].split('"', 1)[0].replace("&amp;", "&") if more else None
    assert len(seen) == len(set(seen)) == 31


@pytest.mark.both
def test_E3_E5_verified_in_two_clicks_and_the_mail_goes_out(lena: FlaskClient, world: World, make: Any) -> None:
    row = world.member(levels=(), status="verification_pending", activated_at=None, last_used_at=None)
    assert "Verify Account" in lena.get(page_of(world, row)).text
    answer = act(lena, world, row, "verify")
    assert answer.status_code == 303
    assert "Verified. The registration mail is on its way." in lena.get(answer.location).text
    assert world.row(row).status == "unverified"
    assert [each.notice for each in make.rows(OutboxMessage)] == ["registration_link"]


def test_E8_update_user_shows_who_they_are_and_what_they_may_do(lena: FlaskClient, world: World, make: Any) -> None:
    row = world.member(levels=("claims.submit",))
    text = lena.get(page_of(world, row)).text
    for shown in ("Oscar Benítez", "oscar.benitez@mail.test", "Telephone", "Last sign-in", "**-***2223", "Active"):
        assert shown in text, shown
    assert "981112223" not in text
    assert re.search(r"<dt>Verified</dt><dd>Yes", text)
    ticked = re.findall(r'name="level.([a-z.]+)" value="yes" checked', text)
    assert ticked == ["claims.submit"]


def test_E4_disabled_and_enabled(lena: FlaskClient, world: World) -> None:
    row = world.member()
    act(lena, world, row, "disable")
    assert world.row(row).status == "disabled"
    act(lena, world, row, "enable")
    assert world.row(row).status == "unverified"


@pytest.mark.both
def test_D8_removed_the_person_is_gone_from_the_list(lena: FlaskClient, world: World) -> None:
    row = world.member()
    answer = act(lena, world, row, "remove")
    assert answer.location == f"{place(world)}/people?done=remove"
    page = lena.get(answer.location)
    assert "Benítez" not in page.text
    assert "Their access to this provider has ended." in page.text
    assert world.row(row).status == "ended"


def test_E5_a_reset_mail_goes_to_the_person_and_shows_the_manager_nothing(
    lena: FlaskClient, world: World, make: Any
) -> None:
    row = world.member()
    answer = act(lena, world, row, "send_reset")
    page = lena.get(answer.location)
    assert [each.notice for each in make.rows(OutboxMessage)] == ["password_reset"]
    assert "token=" not in page.text, "AD-19"
    told = [event for event in make.rows(AuditEvent) if event.type in ("password_reset_asked", "member_helped")]
    assert {(event.type, event.actor, event.target_id) for event in told} == {
        ("password_reset_asked", world.lena.id, None),
        ("member_helped", world.lena.id, str(world.provider.id)),
    }
    assert len(told) == 2, "AU-06: the mail is told once, by who sends it"


@pytest.mark.parametrize(("evidence", "vouched"), [("manager", True), ("letter", False)])
def test_RC_18_a_manager_starts_a_recovery_and_vouches_only_for_what_rests_on_them(
    lena: FlaskClient, world: World, make: Any, evidence: str, vouched: bool
) -> None:
    person = make.subject("june.harwood", given_name="June", family_name="Harwood")
    make.totp(person)
    row = make.affiliation(person, world.provider, portal=PORTAL, evidence=evidence)
    page = lena.get(f"{page_of(world, row)}/act/start_recovery")
    assert "You only start it" in page.text
    assert act(lena, world, row, "start_recovery").status_code == 303
    (begun,) = make.rows(FactorRecovery)
    assert (begun.started_by, begun.started_actor, begun.client_id) == ("manager", world.lena.id, PORTAL)
    assert (begun.evidence, begun.vouched_for) == (("manager", world.provider.id) if vouched else (None, None))
    (mail,) = make.rows(OutboxMessage)
    assert mail.notice == "factor_recovery_started"


@pytest.mark.both
def test_E7_levels_are_saved_from_the_boxes(lena: FlaskClient, world: World) -> None:
    row = world.member()
    answer = save(lena, world, row, **{"level.claims.submit": "yes", "level.admin": "yes"})
    assert answer.status_code == 303
    assert "Access saved. It applies now." in lena.get(answer.location).text
    assert {held.level for held in world.row(row).levels} == {"claims.submit", "admin"}
    assert save(lena, world, row).status_code == 422, "at least one"


@pytest.mark.both
def test_AD_04_a_manager_sees_and_keeps_what_they_cannot_give(
    client: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    world.manager(make.subject("deputy.dan"), levels=((PORTAL, "claims.inquiry"), (PORTAL, "admin")))
    row, dan = world.member(levels=("claims.submit",)), at_desk(new_browser(), "deputy.dan")
    assert "You do not hold this level yourself." in dan.get(page_of(world, row)).text
    assert save(dan, world, row, **{"level.claims.inquiry": "yes"}).status_code == 303
    assert {held.level for held in world.row(row).levels} == {"claims.submit", "claims.inquiry"}
    bare = {"level.claims.inquiry": "yes", "level.claims.submit": ""}
    assert save(dan, world, row, **bare).status_code == 400, "AD-06"


def test_AD_04_nobody_s_own_page_offers_or_takes_a_change(lena: FlaskClient, world: World) -> None:
    page = lena.get(page_of(world, world.mine))
    assert "Disable User" not in page.text
    assert 'id="save-access"' not in page.text
    address = f"{page_of(world, world.mine)}/levels"
    answer = press(lena, page, address, **{"level.claims.inquiry": "yes"})
    assert answer.status_code == 403
    assert world.row(world.mine).account_manager


@pytest.mark.parametrize("what", ["verify", "enable", "send_registration", "nonsense", "comment", "set_levels"])
def test_an_act_that_is_not_offered_is_not_asked_about(lena: FlaskClient, world: World, what: str) -> None:
    row = world.member()
    assert lena.get(f"{page_of(world, row)}/act/{what}").status_code in {303, 404}


@pytest.mark.parametrize("evil", SEEDED + POLYGLOTS[2:12])
def test_E9_AD_15_a_comment_is_text(lena: FlaskClient, world: World, make: Any, evil: str) -> None:
    row = world.member()
    address = page_of(world, row)
    answer = press(lena, lena.get(address), f"{address}/comments", text=evil)
    assert answer.status_code == 303
    page = lena.get(answer.location)
    assert evil not in page.text
    assert "&lt;" in page.text or "<" not in evil
    assert [each.text for each in make.rows(Comment)] == [evil]


@pytest.mark.both
def test_E9_the_history_is_paged_and_an_undo_is_of_the_last_act_on_every_page(
    lena: FlaskClient, world: World, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "HISTORY", 2)
    row = world.member()
    for number in range(1, 5):
        make._save(Comment(affiliation_id=row.id, target_id=row.target_id, number=number, action="comment",
                           text=f"said {number}.", author=world.lena.id, at=make.now))  # fmt: skip
    act(lena, world, row, "disable")
    address, seen = page_of(world, row), []
    for expected_link in ("Older", "Older", "Older", None):
        page = lena.get(address).text
        seen.append(re.findall(r"no\. (\d)", page))
        assert 'id="undo"' in page
        if expected_link is not None and ">Older<" in page:
            address = re.findall(r'href="([^"]+\?before=\d+)#comments"', page)[0]
    assert seen[:3] == [["5", "4"], ["3", "2"], ["1"]]
    assert ">Newest<" in page and ">Older<" not in page
    for odd in ("x", "-1", "9" * 40, "%00"):
        assert re.findall(r"no\. (\d)", lena.get(f"{page_of(world, row)}?before={odd}").text) == ["5", "4"], "AD-24"


def test_E9_a_comment_has_200_characters_on_the_server(lena: FlaskClient, world: World, make: Any) -> None:
    row = world.member()
    address = page_of(world, row)
    page = lena.get(address)
    assert press(lena, page, f"{address}/comments", text="x" * 201).status_code == 422
    assert press(lena, page, f"{address}/comments", text="").status_code == 422
    assert press(lena, page, f"{address}/comments", text="x" * 200).status_code == 303
    assert len(make.rows(Comment)) == 1


@pytest.mark.both
def test_AD_01_AD_02_foreign_and_absent_places_and_people_look_the_same(
    lena: FlaskClient, world: World, make: Any
) -> None:
    theirs = make.provider("100200301")
    foreign = make.affiliation(make.subject(), theirs)
    of_places = [
        f"/manage/{PORTAL}/{uuid4()}/people",
        f"/manage/{PORTAL}/{theirs.id}/people",
        f"/manage/{PORTAL}/{theirs.id}/requests",
        f"/manage/elsewhere/{world.provider.id}/people",
        f"/manage/nowhere/{world.provider.id}/people",
    ]
    of_people = [
        f"{place(world)}/people/{uuid4()}",
        f"{place(world)}/people/{foreign.id}",
        f"{place(world)}/requests/{uuid4()}",
    ]
    for addresses in (of_places, of_people):
        pages = [lena.get(address) for address in addresses]
        assert {page.status_code for page in pages} == {404}
        assert len({page.text.replace(page.request.path, "") for page in pages}) == 1


@pytest.mark.both
def test_AD_01_whoever_is_no_manager_finds_nothing(
    client: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    row = world.member()
    oscar = at_desk(new_browser(), "oscar.benitez")
    assert oscar.get(f"{place(world)}/people").status_code == 404
    assert "You manage nobody yet" in oscar.get("/manage/").text
    answer = client.get(f"{place(world)}/people")
    assert answer.status_code == 303
    assert "/sign-in" in answer.location
    assert world.row(row).status == "active"


@pytest.mark.both
def test_AD_11_demoted_since_the_page_was_shown(
    lena: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    row, deputy = world.member(), make.subject("deputy.dan")
    theirs = world.manager(deputy)
    dan = at_desk(new_browser(), "deputy.dan")
    address = f"{page_of(world, row)}/act/disable"
    asked = dan.get(address)
    save(lena, world, theirs, **{"level.claims.inquiry": "yes"})
    assert press(dan, asked, address).status_code == 404
    assert world.row(row).status == "active"


@pytest.mark.both
def test_AD_11_a_person_that_changed_meanwhile_is_looked_at_again(lena: FlaskClient, world: World) -> None:
    row = world.member()
    address = f"{page_of(world, row)}/act/disable"
    asked = lena.get(address)
    save(lena, world, row, **{"level.claims.submit": "yes"})
    answer = press(lena, asked, address)
    assert answer.status_code == 409
    assert "has changed since you opened the page" in answer.text


@pytest.mark.parametrize("policy", ["optional", "managers"])
def test_ruling_2_a_manager_proves_a_strong_factor_or_sets_one_up(
    client: FlaskClient, make: Any, now: Any, policy: str
) -> None:
    world = World(make, now, mfa={"policy": policy})
    browser = signed_in(client, "lena.ortiz")
    answer = browser.get(f"{place(world)}/people")
    assert answer.status_code == 303
    assert "fresh=1" in answer.location
    assert "set-up=1" in answer.location
    make.factor(world.lena, Factor.EMAIL)
    assert "set-up=1" in browser.get(f"{place(world)}/people").location, "a mailed code satisfies no manager"
    make.totp(world.lena)
    assert "set-up=1" not in browser.get(f"{place(world)}/people").location
    for away in ("recovery", "device"):
        prove("lena.ortiz", away)
        assert browser.get(f"{place(world)}/people").status_code == 303, away
    prove("lena.ortiz", "totp")
    assert browser.get(f"{place(world)}/people").status_code == 200


def test_SE_03_ruling_18_after_a_pause_of_15_minutes_the_factor_is_asked_again(
    lena: FlaskClient, world: World, make: Any, hands: Any
) -> None:
    make.totp(world.lena)
    for _ in range(3):
        hands.forward(minutes=14)
        assert lena.get(f"{place(world)}/people").status_code == 200, "at work"
    hands.forward(minutes=15)
    for _ in range(2):
        answer = lena.get(f"{place(world)}/people")
        assert answer.status_code == 303, "looking once more does not help"
        assert "fresh=1" in answer.location
        assert "set-up" not in answer.location


@pytest.mark.both
def test_B6_a_request_is_approved_from_the_inbox(lena: FlaskClient, world: World, make: Any) -> None:
    found = submit(world.party, world.provider.id, now=world.now, reason=SEEDED[1])
    assert isinstance(found, Submitted)
    inbox = lena.get(f"{place(world)}/requests")
    assert "June Harwood" in inbox.text
    assert "5 d 0 h" in inbox.text
    address = f"{place(world)}/requests/{found.request_id}"
    page = lena.get(address)
    assert SEEDED[1] not in page.text, "EN-18"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    answer = press(lena, page, f"{address}/approve", **{"level.claims.inquiry": "yes"})
    assert answer.status_code == 303
    assert "Approved" in lena.get(answer.location).text
    assert [row.status for row in make.rows(AccessRequest)] == ["approved"]
    assert press(lena, page, f"{address}/deny").status_code == 409


def test_AD_08_one_second_late_the_page_answers_409(lena: FlaskClient, world: World, make: Any, hands: Any) -> None:
    found = submit(world.party, world.provider.id, now=hands.now)
    assert isinstance(found, Submitted)
    hands.forward(hours=119, minutes=55)
    late = at_desk(lena, "lena.ortiz") if lena.get(f"{place(world)}/requests").status_code != 200 else lena
    address = f"{place(world)}/requests/{found.request_id}"
    page = late.get(address)
    hands.forward(minutes=5)
    answer = press(late, page, f"{address}/approve", **{"level.claims.inquiry": "yes"})
    assert answer.status_code == 409
    assert "five days are over" in answer.text
    assert [row.status for row in make.rows(AccessRequest)] == ["pending"]


@pytest.mark.both
def test_B7_denied_with_a_reason(lena: FlaskClient, world: World, make: Any) -> None:
    found = submit(world.party, world.provider.id, now=world.now)
    assert isinstance(found, Submitted)
    address = f"{place(world)}/requests/{found.request_id}"
    answer = press(lena, lena.get(address), f"{address}/deny", explanation="We do not know you.")
    assert answer.status_code == 303
    assert [(row.status, row.decision_reason) for row in make.rows(AccessRequest)] == [
        ("denied", "We do not know you.")
    ]
