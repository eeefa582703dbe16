"""Route × role × tenant, made from the URL map and asked by real requests (MODEL §7; AD-02, AD-11, AU-08, D5).

What each route should answer follows from its declared policy and its address; a route that declares nothing fails.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from idp.affiliations.requests.service import Submitted
from idp.affiliations.reviews.models import AccessReview
from idp.console.staff.rules import ALLOWED
from idp.foundation.front_door import RoutePolicy, policy_of
from idp.vocabulary.assurance import Factor
from idp.vocabulary.staff import StaffRole
from tests.affiliations.deciding.world import PORTAL, World
from tests.affiliations.requests.asking import submit
from tests.conftest import ISSUER
from tests.console.staff_world import enter_as, give, token
from tests.factories import Make

NOBODY: Final = "nobody"
PERSON, MEMBER, MANAGER, FOREIGN, PARTNER = "person", "member of A", "manager of A", "manager of B", "partner's staff"
ROLES: Final = (NOBODY, PERSON, MEMBER, MANAGER, FOREIGN, PARTNER, *StaffRole)
OPEN, SIGN_IN, HIDDEN, FORBIDDEN = "open", "sign in", "404", "403"
_BY_MACHINES: Final = frozenset({"client", "token"})
_KNOWN: Final = {"client_id": PORTAL, "act": "disable", "portal": "ozark-secure", "use": "signing"}


@dataclass(frozen=True, slots=True)
class Tenant:
    """What stands for the variables of an address: the ids of one practice's own things."""

    target_id: UUID
    affiliation_id: UUID
    request_id: UUID
    review_id: UUID


@dataclass
class House:
    """Everybody, and the things of two targets."""

    a: Tenant
    b: Tenant
    browsers: dict[str, FlaskClient]
    tokens: dict[str, str]


@pytest.fixture
def everybody(app: Flask, make: Make, now: Any, new_browser: Callable[[], FlaskClient]) -> House:
    world = World(make, now)
    other = make.provider("100200999", tin="981110001")
    people = {PERSON: make.subject("pat"), MANAGER: world.lena, FOREIGN: make.subject("iris")}
    of_b = world.manager(people[FOREIGN], other)
    member = world.member("oscar")
    people[MEMBER] = make.subject("mona")
    make.affiliation(
        people[MEMBER], world.provider, portal=PORTAL, evidence="manager", levels=((PORTAL, "claims.inquiry"),)
    )
    partner = make.trading_partner(registry_name="heartland")
    people[PARTNER] = make.subject("theo")
    make.affiliation(people[PARTNER], partner, registry="heartland", portal=PORTAL, evidence="payer")
    make.engagement(partner, world.practice)
    for role in StaffRole:
        people[role] = make.subject(f"staff.{role.value.replace('_', '.')}")
        give(make, people[role], role)
    browsers = {NOBODY: new_browser()}
    for role, person in people.items():
        make.factor(person, Factor.TOTP)
        browsers[role] = enter_as(new_browser(), make, person)
    tokens = {role: token(browser) for role, browser in browsers.items() if role is not NOBODY}
    a = Tenant(world.provider.id, member.id, _request(world, world.provider.id), _review(world, world.provider.id))
    b = Tenant(other.id, of_b.id, _request(world, other.id), _review(world, other.id))
    return House(a, b, browsers, tokens)


def _request(world: World, target_id: UUID) -> UUID:
    made = submit(world.party, target_id, now=world.now)
    assert isinstance(made, Submitted)
    return made.request_id


def _review(world: World, target_id: UUID) -> UUID:
    row = AccessReview(
        id=uuid4(), portal=PORTAL, registry_name="heartland", target_kind="provider", target_id=target_id,
        opened_at=world.now, due_at=world.now.replace(year=world.now.year + 1),
    )  # fmt: skip
    world.make._save(row)
    return row.id


def routes(app: Flask) -> Iterator[tuple[Rule, str, RoutePolicy]]:
    """Every route and method of the map with its policy; one without fails here."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        policy = policy_of(rule.endpoint)
        assert policy is not None, f"{rule.rule} declares no policy"
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield rule, method, policy


def of_tenant(rule: Rule) -> bool:
    """Whether the address names somebody's practice: then whoever does not manage it finds nothing there."""
    return rule.rule.startswith("/manage/") and "target_id" in rule.arguments


def expected(rule: Rule, policy: RoutePolicy, role: str) -> str:
    """What the policy says of a role that asks for what is A's."""
    if policy.auth in _BY_MACHINES or policy.auth in ("public", "none", "browser"):
        return OPEN
    if role is NOBODY:
        return SIGN_IN
    if policy.staff is not None:
        roles = {role} & set(StaffRole)
        return OPEN if any(policy.staff in ALLOWED[StaffRole(each)] for each in roles) else FORBIDDEN
    return HIDDEN if of_tenant(rule) and role is not MANAGER else OPEN


