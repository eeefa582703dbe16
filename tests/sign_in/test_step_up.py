"""Step-up as a portal asks for it: `acr_values` and `max_age` of its own demand, answered by the provider (RFC 9470)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from clients.portal.step_up import PAYMENTS
from tests.authenticators.second_factors import code_of, type_code
from tests.authenticators.test_remembered_devices import remember, rosa  # noqa: F401
from tests.conftest import Hands
from tests.factories import Make
from tests.oidc.flow import Flow, Registered, payload_of, query_of
from tests.sign_in.visiting import ask, come, step_of

pytestmark = pytest.mark.both


def told(client: FlaskClient, page: Any) -> dict[str, Any]:
    """The ID token of the code that this page is."""
    assert step_of(page) == "code", step_of(page)
    answer = Flow(client, Registered("ozark-secure")).exchange(query_of(page.location)["code"][0])
    return dict(payload_of(answer.json["id_token"]))


def test_RFC_9470_a_portals_demand_leads_to_the_factor_that_a_remembered_browser_was_spared(
    client: FlaskClient,
    hands: Hands,
    rosa: Any,  # noqa: F811
) -> None:
    remember(client, rosa[1], hands)
    claims = told(client, come(client))
    assert (claims["acr"], claims["amr"]) == ("aal1", ["pwd"])
    assert not PAYMENTS.is_met(claims, now=hands.now)
    page = ask(client, **PAYMENTS.asked)
    assert step_of(page) == "totp", "the session is fresh, so the factor alone is asked"
    claims = told(client, type_code(client, page, code_of(rosa[1], hands.now)))
    assert (claims["acr"], claims["amr"]) == ("aal2", ["pwd", "otp", "mfa"])
    assert PAYMENTS.is_met(claims, now=hands.now)
    assert PAYMENTS.is_met(told(client, ask(client, **PAYMENTS.asked)), now=hands.now), "and is not asked again"
    hands.forward(minutes=15)
    assert step_of(ask(client, **PAYMENTS.asked)) == "password", "max_age asks about all of the sign-in"


def test_RFC_9470_who_holds_nothing_is_answered_the_truth(client: FlaskClient, make: Make, hands: Hands) -> None:
    make.client("ozark-secure")
    ines = make.subject(user_id="ines.ortega")
    make.affiliation(ines, make.provider(registry_name="ozark"), levels=(("ozark-secure", "admin"),))
    claims = told(client, come(client, "ines.ortega", **PAYMENTS.asked))
    assert claims["acr"] == "aal1"
    assert not PAYMENTS.is_met(claims, now=hands.now)


def test_the_discovery_document_names_every_class(client: FlaskClient, make: Make) -> None:
    document = client.get("/.well-known/openid-configuration").json
    assert document["acr_values_supported"] == ["aal1", "aal2", "aal3", "phr", "phrh"]
