"""Relying parties, keys, outbox, audit and counters in the console (TK-16, AU-06, AU-08, AD-15, AD-24; MODEL §7)."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.reviews.models import AccessReview
from idp.audit import service as audit
from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.foundation import house
from idp.foundation.artefacts import digest_of
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.keyring import rotation
from idp.messaging.models import OutboxMessage
from idp.relying_parties.models import Client, ClientSecret
from idp.settings import Settings
from tests.authenticators.browsing import post_form, press
from tests.console.staff_world import ADMINISTRATOR, AUDITOR, REGISTRAR, enter_as, post, staff
from tests.factories import Make
from tests.factories.keys import write_keys
from tests.messaging.letters import owe

pytestmark = pytest.mark.both
PARTY = "/console/relying-parties/ozark-secure"
SEED = ("<script>alert(1)</script>", ";alert(1)//", "</xmp><script>alert(1)</script>")


@pytest.fixture
def ana(client: FlaskClient, make: Make) -> FlaskClient:
    make.client()
    return enter_as(client, make, staff(make, ADMINISTRATOR))


@pytest.fixture
def edith(client: FlaskClient, make: Make) -> FlaskClient:
    return enter_as(client, make, staff(make, AUDITOR))


def events(make: Make, kind: Event) -> list[AuditEvent]:
    return [row for row in make.rows(AuditEvent) if row.type == kind.value]


def test_a_relying_party_is_read_switched_off_and_on(ana: FlaskClient, make: Make) -> None:
    assert "ozark-secure of the tests" in ana.get("/console/relying-parties").text
    assert "https://ozark-secure.test/callback" in ana.get(PARTY).text
    assert press(ana, ana.get(f"{PARTY}/disable"), f"{PARTY}/disable").location == f"{PARTY}?done=disabled"
    assert make.row(Client, "ozark-secure").enabled is False
    assert post(ana, f"{PARTY}/disable").status_code == 409
    assert press(ana, ana.get(PARTY), f"{PARTY}/enable").location == f"{PARTY}?done=enabled"
    assert make.row(Client, "ozark-secure").enabled is True
    told = [*events(make, Event.CLIENT_DISABLED), *events(make, Event.CLIENT_ENABLED)]
    assert len(told) == 2 and all(event.actor.startswith("staff:") for event in told)


def test_TK_16_a_new_secret_is_shown_once_and_the_former_one_works_a_day_longer(ana: FlaskClient, make: Make) -> None:
    made = press(ana, ana.get(f"{PARTY}/secret"), f"{PARTY}/secret")
    secret = made.text.split('id="secret">', 1)[1].split("<", 1)[0]
    assert made.headers["Cache-Control"] == "no-store"
    rows = {bytes(row.digest): row.expires_at for row in make.rows(ClientSecret)}
    assert rows[digest_of(secret)] is None
    assert set(rows.values()) == {None, make.now + timedelta(hours=24)}
    assert secret not in ana.get(PARTY).text
    (event,) = events(make, Event.CLIENT_SECRET_CREATED)
    assert secret not in str(event.details)


def test_an_auditor_reads_the_system_and_changes_nothing(edith: FlaskClient, make: Make) -> None:
    make.client()
    for path in ("/console/relying-parties", PARTY, "/console/keys", "/console/outbox"):
        assert edith.get(path).status_code == 200, path
    for path in (f"{PARTY}/disable", f"{PARTY}/secret", "/console/keys/signing/rotate", "/console/outbox/retry"):
        assert post(edith, path).status_code == 403, path
    assert "party-disable" not in edith.get(PARTY).text
    assert make.row(Client, "ozark-secure").enabled is True


def test_an_unknown_relying_party_is_a_404(ana: FlaskClient) -> None:
    assert ana.get("/console/relying-parties/nobody").status_code == 404
    assert post(ana, "/console/relying-parties/nobody/secret").status_code == 404


@pytest.fixture
def folder(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keys' folder of this test's own, which the pages read and move."""
    path = write_keys(tmp_path / "keys")
    changed = house.get(Settings).model_copy(update={"keys_dir": path})
    monkeypatch.setitem(app.extensions["credence"], Settings, changed)
    return path