def filled(rule: Rule, tenant: Tenant, *, child_of: Tenant | None = None) -> str:
    """The address with A's things in it, or with a child of another's; what nobody has here is an id of nothing."""
    address = rule.rule
    for name in sorted(rule.arguments):
        owner = child_of if child_of is not None and name != "target_id" else tenant
        theirs = of_tenant(rule) or rule.rule.startswith(("/console/registrants/", "/console/directory/people/"))
        value = getattr(owner, name, None) if theirs else None
        value = value or _KNOWN.get(name) or uuid4()
        address = address.replace(f"<uuid:{name}>", str(value)).replace(f"<{name}>", str(value))
    return address


def ask(everybody: House, role: str, method: str, address: str) -> TestResponse:
    browser, whence = everybody.browsers[role], {"REMOTE_ADDR": f"192.0.2.{ROLES.index(role) + 1}"}
    if method == "GET":
        return browser.get(address, environ_overrides=whence)
    sent = {"csrf_token": everybody.tokens.get(role, "")}
    return browser.post(address, data=sent, headers={"Origin": ISSUER}, environ_overrides=whence)


def test_AD_02_AU_08_every_route_answers_every_role_as_its_policy_says(app: Flask, everybody: House) -> None:
    """POSTs are sent only by those who must be refused: what others change is their own rooms' to test."""
    wrong, asked = [], 0
    for rule, method, policy in routes(app):
        address = filled(rule, everybody.a)
        for role in ROLES:
            want = expected(rule, policy, role)
            if want is OPEN and (method == "POST" or policy.auth != "session"):
                continue
            asked += 1
            answer = ask(everybody, role, method, address)
            if not fits(want, answer, method):
                wrong.append((method, rule.rule, role, want, answer.status_code, answer.location))
    assert wrong == [], "\n".join(map(str, wrong))
    assert asked > 500


def fits(want: str, answer: TestResponse, method: str) -> bool:
    to_sign_in = answer.status_code == 303 and ("/sign-in" in answer.location or answer.location == "/account/")
    match want:
        case "sign in":
            return (
                to_sign_in or answer.status_code in {400, 403, 404} or (method == "GET" and answer.status_code == 410)
            )
        case "404":
            return answer.status_code == 404
        case "403":
            return answer.status_code == 403
        case _:
            return answer.status_code < 500 and answer.status_code != 403 and answer.status_code != 401


@pytest.mark.both
def test_AD_02_ruling_12_the_row_fences_hide_a_practice_s_things_from_whoever_does_not_manage_it(
    app: Flask, everybody: House
) -> None:
    """The addresses of a practice again where PostgreSQL's fences stand too; its own manager is let through them."""
    wrong, asked = [], 0
    for rule, method, policy in routes(app):
        if not of_tenant(rule):
            continue
        for role in (MEMBER, FOREIGN, PARTNER, MANAGER):
            want = expected(rule, policy, role)
            if want is OPEN and method == "POST":
                continue
            asked += 1
            answer = ask(everybody, role, method, filled(rule, everybody.a))
            if not fits(want, answer, method):
                wrong.append((method, rule.rule, role, want, answer.status_code))
    assert wrong == []
    assert asked > 100


@pytest.mark.both
def test_AD_02_a_manager_finds_none_of_another_target_s_things_below_their_own(app: Flask, everybody: House) -> None:
    wrong, asked = [], 0
    for rule, method, _policy in routes(app):
        children = rule.arguments & {"affiliation_id", "request_id", "review_id"}
        if not of_tenant(rule) or not children:
            continue
        own, foreign = filled(rule, everybody.a), filled(rule, everybody.a, child_of=everybody.b)
        if method == "GET" and ask(everybody, MANAGER, "GET", own).status_code == 404:
            wrong.append((rule.rule, "their own"))
        asked += 1
        answer = ask(everybody, MANAGER, method, foreign)
        if not (answer.status_code == 404 or (method == "POST" and answer.status_code == 400)):
            wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []
    assert asked > 10


def test_machines_calls_are_refused_to_browsers(app: Flask, everybody: House) -> None:
    for rule, method, policy in routes(app):
        if policy.auth in _BY_MACHINES:
            answer = ask(everybody, MANAGER, method, filled(rule, everybody.a))
            assert 400 <= answer.status_code < 500, (method, rule.rule, answer.status_code)


def test_an_undeclared_route_fails(house_app: Callable[..., Flask]) -> None:
    bare = house_app()
    bare.add_url_rule("/manage/<client_id>/<uuid:target_id>/secret", "undeclared", lambda client_id, target_id: "x")
    with bare.app_context(), pytest.raises(AssertionError, match="declares no policy"):
        list(routes(bare))
