"""`idp people invite`: the operator's invitation is the payer's word, and what is typed wrong changes nothing."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from idp.affiliations.invitations.cli import people
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.foundation import clock
from tests.affiliations.deciding.world import PORTAL, World
from tests.affiliations.invitations.test_inviter import MAILBOX, say_yes

GIVEN = {
    "email": MAILBOX, "given-name": "Second", "family-name": "Mailbox", "portal": PORTAL, "provider": "100200301",
    "level": "admin", "reason": "The owner called.",
}  # fmt: skip


@pytest.fixture
def world(app: Any, make: Any) -> World:
    world = World(make, clock.now())
    make.provider("100200301", practice=make.practice("981112224"), tin="981112224")
    return world


def run(*words: str, given: str | None = None, **changed: str | None) -> Result:
    named = {**GIVEN, **{name.replace("_", "-"): text for name, text in changed.items()}}
    options = [part for name, text in named.items() if text is not None for part in (f"--{name}", text)]
    return CliRunner().invoke(people, ["invite", *options, *words], input=given)


def test_MODEL_7_who_is_invited_where_nobody_manages_becomes_the_manager_by_the_payers_word(world: World) -> None:
    told = run("--json")
    assert told.exit_code == 0, told.output
    (row,) = world.make.rows(Invitation)
    assert json.loads(told.stdout)["invitation"] == str(row.id)
    assert (row.invited_by, row.evidence, list(row.levels)) == ("system", "payer", ["admin"])
    why = [each for each in world.make.rows(AuditEvent) if each.type == "member_helped"]
    assert [(each.actor, each.details["reason"]) for each in why] == [("system", "The owner called.")]
    say_yes(world, world.link("invitation"))
    (made,) = [each for each in world.make.rows(Affiliation) if each.target_id == row.target_id]
    assert (made.status, made.account_manager) == ("active", True)


def test_a_practice_is_named_by_its_tax_id_which_need_not_be_typed(world: World) -> None:
    assert run(provider=None, tin="-", given="981112224\n").exit_code == 0
    assert [row.target_kind for row in world.make.rows(Invitation)] == ["practice"]


@pytest.mark.parametrize(
    ("changed", "status", "told"),
    [
        ({"portal": "nowhere"}, 2, "there is no portal nowhere"),
        ({"provider": "999999999"}, 2, "lists no provider in force by that number"),
        ({"provider": None}, 2, "name one of --provider"),
        ({"tin": "981112224"}, 2, "name one of --provider"),
        ({"provider": None, "tin": "981119999"}, 2, "lists no practice"),
        ({"provider": None, "trading_partner": "TP1"}, 2, "acts for no trading partner"),
        ({"level": "root"}, 2, "claims.inquiry, claims.submit, admin"),
        ({"email": "nobody"}, 2, "name@example.com"),
        ({"reason": " "}, 2, "--reason says why"),
        ({"given_name": "n" * 81}, 2, "at most 80"),
        ({"provider": "100200300"}, 1, "It has an account manager"),
    ],
)
def test_MODEL_7_what_is_typed_wrong_or_not_the_payers_invites_nobody(
    world: World, changed: dict[str, str | None], status: int, told: str
) -> None:
    refused = run(**changed)
    assert refused.exit_code == status, refused.output
    assert told in refused.output
    assert world.make.rows(Invitation) == []
