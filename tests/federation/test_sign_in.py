"""The whole way at a scripted provider: linked people, strangers, links, and who stays out."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.console.staff.models import StaffMember
from idp.federation import links
from idp.federation.models import UpstreamLink
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession
from idp.subjects.models import Subject
from tests.authenticators.browsing import follow, open_sign_in, post_form, press
from tests.authenticators.second_factors import code_of, type_code
from tests.conftest import ISSUER, Hands
from tests.factories.make import PASSWORD
from tests.federation.conftest import World, address_of
from tests.oidc.flow import VERIFIER, challenge_of
from tests.sign_in.visiting import token_in

pytestmark = pytest.mark.both


def test_a_linked_person_is_in_and_the_session_says_honestly_how(world: World, client: FlaskClient) -> None:
    world.link(world.rosa)
    landed = world.sign_in(client)
    assert landed.request.path == "/account/"
    session = world.make.rows(BrowserSession)[0]
    assert (session.subject_id, session.acr, session.amr, list(session.proven)) == (
        world.rosa.id, ["aal1"], [], ["upstream"],
    )  # fmt: skip
    told = {event.type: event for event in world.make.rows(AuditEvent)}
    assert told["signed_in"].details["method"] == "upstream:saint-anne"


def test_FE_11_only_the_connections_table_lifts_a_session(world: World, client: FlaskClient) -> None:
    world.connect("second", assurance={"acr": {"urn:two": "aal2"}, "amr": {"otp": "otp"}})
    world.link(world.rosa)
    world.link(world.rosa, name="second")
    world.upstream.claims |= {"acr": "urn:two", "amr": ["otp", "mfa"], "roles": ["admin"], "entitlements": ["all"]}
    world.upstream.claims |= {"tin": "123456789", "groups": ["payers"], "is_admin": True, "provider_id": "1234567893"}
    world.sign_in(client)
    session = world.make.rows(BrowserSession)[0]
    assert (session.acr, session.amr) == (["aal1"], [])
    client.get("/account/")
    again = client.get("/sign-in?to=account.overview&fresh=1")
    assert again.status_code == 303
    other = world.app.test_client()
    world.sign_in(other, "second")
    sessions = {tuple(row.acr): row.amr for row in world.make.rows(BrowserSession)}
    assert sessions[("aal1", "aal2")] == ["otp"]
    assert world.make.rows(Affiliation) == []
    assert world.make.rows(StaffMember) == []


def test_FE_01_an_equal_mailbox_links_nobody_without_their_own_sign_in(world: World, client: FlaskClient) -> None:
    world.upstream.claims["email"] = world.rosa.email
    landed = world.sign_in(client)
    assert landed.request.path.endswith("/first-time")
    assert world.make.rows(UpstreamLink) == []
    assert world.make.rows(BrowserSession) == []

    asked = follow(client, post_form(client, landed, "have-account-form"))
    assert 'id="login-form"' in asked.text
    assert "with-form-" not in asked.text
    confirm = follow(client, post_form(client, asked, "login-form", username="rosa.delgado", password=PASSWORD))
    assert confirm.request.path.endswith("/link-identity")
    assert "Saint Anne Hospital" in confirm.text
    assert world.make.rows(UpstreamLink) == []
    done = follow(client, post_form(client, confirm, "link-form", choice="link"))
    assert done.request.path == "/account/"
    link = world.make.rows(UpstreamLink)[0]
    assert (link.connection, link.issuer, link.subject, link.subject_id) == (
        "saint-anne", world.upstream.issuer, "up-248289", world.rosa.id,
    )  # fmt: skip
    assert "factor_added" in {message.notice for message in world.make.rows(OutboxMessage)}
    assert world.sign_in(world.app.test_client()).request.path == "/account/"


def test_FE_12_FE_17_only_the_posted_choice_at_the_awaited_step_links(world: World, client: FlaskClient) -> None:
    landed = world.sign_in(client)
    txn = landed.request.path.split("/")[2]
    empty = client.post(f"/sign-in/{txn}/first-time", data={}, headers={"Origin": ISSUER})
    assert empty.status_code == 403
    assert post_form(client, landed, "have-account-form", choice="").status_code == 400
    assert follow(client, client.get(f"/sign-in/{txn}/link-identity")).request.path.endswith("/first-time")
    skipped = post_form(client, landed, "have-account-form")
    assert follow(client, skipped).request.path.endswith("/password")
    again = post_form(client, landed, "have-account-form", choice="create")
    assert follow(client, again).request.path.endswith("/password")
    assert client.get(f"/sign-in/{txn}/with/saint-anne").status_code == 405
    assert world.make.rows(UpstreamLink) == []


def test_FE_13_nobody_elses_browser_can_confirm(world: World, client: FlaskClient, new_browser: Any) -> None:
    landed = world.sign_in(client)
    victim = new_browser()
    post_form(victim, open_sign_in(victim), "login-form", username="rosa.delgado", password=PASSWORD)
    txn = landed.request.path.split("/")[2]
    for path in (f"/sign-in/{txn}", f"/sign-in/{txn}/link-identity", f"/sign-in/{txn}/first-time"):
        assert "Saint Anne" not in follow(victim, victim.get(path)).text
    assert world.make.rows(UpstreamLink) == []


def test_a_stranger_begins_with_what_upstream_proved_and_needs_no_password(world: World, client: FlaskClient) -> None:
    landed = world.sign_in(client)
    done = follow(client, post_form(client, landed, "new-here-form"))
    assert done.request.path == "/account/"
    made = next(row for row in world.make.rows(Subject) if row.id != world.rosa.id)
    assert (made.email, made.given_name, made.family_name, made.status) == (
        "maria@saintanne.example", "Maria", "Ortega", "active",
    )  # fmt: skip
    assert made.email_verified_at is not None
    assert [link.subject_id for link in world.make.rows(UpstreamLink)] == [made.id]
    assert world.sign_in(world.app.test_client()).request.path == "/account/"


@pytest.mark.parametrize(("policy", "acr", "lands"), [
    ("spare", "urn:two", "/agreement"), ("spare", "urn:one", "/set-up-mfa"), ("ask", "urn:two", "/set-up-mfa"),
])  # fmt: skip
def test_C4_a_newcomer_sets_up_a_factor_unless_their_connection_spares_it(
    world: World, client: FlaskClient, policy: str, acr: str, lands: str
) -> None:
    text = {"en": "Register", "es": "Registrarse"}
    steps = ["create_account", "verify_email", "set_up_mfa", "agreement"]
    for portal in ("hill-portal", "dale-portal"):
        world.make.client(
            portal,
            enrollment={"register": {"title": text, "steps": steps}},
            agreement={"version": "1", "title": text},
            mfa={"kinds": ["totp"], "policy": "required"},
        )
    world.connect(
        "hills",
        portals=["hill-portal"],
        people={"create": True, "mailboxes": True, "ceremonies": {"hill-portal": "register"}},
        assurance={"acr": {"urn:two": "aal2"}, "local_factor": policy},
    )
    world.upstream.claims["acr"] = acr
    page = follow(client, client.get(_authorize("hill-portal")))
    landed = follow(client, world.come_back(client, world.leave(client, "hills", page=page)))
    begun = follow(client, post_form(client, landed, "new-here-form"))
    assert begun.request.path.endswith(lands), begun.request.path
    there = follow(
        client, post_form(client, client.get("/enroll/dale-portal/register/"), "enroll-form", use_account="yes")
    )
    assert there.request.path.endswith("/set-up-mfa"), "the connection spares nobody here"


def test_C4_a_connection_spares_a_factor_at_its_own_portals_and_at_no_other(
    world: World, client: FlaskClient, hands: Hands
) -> None:
    for portal in ("hill-portal", "dale-portal"):
        world.make.client(portal, mfa={"kinds": ["totp"], "policy": "required"})
    spares = {"acr": {"urn:two": "aal2"}, "local_factor": "spare"}
    world.connect("hills", portals=["hill-portal"], assurance=spares)
    world.link(world.rosa, name="hills")
    world.upstream.claims["acr"] = "urn:two"
    page = follow(client, client.get(_authorize("hill-portal")))
    landed = follow(client, world.come_back(client, world.leave(client, "hills", page=page)))
    assert not landed.request.path.endswith("/set-up-mfa")
    assert follow(client, client.get(_authorize("dale-portal"))).request.path.endswith("/set-up-mfa")
    world.connect("dales", portals=["dale-portal"], assurance=spares)
    hands.forward(seconds=2)
    world.upstream.claims |= {"acr": "urn:one", "sub": "up-dales"}
    link = "/account/identities/dales/link"
    confirm = follow(
        client, world.come_back(client, address_of(press(client, client.get("/account/identities"), link)))
    )
    follow(client, press(client, confirm, confirm.request.path, choice="link"))
    assert len(world.make.rows(UpstreamLink)) == 2
    for portal, asked in (("hill-portal", False), ("dale-portal", True)):
        page = follow(client, client.get(_authorize(portal)))
        assert page.request.path.endswith("/set-up-mfa") is asked, (portal, page.request.path)


@pytest.mark.parametrize("ago", [None, 1200])
def test_MF_33_a_sign_in_there_of_unknown_age_or_an_old_one_is_no_fresh_proof_here(
    world: World, client: FlaskClient, ago: int | None
) -> None:
    """Whoever finds a browser signed in at the hospital sets nothing up, and changes nothing, at this person's account."""
    world.make.client("hill-portal", mfa={"kinds": ["totp"], "policy": "required"})
    world.connect("hills", portals=["hill-portal"])
    world.link(world.rosa, name="hills")
    world.upstream.spoil = lambda claims: claims | {"auth_time": claims["auth_time"] - ago if ago else None}
    page = follow(client, client.get(_authorize("hill-portal")))
    found = follow(client, world.come_back(client, world.leave(client, "hills", page=page)))
    assert not found.request.path.endswith("/set-up-mfa"), "a second factor of whoever sits there"
    own = client.get("/account/identities")
    assert "fresh=1" in press(client, own, "/account/identities/saint-anne/link").location
    again = world.leave(client, "hills", page=found)
    assert "prompt=login" in again
    assert "max_age=0" in again
    world.upstream.spoil = lambda claims: claims
    assert follow(client, world.come_back(client, again)).request.path.endswith("/set-up-mfa")


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": "true"},
        {"email_verified": False},
        {"email_verified": None},
        {"email": "maria@elsewhere.example"},
    ],
)
def test_FE_01_an_unproven_mailbox_begins_no_account(world: World, client: FlaskClient, claims: dict[str, Any]) -> None:
    world.upstream.claims |= claims
    landed = world.sign_in(client)
    assert "new-here-form" not in landed.text
    forged = post_form(client, landed, "have-account-form", choice="create")
    assert forged.status_code == 422
    assert len(world.make.rows(Subject)) == 1


