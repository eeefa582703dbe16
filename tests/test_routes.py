"""Every route declares what protects it; the table is checked in; GETs change nothing; forged POSTs are refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from idp.foundation.database import db, see_as
from idp.foundation.front_door import BUCKETS, policy_of
from idp.migrations.tables import metadata
from tests.conftest import ISSUER
from tests.factories import Make
from tests.sign_in.visiting import SESSION, ask, enter, token_in, txn_of

TABLE: Final = Path(__file__).with_name("routes.txt")
GETS_THAT_MAY_WRITE: Final = {
    "oidc.authorize",
    "oidc.answer",
    "oidc.end_session",
    "oidc.confirm_logout",
    "sign_in.resume",
    "sign_in.own",
    "upstream_oidc.callback",
    "upstream_saml.arrive",
    "upstream_saml.signs_out",
}
"""SECURITY ruling 13: they park a request or finish one; nothing that a person owns changes."""


def endpoints(app: Flask) -> list[str]:
    return sorted({rule.endpoint for rule in app.url_map.iter_rules()} - {"static"})


def table(app: Flask) -> str:
    """One line a route: methods, address, who may call it, what protects it."""
    lines = []
    for rule in app.url_map.iter_rules():
        policy = policy_of(rule.endpoint)
        if policy is None:
            continue
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})) or "OPTIONS"
        notes = [
            f"auth={policy.auth}",
            "csrf" if policy.csrf and "POST" in methods else "cross-site" if policy.cross_site else "",
            f"bucket={policy.bucket}" if policy.bucket else "",
            "get-writes" if policy.changes else "",
            f"staff={policy.staff}" if policy.staff else "",
            "step-up" if policy.step_up else "",
        ]
        lines.append(" ".join([methods.ljust(8), rule.rule, *filter(None, notes)]))
    return "\n".join(sorted(lines, key=lambda line: line.split()[1::-1])) + "\n"


def test_every_route_declares_its_policy(app: Flask) -> None:
    assert [endpoint for endpoint in endpoints(app) if policy_of(endpoint) is None] == []


def test_the_route_table_is_the_one_checked_in(app: Flask) -> None:
    """A new or changed route is a decision: write `tests/routes.txt` anew and say why in the commit."""
    assert table(app) == TABLE.read_text()


def test_every_bucket_is_known(app: Flask) -> None:
    assert {policy.bucket for endpoint in endpoints(app) if (policy := policy_of(endpoint))} <= {None, *BUCKETS}


def test_SE_05_every_post_of_a_browser_is_protected(app: Flask) -> None:
    open_to_forgery = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and (policy := policy_of(rule.endpoint)) is not None
        and policy.auth in {"none", "browser", "session"} and not (policy.csrf or policy.cross_site)
    ]  # fmt: skip
    assert open_to_forgery == []


def test_ruling_13_only_named_gets_may_write(app: Flask) -> None:
    writing = {endpoint for endpoint in endpoints(app) if (policy := policy_of(endpoint)) and policy.changes}
    assert writing <= GETS_THAT_MAY_WRITE


@pytest.fixture
def txn(client: FlaskClient, make: Make) -> str:
    """A browser half way through a sign-in for a portal, with everything that pages show."""
    make.client()
    subject = make.subject("rosa.delgado")
    for name in ("ALDER", "BIRCH"):
        provider = make.provider(registry_name="ozark", legal_name=name)
        make.affiliation(subject, provider, registry="ozark", levels=(("ozark-secure", "admin"),))
    return txn_of(ask(client))


def rows_of(app: Flask) -> dict[str, list[str]]:
    """Every table, row by row."""
    with Session(db.engine) as tx:
        see_as(tx, everything=True)
        return {
            name: sorted(repr(tuple(row)) for row in tx.execute(text(f'SELECT * FROM "{name}"')))
            for name in metadata().tables
        }


def addresses(app: Flask, txn: str, *, method: str) -> Iterator[tuple[str, str]]:
    """Each address with its endpoint, its variables filled with what exists here and with what does not."""
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or ()):
            continue
        for identity in {txn, str(uuid4())} if rule.arguments else {txn}:
            yield rule.endpoint, filled(rule, identity)


def filled(rule: Rule, identity: str) -> str:
    address = rule.rule
    for name in rule.arguments:
        converter = rule._converters[name].__class__.__name__
        value = identity if converter == "UUIDConverter" else "ozark-secure" if name == "client_id" else "x"
        for form in (f"<uuid:{name}>", f"<path:{name}>", f"<{name}>", f"<string:{name}>"):
            address = address.replace(form, value)
    return address


@pytest.mark.both
@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_SE_06_crawling_changes_no_row(
    app: Flask, client: FlaskClient, make: Make, txn: str, signed_in: bool, method: str
) -> None:
    if signed_in:
        txn = txn_of(enter(client, ask(client), "rosa.delgado"))
    before = rows_of(app)
    seen = 0
    for endpoint, address in addresses(app, txn, method=method):
        if endpoint in GETS_THAT_MAY_WRITE:
            continue
        answer = client.open(address, method=method)
        assert answer.status_code < 500, (address, answer.status_code)
        assert rows_of(app) == before, f"{method} {address} wrote"
        seen += 1
    assert seen > 30


@pytest.mark.parametrize("signed_in", [False, True])
def test_SE_06_the_exempt_touch_parked_requests_and_the_last_look_only(
    app: Flask, client: FlaskClient, make: Make, txn: str, signed_in: bool
) -> None:
    if signed_in:
        txn = txn_of(enter(client, ask(client), "rosa.delgado"))
    before = rows_of(app)
    for endpoint, address in addresses(app, txn, method="GET"):
        if endpoint in GETS_THAT_MAY_WRITE:
            assert client.get(address).status_code < 500, address
    after = rows_of(app)
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"sign_in_transaction", "request_count"}, changed


FORGERIES: dict[str, dict[str, str]] = {
    "another site's Origin": {"Origin": "https://evil.test"},
    "another port": {"Origin": f"{ISSUER}:8443"},
    "plain http": {"Origin": ISSUER.replace("https", "http")},
    "fetch metadata": {"Sec-Fetch-Site": "cross-site"},
    "a sibling": {"Sec-Fetch-Site": "same-site"},
    "both": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
}


def protected(app: Flask, txn: str) -> list[str]:
    return sorted(
        {
            address
            for endpoint, address in addresses(app, txn, method="POST")
            if (policy := policy_of(endpoint)) is not None and policy.csrf
        }
    )


@pytest.mark.parametrize("signed_in", [False, True])
def test_SI_13_LO_07_every_post_without_this_browsers_token_is_403(
    app: Flask, client: FlaskClient, make: Make, txn: str, signed_in: bool
) -> None:
    if signed_in:
        txn = txn_of(enter(client, ask(client), "rosa.delgado"))
    stranger = token_in(ask(app.test_client()))
    before = rows_of(app)
    every = protected(app, txn)
    assert len(every) > 15
    for address in every:
        for data in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": stranger}):
            answer = client.post(address, data=data, headers={"Origin": ISSUER})
            assert answer.status_code == 403, (address, data)
            assert 'id="error"' in answer.text
    assert rows_of(app) == before


@pytest.mark.parametrize("forgery", FORGERIES)
def test_SI_13_every_post_from_another_site_is_403_even_with_the_token(
    app: Flask, client: FlaskClient, make: Make, txn: str, forgery: str
) -> None:
    page = ask(client)
    token, before = token_in(page), rows_of(app)
    for address in protected(app, txn_of(page)):
        answer = client.post(address, data={"csrf_token": token}, headers=FORGERIES[forgery])
        assert answer.status_code == 403, address
    assert rows_of(app) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ISSUER, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null"},
        {"Origin": ISSUER},
        {},
    ],
)
def test_our_own_form_passes_as_browsers_send_it(client: FlaskClient, txn: str, headers: dict[str, str]) -> None:
    """Chromium sends `Origin: null` with a form of a page under `Referrer-Policy: no-referrer`."""
    page = ask(client)
    sent = {"csrf_token": token_in(page), "username": "rosa.delgado", "password": "wrong"}
    answer = client.post(f"/sign-in/{txn_of(page)}/password", data=sent, headers=headers)
    assert answer.status_code == 422


def test_a_dead_session_reaches_no_page_of_its_own(app: Flask, client: FlaskClient, txn: str) -> None:
    client.set_cookie(SESSION, "A" * 43, domain="credence.test", path="/", secure=True)
    for endpoint, address in addresses(app, txn, method="GET"):
        policy: Any = policy_of(endpoint)
        if policy is not None and policy.auth == "session":
            assert client.get(address).status_code in {303, 403, 404, 410, 400}, address


@pytest.mark.parametrize(
    "path",
    ["/.well-known/openid-federation", "/oauth/par", "/oauth/device", "/oauth/register", "/scim/v2/Users", "/api/x",
     "/dev/outbox"],
)  # fmt: skip
def test_what_later_releases_keep_is_not_there_yet(app: Flask, path: str) -> None:
    with app.test_request_context():
        adapter = app.url_map.bind("credence.test")
        assert not adapter.test(path, "GET")