def test_keys_are_rotated_after_the_audit_was_told_and_no_secret_is_shown(
    ana: FlaskClient, make: Make, folder: Path
) -> None:
    rotation.create(folder, now=make.now - timedelta(minutes=2))
    before = {file.kid for file in rotation.listed(folder)}
    page = ana.get("/console/keys")
    assert all(kid in page.text for kid in before)
    for path in folder.rglob("*.jwk"):
        for member in ('"d":', '"k":'):
            text = path.read_text()
            if member in text:
                assert text.split(member, 1)[1].split('"')[1] not in page.text
    asked = ana.get("/console/keys/signing/rotate")
    assert press(ana, asked, "/console/keys/signing/rotate").location == "/console/keys?done=rotated"
    assert {file.kid for file in rotation.listed(folder)} > before
    (event,) = events(make, Event.KEYS_ROTATED)
    assert event.actor.startswith("staff:") and "created" in event.details
    again = post(ana, "/console/keys/signing/rotate")
    assert again.status_code == 409 and "younger than a minute" in again.text
    assert post(ana, "/console/keys/index/rotate").status_code == 404


def test_a_folder_that_cannot_be_read_says_who_helps(ana: FlaskClient, folder: Path) -> None:
    for path in folder.rglob("*.jwk"):
        path.write_text("{")
    assert "idp keys rotate" in ana.get("/console/keys").text
    assert post(ana, "/console/keys/vault/rotate").status_code == 409


def test_the_outbox_shows_what_waits_and_nothing_of_what_it_says(ana: FlaskClient, make: Make) -> None:
    identity = owe(make.now)
    with writing() as tx:
        row = tx.get(OutboxMessage, identity)
        assert row is not None
        row.due_at, row.attempts, row.last_error = make.now + timedelta(hours=1), 3, "refused by the server"
    page = ana.get("/console/outbox")
    assert "password_reset" in page.text and "refused by the server" in page.text
    assert "rosa@practice.test" not in page.text
    assert press(ana, page, f"/console/outbox/{identity}/retry").status_code == 303
    assert make.row(OutboxMessage, identity).due_at == make.now
    assert post(ana, f"/console/outbox/{identity}/retry").status_code == 404
    assert post(ana, f"/console/outbox/{uuid4()}/retry").status_code == 404
    assert [event.details["count"] for event in events(make, Event.MESSAGES_RETRIED)] == [1]


def test_dead_messages_stay_dead(ana: FlaskClient, make: Make) -> None:
    identity = owe(make.now)
    with writing() as tx:
        row = tx.get(OutboxMessage, identity)
        assert row is not None
        row.done_at, row.outcome, row.payload_sealed = make.now, "dead", None
    page = ana.get("/console/outbox?state=dead")
    assert "password_reset" in page.text and f"{identity}/retry" not in page.text
    assert post(ana, f"/console/outbox/{identity}/retry").status_code == 404


def tell(make: Make, what: Event = Event.AFFILIATION_CHANGED, **more: Any) -> None:
    values: dict[str, Any] = {
        "now": make.now, "actor": "system", "origin": Origin("192.0.2.7", "r", session_digest="abcdef0123456789"),
    }  # fmt: skip
    with writing() as tx:
        audit.append(tx, what, **(values | more))


def test_AU_06_the_audit_is_found_by_person_with_before_and_after(edith: FlaskClient, make: Make) -> None:
    rosa, other = make.subject("rosa.delgado"), make.subject("ines.ortega", given_name="Ines", family_name="Ortega")
    target = uuid4()
    tell(make, subject_id=rosa.id, target_kind="practice", target_id=target,
         details={"before": "active", "after": "disabled", "act": "disable"})  # fmt: skip
    tell(make, Event.CONSENT_GIVEN, subject_id=other.id, details={"before": ["a"], "after": ["a", "b"]})
    page = edith.get("/console/audit")
    found = post_form(edith, page, "audit-form", person="rosa.delgado", target="", event="", day="")
    assert found.location == f"/console/audit?subject={rosa.id}"
    shown = edith.get(found.location).text
    for words in ("active → disabled", "Rosa Delgado", "192.0.2.7", str(target), "act: disable", "abcdef01"):
        assert words in shown, words
    assert "Ines Ortega" not in shown
    assert "active → disabled" in edith.get(f"/console/audit?target={target}").text
    assert "a → a, b" in edith.get("/console/audit?event=consent_given").text


