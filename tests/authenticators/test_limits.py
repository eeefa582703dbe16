"""What bounds the guessing of codes: sign-in, account, browser, everybody; each outcome on record (MF-03, SI-09, D7)."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.audit.models import AuditEvent
from idp.authenticators.factors.budgets import ACCOUNT
from idp.foundation import house, limiter
from idp.foundation.database import writing
from idp.settings import Settings
from tests.authenticators.browsing import press
from tests.authenticators.second_factors import code_of, type_code
from tests.authenticators.test_remembered_devices import leave, remember, rosa  # noqa: F401
from tests.conftest import Hands
from tests.factories import Make
from tests.sign_in.visiting import come, send, step_of, walk

pytestmark = pytest.mark.both


def use_up(subject: Any, hands: Hands) -> None:
    """Somebody who knows the password has typed a hundred wrong codes: no time ends that."""
    with writing() as tx:
        for _ in range(ACCOUNT.ever or 0):
            limiter.reserve(tx, budget=ACCOUNT, key=subject.id, now=hands.now)
            hands.forward(minutes=2)
    hands.forward(days=2)


def test_MF_03_a_hundred_wrong_codes_end_all_guessing_and_SI_09_a_known_browser_still_enters(
    client: FlaskClient,
    new_browser: Any,
    hands: Hands,
    rosa: Any,  # noqa: F811
) -> None:
    subject, secret = rosa
    remember(client, secret, hands)
    use_up(subject, hands)
    stranger = new_browser()
    right = type_code(stranger, come(stranger), code_of(secret, hands.now))
    assert step_of(right) == "totp", "even the right code"
    done = type_code(client, come(client, prompt="login"), code_of(secret, hands.now))
    assert step_of(done) == "code", "a browser that was remembered has counters of its own"
    leave(client, hands)
    assert step_of(type_code(stranger, come(stranger), code_of(secret, hands.now))) == "code", "and who proved is free"


def test_MF_03_a_known_browser_is_counted_too(client: FlaskClient, hands: Hands, rosa: Any) -> None:  # noqa: F811
    _subject, secret = rosa
    remember(client, secret, hands)
    for _ in range(2):
        page = come(client, prompt="login")
        for _ in range(5):
            page = type_code(client, page, "000000")
    assert step_of(type_code(client, come(client, prompt="login"), code_of(secret, hands.now))) == "totp"


@pytest.fixture
def few_tries(app: Flask) -> Iterator[None]:
    settings = house.get(Settings)
    house.furnish(app, settings.model_copy(update={"tries_a_minute": 2}))
    yield
    house.furnish(app, settings)


def test_MF_03_everybody_together_is_braked_for_seconds(
    few_tries: None,
    client: FlaskClient,
    make: Make,
    hands: Hands,
    rosa: Any,  # noqa: F811
) -> None:
    page = come(client)
    for _ in range(2):
        page = type_code(client, page, "000000")
    page = type_code(client, page, code_of(rosa[1], hands.now))
    assert "Very many codes are being tried" in page.text
    assert "busy" in {each.outcome for each in make.rows(AuditEvent) if each.type == "sign_in_refused"}
    hands.forward(minutes=1)
    assert step_of(type_code(client, page, code_of(rosa[1], hands.now))) == "code"


@pytest.mark.parametrize("kind", ["totp", "email"])
def test_AU_07_a_wrong_code_at_set_up_is_on_record_and_its_digits_are_not(
    client: FlaskClient, make: Make, hands: Hands, kind: str
) -> None:
    subject = make.subject(user_id="ines.ortega")
    make.client("ozark-secure", mfa={"policy": "required", "kinds": ["totp", "email"]})
    make.affiliation(subject, make.provider(registry_name="ozark"), levels=(("ozark-secure", "admin"),))
    page = come(client, "ines.ortega")
    page = client.get(f"{page.request.path}/{kind}")
    page = walk(client, press(client, page, f"{page.request.path}/{'new' if kind == 'totp' else 'send'}"))
    form = "totp-form" if kind == "totp" else "code-form"
    for _ in range(6):
        page = send(client, page, form, code="918273")
    told = [(each.outcome, each.details) for each in make.rows(AuditEvent) if each.type == "factor_added"]
    assert [outcome for outcome, _ in told] == ["wrong_code"] * 5 + ["too_many_here"]
    assert all(details == {"kind": kind} for _, details in told)
    assert "918273" not in str([each.details for each in make.rows(AuditEvent)])
