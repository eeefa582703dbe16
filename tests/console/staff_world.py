"""Staff in a browser: roles by the table, a session that has proven an app, every route of the console by the URL map."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.console.guard import PLACE
from idp.console.staff.models import StaffMember
from idp.foundation.front_door import RoutePolicy, policy_of
from idp.subjects.models import Subject
from idp.vocabulary.assurance import Factor
from idp.vocabulary.staff import StaffRole
from tests.conftest import ISSUER
from tests.factories import Make
from tests.sign_in.visiting import SESSION

REGISTRAR, HELP_DESK, AUDITOR, ADMINISTRATOR = StaffRole
NAMES = {
    REGISTRAR: ("Nora", "Whitlock"), HELP_DESK: ("Paul", "Ostrander"), AUDITOR: ("Edith", "Sorensen"),
    ADMINISTRATOR: ("Ana", "Fuentes"),
}  # fmt: skip


def staff(make: Make, *roles: StaffRole, login: str | None = None, factor: Factor | None = Factor.TOTP) -> Subject:
    """A person with these roles, who holds an authenticator app."""
    login = login or ".".join(NAMES[roles[0]]).lower()
    given, family = NAMES[roles[0]] if roles else ("Rosa", "Delgado")
    person = make.subject(login, given_name=given, family_name=family)
    if factor is not None:
        make.factor(person, factor)
    for role in roles:
        give(make, person, role)
    return person


def give(make: Make, person: Subject, role: StaffRole) -> None:
    make._save(StaffMember(subject_id=person.id, role=role.value, given_at=make.now, proposed_by="cli:test"))


def enter_as(
    client: FlaskClient, make: Make, person: Subject, *, proven: dict[str, datetime] | None = None, **changed: Any
) -> FlaskClient:
    """The browser with a live session in which password and app were proven now."""
    moments = proven if proven is not None else {"password": make.now, "totp": make.now}
    _row, cookie = make.session(
        person,
        acr=["aal1", "aal2"],
        amr=["pwd", "otp", "mfa"],
        proven={kind: at.isoformat() for kind, at in moments.items()},
        **changed,
    )
    client.set_cookie(SESSION, cookie.reveal(), domain="credence.test", path="/", secure=True)
    return client


def token(client: FlaskClient) -> str:
    """A CSRF token that holds for this browser."""
    page = client.get("/account/profile").text
    return page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def post(client: FlaskClient, path: str, **data: Any) -> TestResponse:
    """A direct POST with a token that holds."""
    return client.post(path, data={"csrf_token": token(client), **data}, headers={"Origin": ISSUER})


def routes(app: Flask) -> Iterator[tuple[str, str, str, RoutePolicy]]:
    """Endpoint, method, address (with ids that nobody has) and policy of every route of the console."""
    for rule in app.url_map.iter_rules():
        if not (rule.rule == PLACE or rule.rule.startswith(f"{PLACE}/")):
            continue
        policy = policy_of(rule.endpoint)
        assert policy is not None, rule.endpoint
        address = rule.rule
        for name in rule.arguments:
            address = address.replace(f"<uuid:{name}>", str(uuid4())).replace(f"<{name}>", "x")
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield rule.endpoint, method, address, policy
