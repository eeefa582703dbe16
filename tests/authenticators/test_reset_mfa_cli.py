"""`idp people reset-mfa` starts and confirms, and removes nothing (RC-22, DESIGN §7)."""

import json
from typing import Any

import pytest
from flask import Flask

from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.lost_factors.cli import people
from idp.authenticators.lost_factors.models import FactorRecovery
from tests.factories import Make

pytestmark = pytest.mark.both


def run(app: Flask, *words: str) -> Any:
    return app.test_cli_runner().invoke(people, ["reset-mfa", *words])


def test_RC_22_an_administrator_starts_and_confirms_and_removes_nothing(app: Flask, make: Make) -> None:
    subject = make.subject("rosa.delgado")
    assert run(app, "rosa.delgado", "--reason", "called").exit_code == 1, "nothing is held"
    make.totp(subject)
    assert run(app, "rosa.delgado", "--reason", "saw her", "--confirm").exit_code == 1, "nothing is under way"
    told = json.loads(run(app, "ROSA.Delgado", "--reason", "called", "--json").output)
    assert (told["subject_id"], told["opens_at"][:10]) == (subject.id, "2026-03-05")
    assert run(app, subject.id, "--reason", "again").exit_code == 1
    assert run(app, "rosa.delgado@mail.test", "--reason", "saw her licence", "--confirm").exit_code == 0
    (row,) = make.rows(FactorRecovery)
    assert (row.started_by, row.evidence, row.ended_at) == ("administrator", "payer", None)
    assert len(make.rows(HeldFactor)) == 1
    notes = {each.details.get("note") for each in make.rows(AuditEvent) if each.type.startswith("factor_recovery")}
    assert {"called", "saw her licence"} <= notes
    assert run(app, "nobody.here", "--reason", "x").exit_code == 1
