"""Who may act for whom is judged in one place, and written in few: no page, API or token decides by itself (D5)."""

import ast
from functools import cache
from pathlib import Path
from typing import Final

import idp

_ROOT: Final = Path(idp.__file__).parent

MAKES_A_RIGHT: Final = {"affiliations/authority.py"}
"""`Acting` is the proven right to manage; every call made for a manager takes one."""
JUDGES: Final = {
    "affiliations/rules.py": "the rule of who acts and who manages (`status_at`, `blocked`, `manages_at`)",
    "affiliations/deciding/rules.py": "the rule of what a manager may do",
    "console/registrar/rules.py": "what the payer decides about claims",
    "affiliations/registering/rules.py": "what a proof becomes",
    "affiliations/bringing/rules.py": "what may be brought from another registry",
    "affiliations/uniting/rules.py": "what of two accounts' access is kept",
}
"""The pure modules whose word is taken; everybody else asks them."""
WRITES: Final = {
    "affiliations/service.py",
    "affiliations/asserting/writing.py",
    "affiliations/bringing/service.py",
    "affiliations/clerks/service.py",
    "affiliations/deciding/leveling.py",
    "affiliations/deciding/moving.py",
    "affiliations/deciding/service.py",
    "affiliations/deciding/undoing.py",
    "affiliations/dormancy/sweeping.py",
    "affiliations/invitations/effects.py",
    "affiliations/registering/sweeping.py",
    "affiliations/registering/writing.py",
    "affiliations/reviews/closing.py",
    "affiliations/roster/service.py",
    "affiliations/uniting/moving.py",
    "affiliations/uniting/service.py",
    "console/registrar/service.py",
    "account/closing/sweeping.py",
    "demo/loading.py",
    "provisioning/people/taking.py",
}
"""Where an affiliation is made or changed, each after a rule has judged; one more is a decision to be made here."""
_CHANGERS: Final = {"change_status", "grant_affiliation", "give_levels"}


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    paths = ((path.relative_to(_ROOT).as_posix(), path) for path in sorted(_ROOT.rglob("*.py")))
    return tuple(
        (name, ast.parse(path.read_text("utf-8"))) for name, path in paths if not name.startswith("migrations/")
    )


def calls(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    found.add(name)
    return found


def test_D5_only_the_authority_makes_the_right_to_act_for_others() -> None:
    makers = {name for name, tree in modules() if "Acting" in calls(tree)}
    assert makers == MAKES_A_RIGHT


def test_D5_access_changes_in_the_named_places_alone() -> None:
    writers = {name for name, tree in modules() if calls(tree) & (_CHANGERS | {"Affiliation", "HeldLevel"})}
    assert writers - WRITES == set()


def test_D5_no_page_api_or_token_weighs_a_state_of_access_by_itself() -> None:
    """Comparing with a status is judging: pages, tokens and ceremonies ask the rules instead."""
    asking = ("oidc/", "sign_in/", "consent/", "enrollment/", "federation/")
    weighing = {name for name, tree in modules() if any(_weighs(node) for node in ast.walk(tree))}
    assert {name for name in weighing if name.endswith("views.py") or name.startswith(asking)} == set()
    assert weighing, "the test sees comparisons where they are"


def _weighs(node: ast.AST) -> bool:
    """A comparison with a member of `AffiliationStatus`."""
    if not isinstance(node, ast.Compare):
        return False
    return any(
        isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "AffiliationStatus"
        for side in (node.left, *node.comparators)
        for part in ast.walk(side)
    )


def test_the_rules_that_judge_are_there_and_pure() -> None:
    known = {name for name, _tree in modules()}
    assert JUDGES.keys() <= known
    for name, tree in modules():
        if name in JUDGES:
            imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            assert not any(module and module.startswith(("flask", "sqlalchemy")) for module in imported), name