def test_a_known_mailbox_is_linked_and_never_made_twice(world: World, client: FlaskClient) -> None:
    world.make.subject("maria", email="maria@saintanne.example")
    landed = world.sign_in(client)
    assert "new-here-form" not in landed.text
    assert "There is an account with this e-mail address" in landed.text


@pytest.mark.parametrize("at_the_same_moment", [False, True])
def test_G2_an_identity_that_was_linked_in_another_tab_begins_no_second_account(
    world: World, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, at_the_same_moment: bool
) -> None:
    landed = world.sign_in(client)
    world.link(world.rosa)
    if at_the_same_moment:
        monkeypatch.setattr(links, "is_linked", lambda tx, identity: False)
    answer = follow(client, post_form(client, landed, "new-here-form"))
    assert answer.status_code == 422, "said on a page, and nothing is made"
    assert "An account cannot begin with this sign-in" in answer.text
    assert [each.id for each in world.make.rows(Subject)] == [world.rosa.id]
    assert world.make.rows(BrowserSession) == []


def test_SI_21_a_disabled_person_stays_out_whatever_upstream_says(world: World, client: FlaskClient) -> None:
    gone = world.make.subject("gone", status="disabled")
    world.link(gone)
    landed = world.come_back(client, world.leave(client))
    assert landed.status_code == 422
    assert "disabled" in landed.text
    assert world.make.rows(BrowserSession) == []


