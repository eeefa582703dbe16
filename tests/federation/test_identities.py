"""The account's page of linked identities: link by a posted, fresh act; unlink without being stranded."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, update

from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.authenticators.password.models import PasswordCredential
from idp.federation.models import UpstreamLink
from idp.foundation.database import see_as, writing
from idp.messaging.models import OutboxMessage
from idp.subjects.models import Subject
from tests.authenticators.browsing import follow, open_sign_in, post_form, press, signed_in
from tests.conftest import ISSUER
from tests.federation.conftest import World, address_of

PAGE = "/account/identities"
NEW = "violet harbor 7 Lanterns"
LINK = f"{PAGE}/saint-anne/link"


def begun(world: World, client: FlaskClient) -> str:
    return address_of(press(client, client.get(PAGE), LINK))


@pytest.mark.both
def test_somebody_signed_in_links_and_unlinks(world: World, client: FlaskClient) -> None:
    signed_in(client, "rosa.delgado")
    confirm = follow(client, world.come_back(client, begun(world, client)))
    assert confirm.request.path.endswith("/link-identity")
    assert world.make.rows(UpstreamLink) == []
    done = follow(client, press(client, confirm, confirm.request.path, choice="link"))
    assert done.request.path == PAGE
    assert "maria@saintanne.example" in done.text
    link = world.make.rows(UpstreamLink)[0]
    asked = client.get(f"{PAGE}/{link.id}/remove")
    assert follow(client, press(client, asked, f"{PAGE}/{link.id}/remove")).request.path == PAGE
    assert world.make.rows(UpstreamLink) == []


def test_a_practices_own_sign_in_is_offered_to_who_acts_for_it_and_to_nobody_else(
    world: World, client: FlaskClient, new_browser: Any
) -> None:
    world.connect("quiet", button=False, home={"tins": ["98-1112223"]})
    practice = world.make.practice("98-1112223")
    world.make.provider(None, practice=practice, tin="98-1112223", registry_name="ozark")
    row = world.make.affiliation(world.rosa, practice, registry="ozark")
    world.make.subject("lena.ortiz")
    signed_in(client, "rosa.delgado")
    page = client.get(PAGE).text
    assert 'id="home-quiet">Saint Anne Hospital is the sign-in of a practice that you act for.' in page
    assert 'id="link-quiet"' in page
    other = new_browser()
    signed_in(other, "lena.ortiz")
    assert "quiet" not in other.get(PAGE).text
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).where(Affiliation.id == row.id).values(status="disabled", disabled_by="payer"))
    assert "quiet" not in client.get(PAGE).text


def test_FE_12_a_link_begins_with_a_post_and_counts_for_the_session_that_began_it(
    world: World, client: FlaskClient, new_browser: Any
) -> None:
    signed_in(client, "rosa.delgado")
    assert client.get(LINK).status_code == 405
    assert client.post(LINK, data={}, headers={"Origin": ISSUER}).status_code == 403
    url = begun(world, client)
    attacker = signed_in(new_browser(), world.make.subject("mallory").user_id)
    answer = world.upstream.authorize(url)
    assert attacker.get(answer).status_code == 400
    world.make.subject("second.person")
    client.get("/account/")
    signed_in(_afresh(client, world), "second.person")
    assert client.get(answer).status_code == 400
    assert world.make.rows(UpstreamLink) == []


def test_FE_12_who_has_not_proven_themselves_lately_does_so_first(
    world: World, client: FlaskClient, hands: Any
) -> None:
    signed_in(client, "rosa.delgado")
    page = client.get(PAGE)
    hands.forward(minutes=20)
    assert "fresh=1" in press(client, page, LINK).location
    url = _linked_later(world, client, hands)
    confirm = follow(client, world.come_back(client, url))
    assert 'id="login-form"' in confirm.text
    assert world.make.rows(UpstreamLink) == []


def test_unlinking_signs_out_the_other_browsers_that_came_by_it_and_no_others(
    world: World, client: FlaskClient, new_browser: Any
) -> None:
    world.link(world.rosa)
    came, local = new_browser(), new_browser()
    world.sign_in(came)
    signed_in(local, "rosa.delgado")
    world.sign_in(client)
    link = world.make.rows(UpstreamLink)[0]
    asked = client.get(f"{PAGE}/{link.id}/remove")
    assert follow(client, press(client, asked, f"{PAGE}/{link.id}/remove")).request.path == PAGE
    assert follow(came, came.get("/account/")).request.path != "/account/"
    assert [each.get("/account/").status_code for each in (local, client)] == [200, 200]


def test_an_identity_of_somebody_else_is_not_taken_from_them(world: World, client: FlaskClient) -> None:
    other = world.make.subject("other.person")
    world.link(other)
    signed_in(client, "rosa.delgado")
    answer = world.come_back(client, begun(world, client))
    assert answer.status_code == 422
    assert "linked to another account" in answer.text
    assert [row.subject_id for row in world.make.rows(UpstreamLink)] == [other.id]


def test_unlinking_the_only_way_in_is_refused(world: World, client: FlaskClient) -> None:
    world.link(world.rosa)
    world.sign_in(client)
    with writing() as tx:
        tx.execute(delete(PasswordCredential))
    link = world.make.rows(UpstreamLink)[0]
    asked = client.get(f"{PAGE}/{link.id}/remove")
    refused = press(client, asked, f"{PAGE}/{link.id}/remove")
    assert refused.status_code == 422
    assert "your only way to sign in" in refused.text
    assert len(world.make.rows(UpstreamLink)) == 1


@pytest.mark.both
def test_who_came_by_a_hospital_sets_a_password_unlinks_and_signs_in_by_it(
    world: World, client: FlaskClient, new_browser: Any, hands: Any
) -> None:
    landed = world.sign_in(client)
    assert follow(client, post_form(client, landed, "new-here-form")).request.path == "/account/"
    made = next(row for row in world.make.rows(Subject) if row.id != world.rosa.id)
    page = client.get("/account/security")
    assert "current_password" not in page.text
    hands.forward(minutes=20)
    stale = post_form(client, page, "set-password-form", new_password=NEW, repeat_password=NEW)
    assert "fresh=1" in stale.headers["Location"]
    assert 'id="prove-first"' in client.get("/account/security").text
    assert [row for row in world.make.rows(PasswordCredential) if row.subject_id == made.id] == []
    again = follow(client, stale)
    there = world.leave(client, page=again)
    fresh = follow(client, world.come_back(client, there))
    assert fresh.request.path == "/account/security"
    other = new_browser()
    world.sign_in(other)
    done = follow(client, post_form(client, fresh, "set-password-form", new_password=NEW, repeat_password=NEW))
    assert (done.status_code, done.request.path) == (200, "/account/security")
    assert 'name="current_password"' in done.text
    assert follow(other, other.get("/account/")).request.path != "/account/"
    assert "password_changed" in {row.notice for row in world.make.rows(OutboxMessage)}
    told = [event for event in world.make.rows(AuditEvent) if event.type == "password_changed"]
    assert [(event.subject_id, event.outcome, event.details) for event in told] == [(made.id, "ok", {"first": True})]
    link = world.make.rows(UpstreamLink)[0]
    asked = client.get(f"{PAGE}/{link.id}/remove")
    assert follow(client, press(client, asked, f"{PAGE}/{link.id}/remove")).request.path == PAGE
    assert world.make.rows(UpstreamLink) == []
    here = new_browser()
    landed = follow(here, post_form(here, open_sign_in(here), "login-form", username=made.email, password=NEW))
    assert landed.request.path == "/account/"
    twice = post_form(client, fresh, "set-password-form", new_password=NEW + "2", repeat_password=NEW + "2")
    assert twice.status_code in {303, 403, 422}
    assert len([event for event in world.make.rows(AuditEvent) if event.type == "password_changed"]) == 1


def _afresh(client: FlaskClient, world: World) -> FlaskClient:
    """The same browser, signed out here."""
    post_form(client, follow(client, client.get("/oauth/logout")), "logout-form")
    return client


def _linked_later(world: World, client: FlaskClient, hands: Any) -> str:
    """Begun while fresh, answered when it no longer is."""
    signed_in(_afresh(client, world), "rosa.delgado")
    url = begun(world, client)
    hands.forward(minutes=16)
    return url
