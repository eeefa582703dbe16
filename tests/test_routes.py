"""Every route declares what protects it, and only the few of ruling 13 may write on a GET."""

from typing import Final

import pytest
from flask import Flask

from idp.foundation.front_door import BUCKETS, policy_of

GETS_THAT_MAY_WRITE: Final = {
    "oidc.authorize",
    "oidc.answer",
    "oidc.end_session",
    "oidc.confirm_logout",
    "sign_in.resume",
    "sign_in.own",
}
"""SECURITY ruling 13: they park a request or finish one; nothing that a person owns changes."""


def endpoints(app: Flask) -> list[str]:
    return sorted({rule.endpoint for rule in app.url_map.iter_rules()} - {"static"})


def test_every_route_declares_its_policy(app: Flask) -> None:
    assert [endpoint for endpoint in endpoints(app) if policy_of(endpoint) is None] == []


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


@pytest.mark.parametrize(
    "path",
    ["/.well-known/openid-federation", "/oauth/par", "/oauth/device", "/oauth/register", "/scim/v2/Users", "/api/x",
     "/dev/outbox"],
)  # fmt: skip
def test_what_later_releases_keep_is_not_there_yet(app: Flask, path: str) -> None:
    with app.test_request_context():
        adapter = app.url_map.bind("credence.test")
        assert not adapter.test(path, "GET")
