"""Policies, request counts and who may ask: what stands before every view (D7, D9, R-09)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from idp.foundation import front_door
from idp.foundation.database import db
from idp.foundation.front_door import BUCKETS, policy_of, route_policy
from tests.conftest import ISSUER, Hands
from tests.factories import Make
from tests.sign_in.visiting import ask, come, token_in, txn_of


def test_csrf_is_on_for_browsers_unless_said_otherwise() -> None:
    def policy(**declared: Any) -> front_door.RoutePolicy:
        view: Any = route_policy(**declared)(lambda: "")
        made: front_door.RoutePolicy = view.route_policy
        return made

    assert [policy(auth=auth).csrf for auth in ("none", "browser", "session", "client", "token")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert not policy(auth="none", cross_site=True).csrf


def test_a_route_without_a_policy_answers_nobody(house_app: Callable[..., Flask]) -> None:
    app = house_app()
    app.add_url_rule("/forgotten", endpoint="forgotten", view_func=lambda: "open")
    app.testing = False
    answer = app.test_client().get("/forgotten", base_url=ISSUER)
    assert answer.status_code == 500
    assert "open" not in answer.text


def test_a_route_that_is_none_has_no_policy(app: Flask) -> None:
    assert policy_of(None) is None
    assert policy_of("static") is None


@pytest.mark.both
def test_SI_05_the_one_too_many_of_an_address_is_429_with_when_to_come_back(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    make.client()
    page = ask(client)
    limit, window = BUCKETS["sign_in"]
    sent = {"csrf_token": token_in(page), "username": "", "password": ""}
    path = f"/sign-in/{txn_of(page)}/password"
    codes = [client.post(path, data=sent, headers={"Origin": ISSUER}).status_code for _ in range(limit)]
    assert 429 not in codes
    refused = client.post(path, data=sent, headers={"Origin": ISSUER})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= window.total_seconds()
    hands.forward(seconds=window.total_seconds())
    assert client.post(path, data=sent, headers={"Origin": ISSUER}).status_code == 422


def test_SI_13_a_forged_post_is_not_counted_against_its_victim(client: FlaskClient, make: Make) -> None:
    make.client()
    page = ask(client)
    path = f"/sign-in/{txn_of(page)}/password"
    for _ in range(BUCKETS["sign_in"][0] + 5):
        assert client.post(path, headers={"Origin": "https://evil.test"}).status_code == 403
    sent = {"csrf_token": token_in(page), "username": "", "password": ""}
    assert client.post(path, data=sent, headers={"Origin": ISSUER}).status_code == 422


@pytest.mark.parametrize("path", ["/healthz", "/brand/ozark-secure.css", "/oauth/jwks"])
def test_R_09_what_needs_no_person_asks_no_database_for_one(client: FlaskClient, make: Make, path: str) -> None:
    """With a session's cookie too: a health check or a stylesheet must not wait for the session's row."""
    make.client()
    make.subject("rosa.delgado")
    come(client)
    client.get(path)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert [statement for statement in statements if "browser_session" in statement] == []
