"""*Invite a person* (E10; AD-04, AD-12, AD-20, EN-09): sent, opened, expired, sent again, taken back."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.affiliations.invitations import listing
from idp.affiliations.invitations import service as invitations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.service import Accepted, Offer
from idp.affiliations.models import Affiliation
from idp.foundation.database import writing
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import HERE, PORTAL, World
from tests.attacks.strings import SEEDED
from tests.authenticators.browsing import press
from tests.manage.desks import at_desk

pytestmark = pytest.mark.both
TYPED = {"email": "June.Harwood@mail.test", "first_name": "June", "last_name": "Harwood", "level.claims.inquiry": "yes"}
BROWSER = b"b" * 32


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def lena(client: FlaskClient, world: World) -> FlaskClient:
    return at_desk(client, "lena.ortiz")


def place(world: World) -> str:
    return f"/manage/{PORTAL}/{world.provider.id}/invitations"


def invite(browser: FlaskClient, world: World, **changed: str) -> Any:
    address = f"{place(world)}/new"
    return press(browser, browser.get(address), address, **(TYPED | changed))


def the_invitation(make: Any) -> Invitation:
    (row,) = [row for row in make.rows(Invitation) if row.voided_at is None]
    return row


def accept(world: World, subject: Any, token: str, *, now: Any) -> Accepted | Refused:
    offer = invitations.present(token, browser_digest=BROWSER, now=now, origin=HERE)
    if not isinstance(offer, Offer):
        return offer
    with writing() as tx:
        return invitations.accept(
            tx, invitation_id=offer.id, browser_digest=BROWSER, subject_id=subject.id, now=now, origin=HERE
        )


@pytest.mark.parametrize("own", [None, "unverified", "active"])
def test_MODEL_2_the_managing_level_makes_who_accepts_a_manager(
    lena: FlaskClient, world: World, make: Any, own: str | None
) -> None:
    june = make.subject("june.harwood", email="june.harwood@mail.test", given_name="June", family_name="Harwood")
    assert invite(lena, world, **{"level.admin": "yes"}).status_code == 303
    if own is not None:
        make.affiliation(june, world.provider, status=own, levels=())
    assert isinstance(accept(world, june, world.link("invitation"), now=world.now), Accepted)
    (row,) = [row for row in make.rows(Affiliation) if row.subject_id == june.id]
    assert row.account_manager
    assert row.status == "active"


def test_E10_invited_by_mail_and_accepted_with_the_levels_ticked(lena: FlaskClient, world: World, make: Any) -> None:
    answer = invite(lena, world)
    assert answer.status_code == 303
    page = lena.get(answer.location)
    assert "June.Harwood@mail.test" in page.text
    assert ">Sent<" in page.text
    assert world.mails() == [("invitation", "June.Harwood@mail.test")]
    june = make.subject("june", email="june.harwood@mail.test")
    found = accept(world, june, world.link("invitation"), now=world.now)
    assert isinstance(found, Accepted)
    row = next(each for each in make.rows(Affiliation) if each.id == found.affiliation_id)
    assert (row.subject_id, row.status, {level.level for level in row.levels}) == (
        june.id, "active", {"claims.inquiry"},
    )  # fmt: skip
    assert "June.Harwood" not in lena.get(place(world)).text, "accepted ones stand in the list of people"


def test_MODEL_9_sent_again_the_former_link_is_dead_and_the_seven_days_begin_anew(
    lena: FlaskClient, world: World, make: Any
) -> None:
    invite(lena, world)
    first = world.link("invitation")
    row = the_invitation(make)
    address = f"{place(world)}/{row.id}/resend"
    assert press(lena, lena.get(place(world)), address).status_code == 303
    june = make.subject("june", email="june.harwood@mail.test")
    assert isinstance(accept(world, june, first, now=world.now), Refused)
    (second,) = set(links(make)) - {first}
    assert isinstance(accept(world, june, second, now=world.now + timedelta(days=6)), Accepted)


def links(make: Any) -> list[str]:
    owed = [messaging.opened(row) for row in make.rows(OutboxMessage) if row.notice == "invitation"]
    return [each.payload.context["url"].partition("token=")[2] for each in owed]


def test_AD_12_taken_back_the_link_is_dead(lena: FlaskClient, world: World, make: Any) -> None:
    invite(lena, world)
    token, row = world.link("invitation"), the_invitation(make)
    answer = press(lena, lena.get(place(world)), f"{place(world)}/{row.id}/take-back")
    assert answer.status_code == 303
    june = make.subject("june", email="june.harwood@mail.test")
    assert isinstance(accept(world, june, token, now=world.now), Refused)


def test_E10_an_address_has_one_open_invitation_for_a_target(lena: FlaskClient, world: World, make: Any) -> None:
    invite(lena, world)
    first = world.link("invitation")
    invite(lena, world, email="june.harwood@MAIL.test")
    assert the_invitation(make).email == "june.harwood@MAIL.test"
    june = make.subject("june", email="june.harwood@mail.test")
    assert isinstance(accept(world, june, first, now=world.now), Refused)


def test_G5_a_known_and_an_unknown_address_get_the_same_answer(lena: FlaskClient, world: World, make: Any) -> None:
    make.subject("known", email="known@mail.test")
    answers = [invite(lena, world, email=email) for email in ("known@mail.test", "unknown@mail.test")]
    assert [(answer.status_code, answer.location) for answer in answers] == [(303, f"{place(world)}?done=sent")] * 2


def test_E10_who_is_on_the_list_already_is_not_invited(lena: FlaskClient, world: World) -> None:
    world.member()
    answer = invite(lena, world, email="Oscar.Benitez@mail.test")
    assert answer.status_code == 422
    assert "on your list already" in answer.text


def test_AD_06_EN_09_what_does_not_fit_is_refused(lena: FlaskClient, world: World, make: Any) -> None:
    wrong: list[tuple[dict[str, str], int]] = [
        ({"email": "a@b@c.test"}, 422),
        ({"email": "june@mail.test,boss@mail.test"}, 422),
        ({"email": ""}, 422),
        ({"first_name": "x" * 81}, 422),
        ({"level.root": "yes"}, 400),
        ({"account_manager": "yes"}, 400),
        ({"subject_id": "x"}, 400),
    ]
    for changed, status in wrong:
        assert invite(lena, world, **changed).status_code == status, changed
    missing = invite(lena, world, email="", first_name="", last_name="").text
    told = [missing.count(words) for words in ("their e-mail address.", "their first name.", "their last name.")]
    assert told == [2, 2, 2], "each field has a sentence of its own, above the form and beside it"
    assert make.rows(Invitation) == []


def test_AD_04_nobody_is_invited_to_more_than_the_manager_holds(world: World, make: Any, new_browser: Any) -> None:
    world.manager(make.subject("deputy.dan"), levels=((PORTAL, "claims.inquiry"), (PORTAL, "admin")))
    dan = at_desk(new_browser(), "deputy.dan")
    assert invite(dan, world, **{"level.claims.submit": "yes"}).status_code == 403
    assert invite(dan, world).status_code == 303


def test_AD_20_an_address_is_mailed_five_times_an_hour(lena: FlaskClient, world: World) -> None:
    answers = [invite(lena, world).status_code for _ in range(6)]
    assert answers == [303] * 5 + [429]


@pytest.mark.parametrize("evil", SEEDED)
def test_AD_15_a_name_is_text(lena: FlaskClient, world: World, evil: str) -> None:
    answer = invite(lena, world, first_name=evil)
    page = lena.get(answer.location)
    assert evil not in page.text
    assert "&lt;script&gt;" in page.text


def test_AD_02_another_target_s_invitation_does_not_exist(
    lena: FlaskClient, world: World, make: Any, new_browser: Any
) -> None:
    invite(lena, world)
    row, theirs = the_invitation(make), make.provider("100200301")
    other = make.subject("other.olga")
    world.manager(other, theirs)
    olga = at_desk(new_browser(), "other.olga")
    page = olga.get(f"/manage/{PORTAL}/{theirs.id}/invitations/new")
    token = page.text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    for act in ("resend", "take-back"):
        address = f"/manage/{PORTAL}/{theirs.id}/invitations/{row.id}/{act}"
        assert olga.post(address, data={"csrf_token": token}).status_code == 404
    assert the_invitation(make).id == row.id


def test_MODEL_9_after_seven_days_it_reads_expired(lena: FlaskClient, world: World, hands: Any) -> None:
    invite(lena, world)
    hands.forward(days=7)
    at_desk(lena, "lena.ortiz")
    assert ">Expired<" in lena.get(place(world)).text


def test_E10_AD_24_the_list_is_paged_by_key_newest_first(
    lena: FlaskClient, world: World, make: Any, hands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second", "third", "fourth", "fifth"):
        assert invite(lena, world, email=f"{name}@mail.test").status_code == 303
        hands.forward(minutes=int(name != "third"))
    monkeypatch.setattr(listing, "A_PAGE", 2)
    seen, address = [], place(world)
    for _ in range(3):
        page = lena.get(address).text
        seen += re.findall(r'class="muted">([a-z]+)@mail.test', page)
        address = html.unescape(page.split(">Next<", 1)[0].rsplit('href="', 1)[1].split('"', 1)[0])
    assert ">Next<" not in page and ">First page<" in page
    assert sorted(seen) == ["fifth", "first", "fourth", "second", "third"]
    assert (seen[0], set(seen[1:3]), seen[3:]) == ("fifth", {"fourth", "third"}, ["second", "first"])
    moment = "0001-01-01T00:00:00+14:00~" + "0" * 32
    for odd in ("x", "~", "2026-01-01~" + "0" * 32, moment, "\x00"):
        answer = lena.get(place(world), query_string={"after": odd})
        assert answer.status_code == 200 and "fifth@mail.test" in answer.text, "AD-24"
        assert lena.get(place(world).replace("invitations", "requests"), query_string={"after": odd}).status_code == 200
        assert lena.get(place(world).replace("invitations", "reviews"), query_string={"after": odd}).status_code == 200
