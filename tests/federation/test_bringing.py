"""Somebody new brings evidence from a connection: the step that proves a practice is done and locked, and no more than that."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.affiliations.models import Affiliation
from idp.affiliations.requests.models import AccessRequest
from idp.audit.models import AuditEvent
from idp.directory.models import Practice
from tests.authenticators.browsing import follow, post_form
from tests.federation.conftest import World
from tests.federation.upstream import ISSUER
from tests.oidc.flow import VERIFIER, challenge_of

pytestmark = pytest.mark.both

TIN, OTHER, PORTAL = "98-1112223", "98-4445556", "carebridge"
WORDS = {"en": "Words", "es": "Palabras"}


@pytest.fixture
def hospital(world: World) -> World:
    steps = ["create_account", "verify_email", "claim_practice", "agreement", "confirmation"]
    names = {key: {"en": key, "es": key} for key in ("claims.inquiry", "administrator")}
    levels = [{"key": key, "label": label, "manages": key == "administrator"} for key, label in names.items()]
    world.make.client(
        PORTAL,
        portal={
            "acting_for": ["practice"], "accepts": "directory", "accepts_for_manager": "directory",
            "default_levels": ["claims.inquiry"],
        },
        levels=levels,
        agreement={"version": "1", "title": WORDS},
        enrollment={"register": {"title": WORDS, "steps": steps}},
    )  # fmt: skip
    for tin in (TIN, OTHER):
        practice = world.make.practice(tin)
        world.make.provider(None, practice=practice, tin=tin, registry_name="ozark")
    world.upstream.claims |= {"groups": ["staff", "other"]}
    return world


def brings(world: World, **changed: Any) -> None:
    table = {"portal": PORTAL, "tins": [TIN], "claim": "groups", "values": ["staff"], "kind": "directory"} | changed
    world.connect(
        "brings",
        portals=[PORTAL],
        people={"create": True, "mailboxes": True, "ceremonies": {PORTAL: "register"}},
        brings=[table],
    )


def arrive(world: World, browser: FlaskClient) -> TestResponse:
    """From the portal's sign-in to the ceremony's first page for this person."""
    page = follow(browser, browser.get(authorize()))
    landed = follow(browser, world.come_back(browser, world.leave(browser, "brings", page)))
    assert landed.request.path.endswith("/first-time"), landed.request.path
    return follow(browser, post_form(browser, landed, "new-here-form"))


def authorize() -> str:
    asked = {
        "client_id": PORTAL, "redirect_uri": f"https://{PORTAL}.test/callback", "response_type": "code",
        "scope": "openid", "state": "s", "nonce": "n", "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }  # fmt: skip
    return f"/oauth/authorize?{urlencode(asked)}"


def test_the_practice_is_taken_over_shown_locked_and_told_with_its_source(hospital: World, client: FlaskClient) -> None:
    brings(hospital)
    page = arrive(hospital, client)
    assert page.request.path.endswith("/agreement"), page.request.path
    assert "Saint Anne Hospital says that you work for" in page.text
    assert "98-1112223" not in page.text
    done = follow(client, post_form(client, page, "enroll-form", agree="yes"))
    assert "enroll-form" not in done.text, done.text[:400]
    (row,) = hospital.make.rows(Affiliation)
    (proof,) = row.evidence
    assert (row.status, row.account_manager, [each.level for each in row.levels]) == (
        "active",
        False,
        ["claims.inquiry"],
    )
    assert (proof.kind, proof.connection, proof.source) == (
        "directory", "brings",
        {"issuer": ISSUER, "subject": "up-248289", "claims": {"groups": ["staff"]}, "brought": True},
    )  # fmt: skip
    told = {row.type: row.details for row in hospital.make.rows(AuditEvent)}
    assert told["enrollment_brought"]["step"] == "claim_practice"
    assert told["affiliation_made"]["source"]["connection"] == "brings"
    hospital.upstream.claims["groups"] = []
    hospital.sign_in(hospital.app.test_client(), "brings")
    assert [row.status for row in hospital.make.rows(Affiliation)] == ["active"]


def test_EN_17_it_cannot_be_answered_otherwise(hospital: World, client: FlaskClient) -> None:
    brings(hospital)
    page = arrive(hospital, client)
    here, there = page.request.path, page.request.path.replace("/agreement", "/claim-practice")
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    token = {"csrf_token": hidden["csrf_token"]}
    client.post(there, data={**token, "tin": OTHER, "zip_code": "65801"}, headers={"Origin": ISSUER})
    assert 'name="tin"' not in follow(client, client.get(there)).text
    follow(client, post_form(client, follow(client, client.get(here)), "enroll-form", agree="yes"))
    (row,) = hospital.make.rows(Affiliation)
    assert {each.id: each.tin_last4 for each in hospital.make.rows(Practice)}[row.target_id] == "2223"
    assert [proof.connection for proof in row.evidence] == ["brings"]


@pytest.mark.parametrize(
    ("changed", "claims"),
    [
        ({}, {"groups": ["other"]}),
        ({}, {"groups": ["other"], "tins": [TIN]}),
        ({"tin_claim": "tins"}, {"tins": [OTHER]}),
        ({"tins": [TIN, OTHER]}, {}),
        ({"tins": ["97-9999999"]}, {}),
    ],
)
def test_FE_11_what_the_file_does_not_name_is_asked(
    hospital: World, client: FlaskClient, changed: dict[str, Any], claims: dict[str, Any]
) -> None:
    brings(hospital, **changed)
    hospital.upstream.claims |= claims
    page = arrive(hospital, client)
    assert page.request.path.endswith("/claim-practice")
    assert "says that you work for" not in page.text


def test_never_upward_a_managed_practice_is_asked_and_the_mark_is_not_brought(
    hospital: World, client: FlaskClient
) -> None:
    ines = hospital.make.subject("ines.okoro")
    practice = next(row for row in hospital.make.rows(Practice) if row.tin_last4 == "2223")
    hospital.make.affiliation(ines, practice, registry="ozark", portal=PORTAL, evidence="payer", account_manager=True)
    brings(hospital)
    page = arrive(hospital, client)
    follow(client, post_form(client, page, "enroll-form", agree="yes"))
    assert [row.subject_id for row in hospital.make.rows(Affiliation)] == [ines.id]
    assert len(hospital.make.rows(AccessRequest)) == 1