def test_a_local_factor_is_asked_after_upstream_and_both_are_recorded(world: World, client: FlaskClient) -> None:
    _row, secret = world.make.totp(world.rosa)
    world.link(world.rosa)
    asked = world.sign_in(client)
    assert asked.request.path.endswith("/second-factor/totp")
    assert world.make.rows(BrowserSession) == []
    done = follow(client, type_code(client, asked, code_of(secret, world.make.now)))
    assert done.request.path == "/account/"
    session = world.make.rows(BrowserSession)[0]
    assert (sorted(session.acr), session.amr, sorted(session.proven)) == (
        ["aal1", "aal2"], ["otp", "mfa"], ["totp", "upstream"],
    )  # fmt: skip


def test_a_connection_that_is_off_or_not_offered_opens_no_door(world: World, client: FlaskClient) -> None:
    world.connect("elsewhere", portals=["another-portal"])
    page = client.get(_authorize())
    page = follow(client, page)
    assert "with-form-saint-anne" in page.text
    assert "with-form-elsewhere" not in page.text
    txn = page.request.path.split("/")[2]
    token = {"csrf_token": token_in(page)}
    answer = client.post(f"/sign-in/{txn}/with/elsewhere", data=token, headers={"Origin": ISSUER})
    assert answer.status_code == 422
    assert "does not offer" in answer.text


