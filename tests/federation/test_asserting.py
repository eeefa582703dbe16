"""Access that a connection asserts for named practices: given, changed and taken back at sign-ins; attacks on it (FE-11)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.audit.models import AuditEvent
from idp.directory.models import Practice
from idp.federation import asserting, trials
from idp.federation.connections import facts as connections
from idp.federation.connections.models import AppliedConnection
from idp.federation.models import UpstreamLink
from idp.foundation.database import reading, see_as, writing
from idp.foundation.origin import Origin
from idp.manifests.connections import service as applying
from idp.messaging.models import OutboxMessage
from tests.authenticators.browsing import follow, press
from tests.console.staff_world import ADMINISTRATOR, enter_as, staff
from tests.federation.conftest import World, connection_of
from tests.federation.upstream import ISSUER

pytestmark = pytest.mark.both

TIN, OTHER = "98-1112223", "98-4445556"
PORTAL = "carebridge"


def table(**changed: Any) -> dict[str, Any]:
    usual = {
        "portal": PORTAL, "tins": [TIN], "claim": "groups", "kind": "payer",
        "levels": {"billing": ["claims.inquiry"], "front desk": ["eligibility.inquiry"]},
    }  # fmt: skip
    return usual | changed


@pytest.fixture
def hospital(world: World) -> World:
    """The hospital's practice, another practice, and Rosa, who is linked."""
    names = {key: {"en": key, "es": key} for key in ("claims.inquiry", "eligibility.inquiry", "administrator")}
    levels = [{"key": key, "label": label, "manages": key == "administrator"} for key, label in names.items()]
    world.make.client(PORTAL, portal={"acting_for": ["practice"], "accepts": "directory"}, levels=levels)
    for tin in (TIN, OTHER):
        practice = world.make.practice(tin)
        world.make.provider(None, practice=practice, tin=tin, registry_name="ozark")
    world.link(world.rosa)
    world.upstream.claims |= {"groups": ["billing"]}
    return world


def asserts(world: World, *tables: dict[str, Any], **changed: Any) -> None:
    """The connection's file says this from now on, without the plan that would take access back."""
    with writing() as tx:
        row = update(AppliedConnection).where(AppliedConnection.name == "saint-anne")
        document = connection_of("saint-anne", asserts=list(tables), portals=["ozark-secure", PORTAL], **changed)
        tx.execute(row.values(document=document, version=AppliedConnection.version + 1))


def access(world: World, *, ended: bool = False) -> list[tuple[str, list[str], bool]]:
    with reading() as tx:
        see_as(tx, everything=True)
        rows = [row for row in world.make.rows(Affiliation) if ended or row.status != "ended"]
    return sorted((row.status, sorted(each.level for each in row.levels), row.account_manager) for row in rows)


def told(world: World) -> list[tuple[str, str | None]]:
    rows = world.make.rows(OutboxMessage)
    return sorted((row.notice, row.subject_id) for row in rows if "asserted" in row.notice)


def again(world: World, **claims: Any) -> None:
    world.upstream.claims |= claims
    assert world.sign_in(world.app.test_client()).request.path == "/account/"


