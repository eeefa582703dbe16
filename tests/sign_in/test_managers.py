"""Whether somebody is a manager for `mfa.policy = "managers"` is the portal's to say, not the registry's (MODEL §1, §3)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories import Make
from tests.sign_in.visiting import come, step_of

pytestmark = pytest.mark.both


@pytest.mark.parametrize(("evidence", "changed", "step"), [
    ("payer", {}, "set-up-mfa"),
    ("payer", {"account_manager": False}, "code"),
    ("letter", {}, "code"),
    ("payer", {"status": "disabled"}, "code"),
])  # fmt: skip
def test_ruling_2_a_portal_asks_those_whom_it_accepts_as_managers(
    client: FlaskClient, make: Make, evidence: str, changed: dict[str, Any], step: str
) -> None:
    """The same mark is enough at a portal that accepts a letter of its managers, and not where the payer's word is asked."""
    make.client("ozark-secure", mfa={"policy": "managers"}, portal={"accepts_for_manager": "payer"})
    rosa = make.subject("rosa.delgado")
    levels = (("ozark-secure", "claims.inquiry"),)
    make.affiliation(rosa, make.provider(registry_name="ozark"), levels=levels)
    marked: dict[str, Any] = {"account_manager": True, "evidence": evidence, "levels": levels} | changed
    practice = make.practice("431234567")
    make.provider(registry_name="ozark", practice=practice, tin="431234567")
    make.affiliation(rosa, practice, **marked)
    page = come(client)
    assert step_of(page) in ({step, "choose"} if step == "code" else {step})


def test_ruling_2_a_manager_by_a_letter_is_one_where_a_letter_is_enough(client: FlaskClient, make: Make) -> None:
    make.client("ozark-secure", mfa={"policy": "managers"}, portal={"accepts_for_manager": "letter"})
    rosa = make.subject("rosa.delgado")
    make.affiliation(
        rosa, make.provider(registry_name="ozark"), account_manager=True, levels=(("ozark-secure", "admin"),)
    )
    assert step_of(come(client)) == "set-up-mfa"