def test_the_organizations_domain_opens_the_right_door(world: World, client: FlaskClient) -> None:
    page = follow(client, client.get(_authorize()))
    txn = page.request.path.split("/")[2]
    asked = client.get(f"/sign-in/{txn}/organization")
    unknown = post_form(client, asked, "organization-form", email="x@nowhere.example")
    assert unknown.status_code == 422
    found = post_form(client, asked, "organization-form", email="maria@saintanne.example")
    assert "login_hint=maria%40saintanne.example" in found.text


def test_EN_06_a_practices_number_opens_its_door_whoever_is_known_here(world: World, client: FlaskClient) -> None:
    world.connect("quiet", button=False, home={"tins": ["98-1112223"]})
    world.connect("far", portals=["carebridge"], home={"tins": ["98-4445556"]})
    world.make.provider(None, practice=world.make.practice("98-7778889"), tin="98-7778889", registry_name="ozark")
    page = follow(client, client.get(_authorize()))
    assert "with-form-quiet" not in page.text
    asked = client.get(f"/sign-in/{page.request.path.split('/')[2]}/organization")
    told = []
    for tin in ("98-4445556", "98-7778889", "97-0000001"):
        answer = post_form(client, asked, "organization-form", tin=tin)
        told.append(re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text))
        assert (answer.status_code, tin in answer.text) == (422, False)
    assert len(set(told)) == 1
    assert "We know no sign-in of an organization for this practice" in told[0]
    assert post_form(client, asked, "organization-form", tin="12").status_code == 422
    found = post_form(client, asked, "organization-form", tin="981112223")
    assert found.status_code == 200
    assert "client_id=credence" in found.text
    assert "981112223" not in found.text


def _authorize(portal: str = "ozark-secure") -> str:
    return (
        f"/oauth/authorize?client_id={portal}&redirect_uri=https%3A%2F%2F{portal}.test%2Fcallback"
        f"&response_type=code&scope=openid&state=s&nonce=n&code_challenge={challenge_of(VERIFIER)}&code_challenge_method=S256"
    )
