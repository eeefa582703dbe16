"""*Clerk Maintenance* (D6–D8; SECURITY rulings 3, 6, 10; AD-04, AD-18, AD-19, AD-20): who is found, added, and asked."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.affiliations.clerks import service
from idp.affiliations.clerks.rules import Answer
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.authenticators.password.models import PasswordCredential
from idp.foundation.database import writing
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import HERE, LEVELS, PORTAL, World
from tests.authenticators.browsing import post_form, press, sign_in, signed_in
from tests.manage.desks import at_desk
from tests.sign_in.visiting import ask, come, force, send, step_of

pytestmark = pytest.mark.both
TEMPORARY = "Walnut-kettle-orbit-77"
OWN = "Harbor-lantern-fig-31"
TYPED = {
    "user_id": "clerk.clara", "first_name": "Clara", "last_name": "Voss", "phone": "509-555-0143",
    "email": "clara.voss@mail.test", "confirm_email": "clara.voss@mail.test", "password": TEMPORARY,
    "confirm_password": TEMPORARY,
}  # fmt: skip


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now, clerks=True)


@pytest.fixture
def lena(client: FlaskClient, world: World) -> FlaskClient:
    return at_desk(client, "lena.ortiz")


def place(world: World) -> str:
    return f"/manage/{PORTAL}/{world.provider.id}/clerks"


def add(browser: FlaskClient, world: World, **changed: str) -> Any:
    page = browser.get(f"{place(world)}/new")
    return post_form(browser, page, "clerk-form", **(TYPED | changed))


def clerk(make: Any, user_id: str = "clerk.clara") -> tuple[Subject, Affiliation]:
    (subject,) = [row for row in make.rows(Subject) if row.user_id == user_id]
    (row,) = [row for row in make.rows(Affiliation) if row.subject_id == subject.id]
    return subject, row


def newest(make: Any, notice: str) -> Any:
    rows = [row for row in make.rows(OutboxMessage) if row.notice == notice]
    return messaging.opened(rows[-1]).payload


def search(browser: FlaskClient, world: World, **typed: str) -> str:
    page = browser.get(f"{place(world)}/existing")
    return post_form(browser, page, "search-form", **typed).text


def test_D6_ruling_3_a_new_clerk_can_do_nothing_until_the_mailbox_is_proven_and_the_password_is_their_own(
    lena: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    answer = add(lena, world)
    assert answer.status_code == 303, answer.text
    assert "Clerk added." in lena.get(answer.location).text
    subject, row = clerk(make)
    assert (subject.status, subject.email_key, row.status) == ("unverified", None, "unverified")
    assert [mail for mail in world.mails() if mail[1] == "clara.voss@mail.test"] == [
        ("clerk_added", "clara.voss@mail.test")
    ]
    clara = new_browser()
    assert sign_in(clara, "clerk.clara", TEMPORARY).status_code == 422, "nobody's mailbox, nobody's account"
    page = clara.get(newest(make, "clerk_added").context["url"].removeprefix("https://credence.test"))
    done = post_form(clara, page, "prove-mailbox-form", password=TEMPORARY)
    assert done.status_code == 303, "on to a password of their own"
    subject, row = clerk(make)
    assert (subject.status, subject.email_key, row.status) == ("active", "clara.voss@mail.test", "unverified")
    for browser in (new_browser(), clara):
        assert sign_in(browser, "clerk.clara", TEMPORARY).status_code == 422, "used up: the manager cannot come first"
    page = clara.get(done.location)
    assert post_form(clara, page, "reset-form", new_password=OWN, repeat_password=OWN).status_code == 200
    signed_in(clara, "clerk.clara", OWN)
    (credential,) = [each for each in make.rows(PasswordCredential) if each.subject_id == subject.id]
    assert not credential.must_change
    assert clerk(make)[1].status == "unverified", "their yes is still to come"


def test_D6_the_temporary_password_works_for_seven_days(
    lena: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient], hands: Any
) -> None:
    add(lena, world)
    url = newest(make, "clerk_added").context["url"].removeprefix("https://credence.test")
    hands.forward(days=7)
    clara = new_browser()
    assert post_form(clara, clara.get(url), "prove-mailbox-form", password=TEMPORARY).status_code == 422
    assert clerk(make)[0].status == "unverified"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"confirm_email": "clara@mail.test"}, "The two e-mail addresses differ"),
        ({"confirm_password": "Walnut-kettle-orbit-78"}, "The two passwords differ"),
        ({"password": "short", "confirm_password": "short"}, "does not meet these rules"),
        ({"user_id": "lena.ortiz"}, "This user ID is taken"),
        ({"phone": "12"}, "Enter a telephone number"),
        ({"first_name": ""}, "Enter their first name."),
    ],
)
def test_D6_what_is_wrong_is_said_beside_its_field(
    lena: FlaskClient, world: World, make: Any, changed: dict[str, str], says: str
) -> None:
    answer = add(lena, world, **changed)
    assert answer.status_code == 422
    assert says in answer.text
    assert TEMPORARY not in answer.text
    assert "clerk.clara" not in [row.user_id for row in make.rows(Subject)]


def test_ruling_6_whether_an_address_is_anybody_s_account_shows_nowhere(
    lena: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    make.subject("june.harwood", email="clara.voss@mail.test", given_name="June", family_name="Harwood")
    taken = lena.get(add(lena, world).location).text
    free = lena.get(add(lena, world, user_id="clerk.clarb", email="b@mail.test", confirm_email="b@mail.test").location)
    bare = [text.split("<main", 1)[1] for text in (taken, free.text)]
    for ours, theirs in (("clerk.clara", "clerk.clarb"), ("clara.voss@mail.test", "b@mail.test")):
        bare = [text.replace(ours, "X").replace(theirs, "X") for text in bare]
    ids = [str(clerk(make, name)[1].id) for name in ("clerk.clara", "clerk.clarb")]
    assert bare[0].replace(ids[0], "").split("csrf")[0] == bare[1].replace(ids[1], "").split("csrf")[0]
    assert ("already_registered", "clara.voss@mail.test") in world.mails(), "the owner alone is told"
    assert ("clerk_added", "clara.voss@mail.test") not in world.mails()


def test_RC_19_an_address_proven_meanwhile_is_not_proven_again(
    lena: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    add(lena, world)
    make.subject("june.harwood", email="clara.voss@mail.test")
    clara = new_browser()
    url = newest(make, "clerk_added").context["url"].removeprefix("https://credence.test")
    post_form(clara, clara.get(url), "prove-mailbox-form", password=TEMPORARY)
    assert clerk(make)[0].status == "unverified"


def test_AD_06_AD_04_only_roles_that_the_manager_holds_and_only_the_form_s_own_fields(
    world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    world.manager(make.subject("deputy.dan"), levels=((PORTAL, "claims.inquiry"), (PORTAL, "admin")))
    dan = at_desk(new_browser(), "deputy.dan")
    assert add(dan, world, **{"level.claims.submit": "yes"}).status_code == 403
    assert add(dan, world, account_manager="yes").status_code == 400
    assert add(dan, world, **{"level.root": "yes"}).status_code == 400
    moved = add(dan, world, **{"pick.claims.submit": "yes", "move": "assign"})
    assert 'name="level.claims.submit"' not in moved.text, "what is not held does not move"
    assert "clerk.clara" not in [row.user_id for row in make.rows(Subject)]


def test_D6_roles_move_between_the_lists_by_buttons_and_nothing_is_saved_before_submit(
    lena: FlaskClient, world: World, make: Any
) -> None:
    page = lena.get(f"{place(world)}/new")
    assert 'name="level.claims.inquiry"' in page.text, "the portal's default is assigned"
    page = post_form(lena, page, "clerk-form", **TYPED, **{"pick.claims.submit": "yes", "move": "assign"})
    assert page.status_code == 200
    assert 'name="level.claims.submit"' in page.text
    assert "Moved to Assigned Roles" in page.text
    assert 'value="clerk.clara"' in page.text, "what was typed stays, but the password"
    assert TEMPORARY not in page.text
    page = post_form(lena, page, "clerk-form", **TYPED, **{"pick.claims.inquiry": "yes", "move": "take"})
    assert 'name="level.claims.inquiry"' not in page.text
    assert len(make.rows(Affiliation)) == 1
    assert post_form(lena, page, "clerk-form", **TYPED).status_code == 303
    assert {held.level for held in clerk(make)[1].levels} == {"claims.submit"}


def test_D6_a_clerk_s_roles_are_moved_and_saved_on_their_page(lena: FlaskClient, world: World, make: Any) -> None:
    row = world.member(levels=("claims.inquiry",))
    address = f"/manage/{PORTAL}/{world.provider.id}/people/{row.id}"
    page = press(lena, lena.get(address), f"{address}/levels#roles", move="assign_all")
    assert page.status_code == 200
    assert world.row(row).version == 1
    assert press(lena, page, f"{address}/levels#roles").status_code == 303
    assert {held.level for held in world.row(row).levels} == set(LEVELS)


def test_D7_ruling_10_colleagues_by_part_of_a_name_and_others_by_user_name_and_last_name_alone(
    lena: FlaskClient, world: World, make: Any
) -> None:
    other = make.provider("100200301", practice=world.practice, tin="981112223")
    for user_id, given, family in (("pam.beesly", "Pam", "Beesly"), ("june.harwood", "June", "Harwood")):
        subject = make.subject(user_id, given_name=given, family_name=family)
        target = other if user_id.startswith("pam") else make.provider("100900900")
        make.affiliation(subject, target)
    assert "pam.beesly" in search(lena, world, first_name="pa", last_name="bee")
    for typed in ({"last_name": "harwood"}, {"first_name": "June"}, {"user_name": "june.harwood"}):
        assert "J. H." not in search(lena, world, **typed), typed
    for wrong in ({"user_name": "june.harwoo"}, {"last_name": "Harwoo"}, {"user_name": "june.harwood@mail.test"}):
        assert "J. H." not in search(lena, world, **({"user_name": "june.harwood", "last_name": "Harwood"} | wrong))
    far = search(lena, world, user_name="june.harwood", last_name="HARWOOD")
    assert "J. H." in far
    for secret in (">June<", "june.harwood@mail.test", "100900900"):
        assert secret not in far
    for wild in ("%%", "__", "p"):
        assert "pam.beesly" not in search(lena, world, last_name=wild), "AD-18"
    looks = [row for row in make.rows(AuditEvent) if row.type == "person_looked_for"]
    assert looks
    assert "harwood" not in str([row.details for row in looks]).lower(), "AU-06"


def test_D7_whoever_is_picked_is_asked_at_the_next_sign_in(lena: FlaskClient, world: World, make: Any) -> None:
    make.subject("june.harwood", given_name="June", family_name="Harwood")
    page = lena.get(f"{place(world)}/existing")
    found = post_form(lena, page, "search-form", user_name="june.harwood", last_name="harwood")
    picked = press(lena, found, f"{place(world)}/existing/roles")
    assert ">June<" not in picked.text
    assert "june.harwood@mail.test" not in picked.text
    answer = post_form(lena, picked, "roles-form")
    assert answer.status_code == 303
    subject, row = clerk(make, "june.harwood")
    assert row.status == "unverified"
    assert ("registration_link", "june.harwood@mail.test") in world.mails()
    again = post_form(lena, picked, "roles-form")
    assert "on your list already" in again.text
    assert subject.status == "active"


def test_D7_AD_02_a_row_of_another_practice_is_nobody(lena: FlaskClient, world: World, make: Any) -> None:
    foreign = make.affiliation(make.subject("june.harwood"), make.provider("100900900"))
    page = lena.get(f"{place(world)}/existing")
    found = post_form(lena, page, "search-form", user_name="june.harwood", last_name="delgado")
    answer = press(lena, found, f"{place(world)}/existing/roles", user_name="", last_name="", person=foreign.id.hex)
    assert "Nobody fits" in answer.text


def test_AD_20_ruling_10_searching_and_adding_are_counted(
    lena: FlaskClient, world: World, monkeypatch: Any, make: Any
) -> None:
    monkeypatch.setattr(service, "LOOKS", replace(service.LOOKS, limit=2))
    monkeypatch.setattr(service, "ADDED", replace(service.ADDED, limit=1))
    for _ in range(2):
        search(lena, world, last_name="nobody")
    assert "often enough" in search(lena, world, last_name="nobody")
    assert add(lena, world).status_code == 303
    assert add(lena, world, user_id="clerk.clarb").status_code == 429


def test_ruling_3_where_the_portal_does_not_maintain_clerks_nobody_types_a_password(
    client: FlaskClient, make: Any, now: Any
) -> None:
    world = World(make, now)
    browser = at_desk(client, "lena.ortiz")
    assert browser.get(f"{place(world)}/new").status_code == 404
    assert "temporary" not in browser.get(f"{place(world)}/add").text
    page = browser.get(f"/manage/{PORTAL}/{world.provider.id}/people").text
    assert "Clerk Maintenance" not in page


def test_D8_a_removed_clerk_s_first_password_opens_no_access(lena: FlaskClient, world: World, make: Any) -> None:
    add(lena, world)
    _, row = clerk(make)
    address = f"/manage/{PORTAL}/{world.provider.id}/people/{row.id}"
    press(lena, lena.get(f"{address}/act/remove"), f"{address}/act/remove")
    assert clerk(make)[1].status == "ended"


def offer(lena: FlaskClient, world: World, make: Any) -> Subject:
    """June has an account, and another provider to act for; Lena offers her hers."""
    june = make.subject("june.harwood", given_name="June", family_name="Harwood")
    make.affiliation(june, make.provider("100900900"), portal=PORTAL, levels=((PORTAL, "claims.inquiry"),))
    page = lena.get(f"{place(world)}/existing")
    found = post_form(lena, page, "search-form", user_name="june.harwood", last_name="harwood")
    picked = press(lena, found, f"{place(world)}/existing/roles")
    assert post_form(lena, picked, "roles-form").status_code == 303
    return june


def at(make: Any, subject: Subject, world: World) -> Affiliation:
    (row,) = [
        row for row in make.rows(Affiliation) if (row.subject_id, row.target_id) == (subject.id, world.provider.id)
    ]
    return row


@pytest.mark.parametrize(("said", "status"), [("accept", "active"), ("decline", "ended")])
def test_D7_ruling_10_the_person_says_yes_or_no_at_the_next_sign_in(
    lena: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient], said: str, status: str
) -> None:
    june, browser = offer(lena, world, make), new_browser()
    page = come(browser, "june.harwood", PORTAL, scope="openid provider_id")
    assert step_of(page) == "access-offered"
    assert "DELGADO, ROSA" in page.text
    assert send(browser, page, "offered-form", answer="maybe").status_code == 422
    after = send(browser, page, "offered-form", answer=said)
    assert at(make, june, world).status == status
    assert step_of(after) == ("choose" if said == "accept" else "code")
    assert step_of(ask(new_browser(), PORTAL, prompt="none")) == "login_required"
    again = force(browser, page, f"/sign-in/{page.request.path.split('/')[2]}/access-offered", answer="accept")
    assert again.status_code == 303
    assert at(make, june, world).status == status, "once"


def test_D7_prompt_none_is_not_held_up_and_nobody_is_asked_after_seven_days(
    lena: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient], hands: Any
) -> None:
    june, browser = offer(lena, world, make), new_browser()
    assert step_of(come(browser, "june.harwood", PORTAL)) == "access-offered"
    assert step_of(ask(browser, PORTAL, prompt="none")) == "code"
    hands.forward(days=7)
    assert step_of(come(new_browser(), "june.harwood", PORTAL)) == "code"
    assert at(make, june, world).status == "unverified"


@pytest.mark.parametrize("meanwhile", ["removed", "disabled"])
def test_AD_12_what_the_manager_took_back_is_offered_no_more(
    lena: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient], meanwhile: str
) -> None:
    june, browser = offer(lena, world, make), new_browser()
    page = come(browser, "june.harwood", PORTAL)
    act = {"removed": "remove", "disabled": "disable"}[meanwhile]
    address = f"/manage/{PORTAL}/{world.provider.id}/people/{at(make, june, world).id}/act/{act}"
    assert press(lena, lena.get(address), address).status_code == 303
    send(browser, page, "offered-form", answer="accept")
    assert at(make, june, world).status in {"ended", "disabled"}


def test_AD_02_nobody_answers_what_is_offered_to_somebody_else(
    lena: FlaskClient, world: World, make: Any, now: Any
) -> None:
    june, mallory = offer(lena, world, make), make.subject("mallory.mills")
    (row,) = [row for row in make.rows(Invitation) if row.subject_id == june.id]
    for said in Answer:
        with writing() as tx:
            outcome = service.answer(
                tx, said, invitation_id=row.id, subject_id=mallory.id, now=now, origin=HERE
            )  # fmt: skip
        assert isinstance(outcome, Refused)
    assert at(make, june, world).status == "unverified"


def test_E5_the_registration_mail_of_an_unproven_clerk_is_the_link_that_proves_them(
    lena: FlaskClient, world: World, make: Any
) -> None:
    add(lena, world)
    _, row = clerk(make)
    address = f"/manage/{PORTAL}/{world.provider.id}/people/{row.id}/act/send_registration"
    assert press(lena, lena.get(address), address).status_code == 303
    assert [mail for mail in world.mails() if mail[1] == "clara.voss@mail.test"] == [
        ("clerk_added", "clara.voss@mail.test")
    ] * 2
