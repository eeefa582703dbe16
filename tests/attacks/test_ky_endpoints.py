# ruff: noqa: F811 - fixtures are imported, and asked for by name
"""KY at the endpoints: each kind of token at each other consumer, and tokens of a megabyte (SECURITY §4)."""

import pytest

from tests.attacks import invariants
from tests.attacks.scene import CALLBACK, PORTAL, SESSION, VERIFIER, Scene, scene  # noqa: F401 - a fixture

KINDS = ("access_token", "id_token", "refresh_token", "code", "session")
CONSUMERS = ("userinfo", "introspect", "code", "refresh", "logout", "session", "hint")
TAKES = {
    ("access_token", "userinfo"), ("access_token", "introspect"), ("refresh_token", "introspect"), ("code", "code"),
    ("refresh_token", "refresh"), ("id_token", "logout"), ("session", "session"),
}  # fmt: skip


def tokens_of(scene: Scene) -> dict[str, str]:
    """One of each kind, all good, none used."""
    browser = scene.browser()
    held = scene.exchange(scene.sign_in_at(browser)).get_json()
    fresh = scene.sign_in_at(browser)
    cookie = browser.cookie(SESSION)
    assert cookie is not None
    return {name: held[name] for name in KINDS[:3]} | {"code": fresh, "session": cookie}


def takes(scene: Scene, consumer: str, token: str) -> bool:
    """Whether that consumer accepts this text as its own kind."""
    if consumer == "userinfo":
        return scene.userinfo(token).status_code == 200
    if consumer == "introspect":
        return bool(scene.introspect(token)["active"])
    if consumer == "code":
        return scene.exchange(token).status_code == 200
    if consumer == "refresh":
        return scene.refresh(token).status_code == 200
    if consumer == "logout":
        return scene.browser().get("/oauth/logout", query_string={"id_token_hint": token}).status_code != 400
    browser = scene.browser()
    if consumer == "session":
        browser.plant(SESSION, token)
        return browser.get("/account/").status_code == 200
    answer = browser.get(scene.request(id_token_hint=token, prompt="none"))
    return "code=" in answer.headers.get("Location", "")


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_KY_08_every_consumer_takes_only_its_own_kind(scene: Scene, consumer: str) -> None:
    held = tokens_of(scene)
    taken = {kind for kind in KINDS if takes(scene, consumer, held[kind])}
    assert taken == {kind for kind, place in TAKES if place == consumer}
    invariants.hold()


@pytest.mark.parametrize("size", [20_000, 1_000_000])
def test_KY_17_a_huge_token_is_refused_at_every_endpoint(scene: Scene, size: int) -> None:
    huge = "CNRY-" + "A" * size
    browser = scene.browser()
    bearer = browser.get("/oauth/userinfo", headers={"Authorization": f"Bearer {huge}"})
    assert bearer.status_code in {401, 431}
    for path, body in (
        ("/oauth/token", {"grant_type": "refresh_token", "refresh_token": huge}),
        (
            "/oauth/token",
            {"grant_type": "authorization_code", "code": huge, "redirect_uri": CALLBACK, "code_verifier": VERIFIER},
        ),
        ("/oauth/userinfo", {"access_token": huge}),
    ):
        assert scene.call(path, body).status_code in {400, 401, 413}
    told = scene.call("/oauth/introspect", {"token": huge})
    assert told.status_code == 413 or told.get_json() == {"active": False}
    hinted = browser.get("/oauth/logout", query_string={"id_token_hint": huge, "client_id": PORTAL})
    assert hinted.status_code in {400, 414}
    invariants.keeps_secret(invariants.dump_database(), ["CNRY-AAAA"])
