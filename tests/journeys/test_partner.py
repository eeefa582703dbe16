"""X3: a partner app gets scoped tokens by the person's consent, and by itself only for whom it is approved."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.demo import PARTNER, ROOT, Demo
from tests.journeys.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
APPROVED, NOT_APPROVED = "604417290", "048215"


def command(demo: Demo, *arguments: str) -> tuple[int, dict[str, object]]:
    """The partner's command line, against the running demo."""
    key = {"PORTAL_CLIENT_KEY_FILE": str(demo.data_dir / f"clients/{PARTNER}.jwk")}
    line = [sys.executable, "-m", "clients.partner", "--issuer", demo.issuer, "--base-url", demo.partner, *arguments]
    done = subprocess.run(line, cwd=ROOT, env=os.environ | key, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, json.loads(done.stdout or "{}")


def test_X3_a_person_consents_and_takes_it_back(person: Callable[..., Person]) -> None:
    rosa = person("nadia.petrov")
    app = rosa.at(PARTNER)
    app.page.goto(f"{app.base}/connect")
    rosa.type_password(app)
    expect(app.page.locator("#consent-allow")).to_be_visible()
    expect(app.page.locator("#consent-deny")).to_be_visible()
    rosa.finish(app)
    expect(app.page.locator("main")).to_contain_text("Connected")
    told = app.me
    assert told is not None
    assert told["userinfo"]["provider_id"] == told["access_token"]["payload"]["provider_id"]
    portal = rosa.at("cascade-mmis")
    rosa.enter(portal)
    assert portal.me is not None
    assert portal.me["id_token"]["sub"] != told["id_token"]["sub"], "a third party sees a subject of its own"
    app.page.goto(app.base)
    app.page.locator("#disconnect").click()
    assert app.me is None


def test_X3_saying_no_shares_nothing(person: Callable[..., Person]) -> None:
    otis = person("otis.kramer")
    app = otis.at(PARTNER)
    app.page.goto(f"{app.base}/connect")
    otis.type_password(app)
    app.page.locator("#consent-deny").click()
    expect(app.page.locator("#error")).to_contain_text("said no")
    assert app.me is None


def test_X3_by_itself_it_is_answered_for_the_approved_provider(demo: Demo) -> None:
    code, answer = command(demo, "claims", "--provider-id", APPROVED)
    assert (code, answer["provider_id"]) == (0, APPROVED)
    code, answer = command(demo, "token", "--provider-id", APPROVED)
    assert code == 0
    assert isinstance(answer["content"], dict)
    assert answer["content"]["payload"]["sub"] == PARTNER


def test_X3_by_itself_it_is_refused_for_others(demo: Demo) -> None:
    code, answer = command(demo, "claims", "--provider-id", NOT_APPROVED)
    assert code == 1
    assert answer["error"] in ("invalid_scope", "access_denied")
