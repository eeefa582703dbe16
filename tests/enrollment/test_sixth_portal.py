"""A sixth portal is a new manifest and no new code: planned, applied, and registered at to the end (PORTALS)."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from idp.affiliations.models import Affiliation
from idp.foundation import clock
from idp.foundation.origin import Origin
from idp.manifests import service
from idp.manifests.service import Outcome, Unfit
from idp.subjects.models import Subject
from tests.authenticators.browsing import post_form
from tests.enrollment.worlds import ACCOUNT, follow, link_of, mailed
from tests.factories import Make
from tests.manifests.test_rules import PORTAL

pytestmark = pytest.mark.both
START = "/enroll/sixth-portal/providers/"
ENROLLMENT = """
[agreement]
version = "3"
title = { en = "Terms of the sixth portal", es = "Condiciones del sexto portal" }

[enrollment.providers]
title = { en = "Join the sixth portal", es = "Unirse al sexto portal" }
steps = ["coverage", "find_provider", "create_account + agreement", "claim_practice", "verify_email", "confirmation"]

[enrollment.providers.options.create_account]
fields = ["user_id", "email", "password", "first_name", "last_name", "phone?"]
check_availability = true

[enrollment.providers.options.verify_email]
password = true
"""


def written(folder: Path, *, steps: str | None = None) -> Path:
    """The manifest beside its agreement, as an operator would lay it."""
    text = PORTAL.replace('accepts = "letter"', 'accepts = "directory"').replace(
        'scope = "openid provider_id entitlements"',
        'scope = "openid provider_id entitlements"\ninitiate_login_uri = "/sign-in"',
    )
    made = folder / "manifests"
    texts = made / "sixth-portal"
    texts.mkdir(parents=True)
    chosen = f"steps = {steps}\n"
    enrollment = ENROLLMENT if steps is None else ENROLLMENT.split("steps = ")[0] + chosen
    (made / "sixth-portal.toml").write_text(text + enrollment)
    for language in ("en", "es"):
        (texts / f"agreement-3.{language}.md").write_text("Be **kind** to records.\n")
    return made


def test_a_manifest_alone_makes_a_ceremony_to_its_end(client: FlaskClient, make: Make, tmp_path: Path) -> None:
    outcome = service.apply(written(tmp_path), now=clock.now(), origin=Origin.local("test"))
    assert isinstance(outcome, Outcome)
    provider = make.provider(
        registry_name="ozark", tin="970000123", zip_codes=["65801-1234"], programs="both", state="MO"
    )
    page = client.get(START)
    page = _send(client, page, program="medicaid", state="MO")
    page = post_form(client, page, "enroll-form", npi="1234567893", search="yes")
    assert page.status_code == 200 and str(provider.id) in page.text
    page = _send(client, page, provider=str(provider.id))
    typed = {name: ACCOUNT[name] for name in ("email", "password", "first_name", "last_name")}
    page = _send(client, page, **typed, user_id="june.harwood", agree="yes")
    refused = post_form(client, page, "enroll-form", tin="970000124", zip_code="65801")
    assert refused.status_code == 422 and make.rows(Subject) == []
    page = _send(client, page, tin="97-0000123", zip_code="65801")
    assert page.request.path.endswith("/verify-email")
    page = follow(client, post_form(client, client.get(link_of(make)), "link-form", password=ACCOUNT["password"]))
    assert 'data-outcome="active"' in page.text
    (affiliation,) = make.rows(Affiliation)
    assert (affiliation.target_id, affiliation.status, affiliation.account_manager) == (provider.id, "active", False)
    (told,) = mailed(make, "registration_confirmed")
    assert told["user_id"] == "june.harwood" and provider.provider_id not in str(told)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ('["associate_provider", "create_account", "verify_email"]', "associate_provider stands too early"),
        ('["create_account", "verify_email", "confirmation"]', "proves nobody to act for"),
        ('["find_provider", "create_account"]', "never proves the mailbox"),
    ],
)
def test_plan_refuses_an_order_that_makes_no_sense(make: Make, tmp_path: Path, steps: str, said: str) -> None:
    planned = service.plan(written(tmp_path, steps=steps), now=clock.now())
    reasons = [str(violation) for violation in planned.violations] if isinstance(planned, Unfit) else []
    assert any(said in reason for reason in reasons), reasons


def _send(client: FlaskClient, page, **typed: str):  # type: ignore[no-untyped-def]
    return follow(client, post_form(client, page, "enroll-form", **typed))
