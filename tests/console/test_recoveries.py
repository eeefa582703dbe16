"""Staff only start a recovery of lost factors, and another one of them says that the evidence was seen (RC-22, MODEL §7)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.lost_factors.models import FactorRecovery
from idp.messaging.models import OutboxMessage
from tests.authenticators.browsing import press
from tests.console.staff_world import HELP_DESK, REGISTRAR, enter_as, post, staff
from tests.console.test_help_desk import events, open_case, rosa  # noqa: F401
from tests.factories import Make

pytestmark = pytest.mark.both


def started_by_help_desk(client: FlaskClient, make: Make) -> str:
    """A checked caller, and recovery started; the address of the case."""
    enter_as(client, make, staff(make, HELP_DESK, REGISTRAR))
    case = str(open_case(client).location)
    page = client.get(case)
    assert "case-recover-factors" not in page.text, "not before the caller was checked"
    press(client, page, f"{case}/check", email="rosa.delgado@northlake.test", number="100200300")
    answer = press(client, client.get(case), f"{case}/recover-factors")
    assert answer.status_code == 303
    return case


def test_RC_22_the_help_desk_starts_and_a_registrar_confirms_what_they_saw(
    client: FlaskClient,
    new_browser: Any,
    make: Make,
    rosa: Any,  # noqa: F811
) -> None:
    case = started_by_help_desk(client, make)
    assert press(client, client.get(case), f"{case}/recover-factors").status_code == 422, "one at a time"
    (row,) = make.rows(FactorRecovery)
    assert (row.started_by, row.evidence, row.ended_at) == ("help_desk", None, None)
    address = f"/console/recoveries/{row.id}/confirm"
    page = client.get("/console/recoveries")
    assert press(client, page, address, note="I saw it").status_code == 422, "not whoever started it"
    nora = enter_as(new_browser(), make, staff(make, REGISTRAR, login="nora.whitlock"))
    page = nora.get("/console/recoveries")
    assert "Rosa Delgado" in page.text
    assert "rosa.delgado@northlake.test" not in page.text
    assert press(nora, page, address, note=" ").status_code == 422
    assert press(nora, page, address, note="Licence and call back").status_code == 303
    assert make.row(FactorRecovery, row.id).evidence == "payer"
    assert [each.kind for each in make.rows(HeldFactor) if each.subject_id == rosa.id] == ["totp"]
    assert "Nobody waits" in nora.get("/console/recoveries").text
    outcomes = [(each.type, each.outcome) for each in make.rows(AuditEvent) if each.type.startswith("factor_recovery")]
    assert sorted(outcomes) == sorted([
        ("factor_recovery_started", "ok"),
        ("factor_recovery_started", "under_way"),
        ("factor_recovery_confirmed", "same_person"),
        ("factor_recovery_confirmed", "no_note"),
        ("factor_recovery_confirmed", "ok"),
    ])  # fmt: skip
    (seen,) = [each for each in events(make, "factor_recovery_confirmed") if each.outcome == "ok"]
    assert seen.details == {"note": "Licence and call back"}


def test_RC_22_a_registrar_ends_it_where_the_evidence_is_not_enough(
    client: FlaskClient,
    new_browser: Any,
    make: Make,
    rosa: Any,  # noqa: F811
) -> None:
    started_by_help_desk(client, make)
    (row,) = make.rows(FactorRecovery)
    nora = enter_as(new_browser(), make, staff(make, REGISTRAR, login="nora.whitlock"))
    refuse = f"/console/recoveries/{row.id}/refuse"
    assert f'formaction="{refuse}"' in nora.get("/console/recoveries").text
    assert post(nora, refuse, note="").status_code == 422
    answer = post(nora, refuse, note="Could not name the practice")
    assert answer.status_code == 303
    assert make.row(FactorRecovery, row.id).outcome == "refused"
    assert "factor_recovery_stopped" in {each.notice for each in make.rows(OutboxMessage)}