def test_the_audit_is_found_by_day(edith: FlaskClient, make: Make) -> None:
    tell(make, details={"note": "today"})
    tell(make, now=make.now - timedelta(days=1), details={"note": "yesterday"})
    both = edith.get("/console/audit?event=affiliation_changed").text
    assert "note: today" in both and "note: yesterday" in both
    one = edith.get("/console/audit?event=affiliation_changed&day=2026-03-01").text
    assert "note: yesterday" in one and "note: today" not in one


def test_the_audit_is_paged_by_key_newest_first(edith: FlaskClient, make: Make) -> None:
    for number in range(51):
        tell(make, details={"note": f"n{number:03}."})
    first = edith.get("/console/audit?event=affiliation_changed").text
    assert "note: n050." in first and "note: n001." in first and "note: n000." not in first
    link = first.split("after=", 1)[1].split('"', 1)[0].replace("&amp;", "&")
    second = edith.get("/console/audit?event=affiliation_changed&after=" + link).text
    assert "note: n000." in second and "note: n001." not in second


@pytest.mark.parametrize("query", ["subject=' OR 1=1", "event=x", "day=2026-99-99", "after=x", "target=%25",
                                   f"event=signed_in&after=2026-03-02T12:00:00_{UUID(int=1)}"])  # fmt: skip
def test_AD_24_forged_parameters_show_nothing_more(edith: FlaskClient, make: Make, query: str) -> None:
    tell(make, details={"note": "secretive"})
    answer = edith.get(f"/console/audit?{query}")
    assert answer.status_code == 200
    assert "secretive" not in answer.text


def test_AD_15_everything_in_the_audit_is_text(edith: FlaskClient, make: Make) -> None:
    for words in SEED:
        tell(make, Event.MEMBER_COMMENTED, details={"note": words, "before": words, "after": words})
    page = edith.get("/console/audit?event=member_commented").text
    assert "<script>alert(1)" not in page and "</xmp>" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6


def test_AU_08_nobody_but_the_auditor_reads_the_audit(client: FlaskClient, make: Make) -> None:
    for role in (REGISTRAR, ADMINISTRATOR):
        enter_as(client, make, staff(make, role))
        assert client.get("/console/audit?event=signed_in").status_code == 403


def test_a_search_says_what_it_lacks(edith: FlaskClient) -> None:
    page = edith.get("/console/audit")
    assert "Name a person" in post_form(edith, page, "audit-form", person="", target="", event="", day="").text
    assert "Nobody has" in post_form(edith, page, "audit-form", person="nobody.here").text
    assert post_form(edith, page, "audit-form", day="soon").status_code == 422
    assert post_form(edith, page, "audit-form", event="made_up").status_code == 400
    assert post_form(edith, page, "audit-form", person="a", stream="1").status_code == 400


def test_the_overview_counts_what_waits(ana: FlaskClient, make: Make) -> None:
    practice = make.practice()
    make.affiliation(make.subject(), practice, status="verification_pending", activated_at=None)
    for number, escalated in enumerate((make.now, None, None)):
        make._save(AccessRequest(
            portal="ozark-secure", registry_name="ozark", target_kind="practice", target_id=practice.id,
            practice_id=practice.id, email="a@b.test", email_key=f"{number}@b.test", given_name="A", family_name="B",
            position="", extension="", reason="", locale="en", zoneinfo="UTC", status="pending",
            submitted_at=make.now, escalated_at=escalated, reminders=0,
        ))  # fmt: skip
    make._save(AccessReview(
        portal="ozark-secure", registry_name="ozark", target_kind="practice", target_id=practice.id,
        opened_at=make.now - timedelta(days=31), due_at=make.now - timedelta(days=1),
    ))  # fmt: skip
    tell(make, Event.SIGN_IN_REFUSED, outcome="wrong_password")
    tell(make, Event.SIGN_IN_REFUSED, outcome="wrong_password", now=make.now - timedelta(hours=25))
    owe(make.now)
    page = ana.get("/console/").text
    pairs = {words: int(number) for number, words in re.findall(
        r'<b class="count num[^"]*">(\d+)</b> <span class="muted">([^<]+)', page)}  # fmt: skip
    assert pairs == {
        "verifications pending": 1, "open requests": 3, "of them for a registrar": 1,
        "access reviews not confirmed in time": 1,
        "failed sign-ins in 24 hours": 1, "messages waiting": 1, "messages given up": 0,
    }  # fmt: skip
