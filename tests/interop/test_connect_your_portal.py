"""docs/connect-your-portal.md says what is so: its client is the one that signs in, its claims are those of the scope table."""

import importlib.util
from pathlib import Path

from idp.oidc.scope_table import SCOPES
from tests.interop.relying_parties import PEERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/connect-your-portal.md").read_text("utf-8")


def test_the_client_shown_is_the_one_that_signs_in() -> None:
    shown = PAGE.partition("```python\n")[2].partition("```")[0]
    assert shown == (PEERS / "authlib-flask/app.py").read_text("utf-8")
    assert len([line for line in shown.splitlines() if line]) <= 30


def test_the_claims_shown_are_those_of_the_scope_table() -> None:
    spec = importlib.util.spec_from_file_location("claims_tool", ROOT / "tools/claims.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.written(PAGE) == PAGE, "python tools/claims.py"
    explained = {claim for scope, claims in SCOPES.items() for claim in claims if scope != "profile"}
    assert explained <= set(tool.MEANINGS)