def test_access_is_given_with_its_source_and_told_to_those_who_manage(hospital: World) -> None:
    ines = hospital.make.subject("ines.okoro")
    practice = next(row for row in practices(hospital) if row.tin_last4 == "2223")
    hospital.make.affiliation(ines, practice, registry="ozark", evidence="payer", account_manager=True)
    asserts(hospital, table())
    again(hospital)
    (row,) = [row for row in hospital.make.rows(Affiliation) if row.subject_id == hospital.rosa.id]
    (proof,) = row.evidence
    assert (row.target_id, row.registry_name, row.account_manager) == (practice.id, "ozark", False)
    assert [(each.portal, each.level, each.by) for each in row.levels] == [
        (PORTAL, "claims.inquiry", "connection:saint-anne")
    ]
    assert (proof.kind, proof.portal, proof.connection, proof.by) == (
        "payer", PORTAL, "saint-anne", "connection:saint-anne",
    )  # fmt: skip
    assert proof.at is not None
    assert {name: proof.source[name] for name in ("issuer", "subject", "claims")} == {
        "issuer": ISSUER, "subject": "up-248289", "claims": {"groups": ["billing"]},
    }  # fmt: skip
    assert row.ends_at == hospital.make.now + timedelta(days=30)
    assert told(hospital) == [("access_asserted", hospital.rosa.id), ("colleague_asserted", ines.id)]
    events = [each for each in hospital.make.rows(AuditEvent) if each.details.get("connection") == "saint-anne"]
    (changed,) = [each.details for each in events if each.type == "affiliation_changed"]
    assert (changed["given"], changed["upstream"]) == ({PORTAL: ["claims.inquiry"]}, "up-248289")


def practices(world: World) -> list[Any]:
    return world.make.rows(Practice)


def test_the_next_sign_in_changes_and_ends_what_is_no_longer_said(hospital: World) -> None:
    asserts(hospital, table())
    again(hospital)
    assert access(hospital) == [("active", ["claims.inquiry"], False)]
    again(hospital, groups=["front desk", "billing"])
    assert access(hospital) == [("active", ["claims.inquiry", "eligibility.inquiry"], False)]
    again(hospital, groups="front desk")
    assert access(hospital) == [("active", ["eligibility.inquiry"], False)]
    again(hospital, groups=None)
    assert access(hospital) == []
    assert access(hospital, ended=True) == [("ended", ["eligibility.inquiry"], False)]
    again(hospital, groups=["billing"])
    assert access(hospital) == [("active", ["claims.inquiry"], False)]
    epochs = {row.status: row.epoch for row in hospital.make.rows(Affiliation)}
    again(hospital)
    assert {row.status: row.epoch for row in hospital.make.rows(Affiliation)} == epochs


@pytest.mark.parametrize(
    ("tables", "claims"),
    [
        ([], {"groups": ["billing"], "tins": [TIN], "roles": ["admin"]}),
        ([table()], {"groups": ["admin", "Billing", "billing "]}),
        ([table()], {"groups": {"billing": True}}),
        ([table()], {"groups": "front desk billing"}),
        ([table(tin_claim="tins")], {"groups": ["billing"], "tins": [OTHER, "*", "981112223x"]}),
        ([table(tin_claim="tins")], {"groups": ["billing"]}),
        ([table(kind="self")], {"groups": ["billing"]}),
        ([table(levels={"billing": ["administrator", "no.such"]})], {"groups": ["billing"]}),
    ],
)
def test_FE_11_nothing_that_the_file_does_not_name(
    hospital: World, tables: list[dict[str, Any]], claims: dict[str, Any]
) -> None:
    asserts(hospital, *tables)
    again(hospital, **claims)
    assert access(hospital, ended=True) == []
    assert told(hospital) == []


def test_FE_11_of_several_practices_the_named_ones_that_are_said(hospital: World) -> None:
    asserts(hospital, table(tin_claim="tins", tins=[TIN, OTHER]))
    again(hospital, tins=["981112223", "97-0000001"])
    (row,) = hospital.make.rows(Affiliation)
    assert {each.id: each.tin_last4 for each in practices(hospital)}[row.target_id] == "2223"


def test_FE_11_the_mark_only_by_its_own_value_and_gone_with_it(hospital: World) -> None:
    asserts(hospital, table(account_manager=["lead"]))
    again(hospital)
    assert access(hospital) == [("active", ["claims.inquiry"], False)]
    again(hospital, groups=["billing", "lead"])
    assert access(hospital) == [("active", ["claims.inquiry"], True)]
    again(hospital, groups=["billing"])
    assert access(hospital) == [("active", ["claims.inquiry"], False)]


