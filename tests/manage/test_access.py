"""*Who could act* for what a manager manages, and for nothing else; as a page and as a file (AU-06, AU-08, ST-13)."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.affiliations import service as affiliations
from idp.affiliations.standing import recording
from idp.audit.models import AuditEvent
from idp.foundation.database import writing
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence
from tests.affiliations.deciding.world import HERE, PORTAL, World
from tests.authenticators.browsing import press
from tests.console.staff_world import AUDITOR, enter_as, post, staff
from tests.manage.desks import at_desk

pytestmark = pytest.mark.both


@pytest.fixture
def world(make: Any, now: datetime) -> World:
    """Two practices: Lena manages the first as a whole; Iris and Oscar act for one each."""
    world = World(make, now)
    world.manager(make.subject("helen", given_name="Helen", family_name="Pace"), world.practice)
    other = make.provider("100200999", tin="981110001")
    for name, provider in (("=iris", world.provider), ("oscar", other)):
        person = make.subject(name.strip("="), given_name=name.capitalize(), family_name="Vale")
        with writing() as tx:
            affiliations.grant_affiliation(
                tx, subject_id=person.id, registry="heartland", kind=TargetKind.PROVIDER, target_id=provider.id,
                evidence={PORTAL: Evidence.LETTER}, levels={PORTAL: ("claims.inquiry",)}, now=now, actor=world.lena.id,
                origin=HERE,
            )  # fmt: skip
    with writing() as tx:
        recording.begin(tx, after=None, now=now)
    return world


def test_AU_08_a_manager_reads_who_could_act_for_their_own_practice_and_for_no_other(
    client: FlaskClient, world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    helen = at_desk(client, "helen")
    page = helen.get(f"/manage/{PORTAL}/{world.practice.id}/access")
    assert page.status_code == 200 and "=iris Vale" in page.text and "Oscar Vale" not in page.text
    lena = at_desk(new_browser(), "lena.ortiz")
    mine = lena.get(f"/manage/{PORTAL}/{world.provider.id}/access")
    assert "=iris Vale" in mine.text and "Helen Pace" not in mine.text, "a record's manager does not see the practice's"
    for target in (world.practice.id, make.practice("981119990").id):
        assert lena.get(f"/manage/{PORTAL}/{target}/access").status_code == 404
        assert post(lena, f"/manage/{PORTAL}/{target}/access/export", day="2026-03-02").status_code == 404


def test_ST_13_the_file_is_safe_to_open_and_its_taking_is_audited(client: FlaskClient, world: World, make: Any) -> None:
    helen = at_desk(client, "helen")
    address = f"/manage/{PORTAL}/{world.practice.id}/access"
    answer = press(helen, helen.get(address), f"{address}/export")
    assert answer.mimetype == "text/csv" and answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["name"] for row in rows} >= {"'=iris Vale", "Helen Pace", "Lena Ortiz"}
    assert {row["tin"] for row in rows} == {"**-***2223"} and "981112223" not in answer.text
    (taken,) = [row for row in make.rows(AuditEvent) if row.type == "audit_exported"]
    assert (taken.target_id, taken.details["what"]) == (str(world.practice.id), "access")


def test_an_auditor_asks_by_a_number_that_no_address_holds(client: FlaskClient, world: World, make: Any) -> None:
    edith = enter_as(client, make, staff(make, AUDITOR))
    address = "/console/access"
    asked = press(edith, edith.get(address), address, tin="98-1112223", day="2026-03-02")
    assert asked.status_code == 303 and "981112223" not in asked.location
    page = edith.get(asked.location)
    assert "=iris Vale" in page.text and "**-***2223" in page.text and "PIN letter" in page.text
    assert "981112223" not in page.text
    taken = press(edith, page, f"{address}/export")
    assert "'=iris Vale" in taken.text
    for wrong in ("900000001", "abc"):
        assert post(edith, address, tin=wrong, day="2026-03-02").status_code == 422
    assert post(edith, address, tin="981112223", day="soon").status_code == 422
    assert edith.get(f"{address}?practice={world.provider.id}&day=2026-03-02").status_code == 404


def test_AU_06_events_leave_as_a_file_that_no_spreadsheet_runs_and_that_is_audited(
    client: FlaskClient, world: World, make: Any
) -> None:
    edith = enter_as(client, make, staff(make, AUDITOR))
    wanted = {"subject": "", "target": str(world.provider.id), "event": "", "day": ""}
    as_json = post(edith, "/console/audit/export", **wanted, format="json")
    assert as_json.mimetype == "application/x-ndjson"
    assert all(str(world.provider.id) in line for line in as_json.text.splitlines())
    as_csv = list(csv.DictReader(io.StringIO(post(edith, "/console/audit/export", **wanted, format="csv").text)))
    assert {row["type"] for row in as_csv} == {"affiliation_made", "affiliation_stands"}
    assert not any(cell[:1] in "=+-@" for row in as_csv for cell in row.values() if cell)
    assert len([row for row in make.rows(AuditEvent) if row.type == "audit_exported"]) == 2
    assert (
        post(edith, "/console/audit/export", subject="", target="", event="", day="", format="csv").status_code == 400
    )