def test_FE_05_another_issuer_or_identity_neither_gives_nor_takes(hospital: World) -> None:
    asserts(hospital, table())
    again(hospital)
    hospital.link(hospital.rosa, upstream="up-2")
    again(hospital, sub="up-2", groups=[])
    assert access(hospital) == [("active", ["claims.inquiry"], False)]
    hospital.connect("second", portals=["ozark-secure"])
    hospital.link(hospital.rosa, name="second")
    again(hospital, sub="up-248289", groups=["front desk"])
    assert hospital.sign_in(hospital.app.test_client(), "second").request.path == "/account/"
    assert access(hospital) == [("active", ["eligibility.inquiry"], False)]
    asserts(hospital, table(), issuer="https://other.example")
    with writing() as tx:
        applied = connections.find(tx, "saint-anne")
        assert applied is not None
        identity = asserting.UpstreamIdentity("saint-anne", ISSUER, "up-248289", claims={"groups": ("billing",)})
        asserting.hold(tx, identity, subject_id=hospital.rosa.id)
        asserting.settle(
            tx, applied.connection, identity, subject_id=hospital.rosa.id, now=hospital.make.now,
            origin=Origin.local("test"),
        )  # fmt: skip
    assert access(hospital) == []


def test_FE_04_a_replayed_answer_changes_nothing(hospital: World, client: FlaskClient) -> None:
    asserts(hospital, table())
    back = hospital.upstream.authorize(hospital.leave(client))
    assert follow(client, client.get(back)).request.path == "/account/"
    again(hospital, groups=[])
    assert client.get(back).status_code in {303, 400}
    assert access(hospital) == []


def test_SI_21_whoever_is_disabled_here_gets_nothing(hospital: World, client: FlaskClient) -> None:
    asserts(hospital, table())
    gone = hospital.make.subject("gone", status="disabled")
    hospital.link(gone, upstream="up-9")
    hospital.upstream.claims["sub"] = "up-9"
    assert hospital.come_back(client, hospital.leave(client)).status_code == 422
    assert access(hospital) == []


@pytest.mark.parametrize("state", [{"status": "disabled", "disabled_by": "manager"}, {"status": "ended"}])
def test_D5_access_that_was_taken_here_is_not_asserted_back(hospital: World, state: dict[str, Any]) -> None:
    asserts(hospital, table())
    again(hospital)
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).values(**state))
    again(hospital)
    assert [row.status for row in hospital.make.rows(Affiliation)] == [state["status"]]


def test_it_lapses_when_it_is_not_said_again_and_not_with_a_proof_of_our_own(hospital: World) -> None:
    asserts(hospital, table(days=3))
    again(hospital)
    (row,) = hospital.make.rows(Affiliation)
    assert row.ends_at == hospital.make.now + timedelta(days=3)
    with writing() as tx:
        see_as(tx, everything=True)
        found = tx.get(Affiliation, row.id)
        assert found is not None
        tx.add(AffiliationEvidence(affiliation_id=row.id, kind="letter", portal=PORTAL, at=hospital.make.now))
    again(hospital)
    (row,) = hospital.make.rows(Affiliation)
    assert row.ends_at is None
    again(hospital, groups=[])
    (row,) = hospital.make.rows(Affiliation)
    assert (row.status, [proof.kind for proof in row.evidence], list(row.levels)) == ("active", ["letter"], [])


def test_an_identity_that_is_taken_away_takes_its_access_along(hospital: World, client: FlaskClient) -> None:
    asserts(hospital, table())
    hospital.sign_in(client)
    assert len(access(hospital)) == 1
    path = f"/account/identities/{hospital.make.rows(UpstreamLink)[0].id}/remove"
    follow(client, press(client, client.get(path), path))
    assert hospital.make.rows(UpstreamLink) == []
    assert access(hospital) == []


def test_people_and_staff_read_whose_word_it_is(hospital: World, client: FlaskClient, new_browser: Any) -> None:
    asserts(hospital, table())
    hospital.sign_in(client)
    page = client.get("/account/access").text
    assert "(Saint Anne Hospital)" in page
    assert "Given by Saint Anne Hospital" in page
    with writing() as tx:
        applied = connections.find(tx, "saint-anne")
        assert applied is not None
        identity = asserting.UpstreamIdentity("saint-anne", ISSUER, "up-1", claims={"groups": ("billing",)})
        trials.keep(tx, applied, identity, now=hospital.make.now)
    ana = enter_as(new_browser(), hospital.make, staff(hospital.make, ADMINISTRATOR))
    shown = ana.get("/console/connections/saint-anne").text.split('id="trial"', 1)[1]
    assert "**-***2223" in shown
    assert "claims.inquiry" in shown


def test_switched_off_it_asserts_nothing_any_more(hospital: World) -> None:
    asserts(hospital, table())
    again(hospital)
    applying.switch("saint-anne", on=False, now=hospital.make.now, origin=Origin.local("test"))
    assert access(hospital) == []
    assert ("access_ended") in {row.notice for row in hospital.make.rows(OutboxMessage)}


FILE = f"""
name = {{ en = "Saint Anne Hospital", es = "Hospital Santa Ana" }}
protocol = "oidc"
issuer = "{ISSUER}"
portals = ["ozark-secure", "{PORTAL}"]

[home]
email_domains = ["saintanne.example"]

[people]
create = true
mailboxes = true

[oidc]
client_id = "credence"
"""
TABLE = f"""
[[asserts]]
portal = "{PORTAL}"
tins = ["{TIN}"]
claim = "groups"
kind = "payer"
levels = {{ "front desk" = ["eligibility.inquiry"], billing = ["claims.inquiry"] }}
"""


@pytest.mark.parametrize(
    ("text", "ends", "left"),
    [
        (FILE + TABLE, None, [("active", ["claims.inquiry", "eligibility.inquiry"], False)]),
        (FILE, "access that it asserted ends: 1 person", []),
        (FILE + TABLE.replace(TIN, OTHER), "access that it asserted ends: 1 person", []),
        (FILE.replace(ISSUER, "https://new.example") + TABLE, "access that it asserted ends: 1 person", []),
        (FILE + TABLE.replace(', billing = ["claims.inquiry"]', ""), "becomes less: 1 person",
         [("active", ["eligibility.inquiry"], False)]),
        (None, "nobody signs in by it any more; access that it asserted ends: 1 person", []),
    ],
)  # fmt: skip
def test_what_the_file_no_longer_says_ends_at_apply_and_the_plan_tells_whose(
    hospital: World, tmp_path: Path, text: str | None, ends: str | None, left: list[Any]
) -> None:
    asserts(hospital, table())
    again(hospital, groups=["billing", "front desk"])
    named = ("other", FILE) if text is None else ("saint-anne", text)
    (tmp_path / f"{named[0]}.toml").write_text(named[1])
    planned = applying.plan(tmp_path, now=hospital.make.now)
    assert isinstance(planned, tuple), planned
    assert len(access(hospital)) == 1
    change = next(each for each in planned if each.client_id == "saint-anne")
    assert ends is None if change.ends is None else ends is not None and ends in change.ends
    assert not any("1112223" in f"{each.before}{each.after}" for each in change.differences)
    done = applying.apply(tmp_path, now=hospital.make.now, origin=Origin.local("test"), disable_missing=True)
    assert isinstance(done, applying.Outcome), done
    assert access(hospital) == left
    twice = applying.apply(tmp_path, now=hospital.make.now, origin=Origin.local("test"), disable_missing=True)
    assert isinstance(twice, applying.Outcome)
    assert [each.kind.value for each in twice.changes if each.ends] == []
    with reading() as tx:
        kept = str(tx.execute(select(AppliedConnection.document)).all())
    assert "1112223" not in kept.replace("-", "")
    assert not any("1112223" in str(row.details).replace("-", "") for row in hospital.make.rows(AuditEvent))
