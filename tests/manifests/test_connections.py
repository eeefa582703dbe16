"""Connections: every refusal once with its line, and plan and apply on both databases."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.federation.connections import facts
from idp.federation.connections.models import AppliedConnection
from idp.federation.upstream_saml.names import TRANSIENT
from idp.foundation.database import reading
from idp.foundation.origin import Origin
from idp.manifests.connections import service
from idp.manifests.connections.cli import connections
from idp.manifests.connections.rules import Standing, plan, read
from idp.manifests.connections.service import Outcome
from idp.manifests.rules import Kind, Source
from idp.manifests.service import Unfit
from idp.relying_parties.faults import Ground
from idp.vocabulary.secret import Secret
from tests.factories.manifests import manifest
from tests.federation.saml import test_metadata as saml
from tests.foundation import xml_bench

HERE = "#!"
NOW = xml_bench.NOW
HOSPITAL = """
name = { en = "Saint Anne Hospital", es = "Hospital Santa Ana" }
protocol = "oidc"
issuer = "https://id.saintanne.example"
portals = ["ozark-secure"]

[home]
email_domains = ["saintanne.example"]

[people]
create = true
mailboxes = true
# more people

[assurance]
acr = { "urn:two" = "aal2" }

[oidc]
client_id = "credence"
# further
"""
PORTALS = {"ozark-secure": manifest("ozark-secure")}


def wrong(text: str, name: str = "saint-anne", *, beside: dict[str, str] | None = None) -> list[str]:
    _found, violations = read(
        (Source(name, f"{name}.toml", text, texts=beside or {}),), portals=PORTALS, ground=Ground(), now=NOW
    )
    return [str(each) for each in violations]


def test_the_sample_is_right() -> None:
    assert wrong(HOSPITAL) == []


ISSUER = '"https://id.saintanne.example"'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (ISSUER, '"http://id.saintanne.example"', "must be https"),
        (ISSUER, '"https://10.0.0.7"', "names an address that is not public"),
        (ISSUER, '"https://id.saintanne.example?x=1"', "without a query"),
        ('"ozark-secure"]', '"ozark"]', "not a portal"),
        ('["ozark-secure"]', "[]", "nobody could use it"),
        ('protocol = "oidc"', 'protocol = "ldap"', "protocol"),
        ('portals = [', 'button = false\ncolour = "red"\nportals = [', "is not a key"),
        ('["saintanne.example"]', '["SaintAnne.example"]', "no domain name"),
        ('["saintanne.example"]', '["saintanne.example", "saintanne.example"]', "listed twice"),
        ('email_domains = ["saintanne.example"]', "", "needs home.email_domains"),
        ("mailboxes = true", "", "needs mailboxes"),
        ("# more people", 'ceremonies = { ozark-secure = "register" }', "is not a ceremony"),
        ('{ "urn:two" = "aal2" }', '{ "urn:two" = "aal9" }', "acr"),
        ("[assurance]", '[assurance]\nlocal_factor = "spare"', None),
        ('acr = { "urn:two" = "aal2" }', 'local_factor = "spare"', "spares nobody"),
        ("# further", 'scope = "email"', "lacks openid"),
        ("# further", "id_token_algs = []", "no ID token"),
        ("# further", 'id_token_algs = ["none"]', "id_token_algs"),
        ("# further", 'id_token_algs = ["HS256"]', "id_token_algs"),
        ('protocol = "oidc"', 'protocol = "saml"', "stands beside another protocol"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_reason(old: str, new: str, reason: str | None) -> None:
    told = wrong(HOSPITAL.replace(old, new, 1))
    if reason is None:
        assert told == []
    else:
        assert any(reason in each and each.startswith("saint-anne.toml:") for each in told), told


ASSERTS = """
[[asserts]]
portal = "ozark-secure"
tins = ["98-1112223"]
claim = "groups"
kind = "payer"
levels = { billing = ["claims.inquiry"] }
account_manager = ["lead"]
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("", "", None),
        ('portal = "ozark-secure"', 'portal = "elsewhere"', "asserts[0].portal does not offer"),
        ('["98-1112223"]', "[]", "asserts[0].tins is empty"),
        ('["98-1112223"]', '["98-1112223", "981112223"]', "asserts[0].tins[1] is listed twice"),
        ('["98-1112223"]', '["98-111222"]', "asserts[0].tins[0] A Tax ID has 9 digits"),
        ('claim = "groups"', "", "asserts[0].claim"),
        ('["claims.inquiry"]', '["no.such"]', "'no.such' is not a level"),
        ('["claims.inquiry"]', '["admin"]', "shows the account manager's mark"),
        ('["claims.inquiry"]', "[]", "names no level"),
        ('kind = "payer"', "", "self lets nobody act"),
        ('kind = "payer"', 'kind = "letter"', "asserts[0].kind"),
        ('kind = "payer"', 'kind = "directory"', "directory lets nobody act"),
        ('kind = "payer"', 'kind = "payer"\ndays = 0', "asserts[0].days"),
        ('levels = { billing = ["claims.inquiry"] }\naccount_manager = ["lead"]', "", "gives nothing"),
        ("[[asserts]]", ASSERTS + "[[asserts]]", "names a practice of another [[asserts]]"),
        ("[[asserts]]", '[[asserts]]\nrole = "x"', "is not a key"),
    ],
)  # fmt: skip
def test_FE_11_what_a_connection_may_assert_is_checked_and_told_with_its_place(
    old: str, new: str, reason: str | None
) -> None:
    told = wrong(HOSPITAL + ASSERTS.replace(old, new, 1))
    if reason is None:
        assert told == []
    else:
        assert any(reason in each and each.startswith("saint-anne.toml:") for each in told), told
    assert not any("1112223" in each for each in told)


BRINGS = """
[[brings]]
portal = "ozark-secure"
tins = ["98-1112223"]
claim = "groups"
values = ["staff"]
kind = "directory"
"""
CEREMONY = {
    "title": {"en": "Sign-up", "es": "Inscripción"},
    "steps": ["create_account", "verify_email", "claim_practice"],
}


@pytest.mark.parametrize(
    ("old", "new", "portal", "reason"),
    [
        ("", "", {}, None),
        ('values = ["staff"]', "values = []", {}, "brings[0].values is empty"),
        ('kind = "directory"', 'kind = "letter"', {}, "brings[0].kind"),
        ('kind = "directory"', "", {}, "brings[0].kind"),
        ('kind = "directory"', 'kind = "directory"\naccount_manager = true', {}, "needs kind letter at least"),
        ('kind = "directory"', 'kind = "payer"\naccount_manager = true', {}, None),
        ("", "", {"default_levels": []}, "gives no default_levels"),
        ("", "", {"acting_for": ["provider"]}, "does not act for practices as a whole"),
        ("", "", {"steps": ["create_account", "verify_email", "pin_letter"]}, "has no step that proves a practice"),
    ],
)  # fmt: skip
def test_which_evidence_it_brings_is_checked(old: str, new: str, portal: dict[str, Any], reason: str | None) -> None:
    steps = portal.pop("steps", CEREMONY["steps"])
    terms = {"default_levels": ["claims.inquiry"], **portal}
    offered = manifest("ozark-secure", portal=terms, enrollment={"register": CEREMONY | {"steps": steps}})
    text = HOSPITAL.replace("# more people", 'ceremonies = { ozark-secure = "register" }') + BRINGS.replace(old, new, 1)
    _found, violations = read(
        (Source("saint-anne", "saint-anne.toml", text),), portals={"ozark-secure": offered}, ground=Ground(), now=NOW
    )
    told = [str(each) for each in violations]
    assert told == [] if reason is None else any(reason in each for each in told), told
    nowhere = wrong(HOSPITAL + BRINGS)
    assert any("has no ceremony in people.ceremonies" in each for each in nowhere)


def test_two_connections_never_serve_one_practice_at_one_portal() -> None:
    text = HOSPITAL.replace("[home]", '[home]\ntins = ["981112223"]')
    other = text.replace("saintanne.example", "other.example")
    sources = tuple(Source(name, f"{name}.toml", said) for name, said in (("saint-anne", text), ("saint-other", other)))
    _found, violations = read(sources, portals=PORTALS, ground=Ground(), now=NOW)
    assert [each.key for each in violations] == ["home.tins[0]"]


def test_a_name_is_part_of_an_address() -> None:
    assert any("lower-case" in each for each in wrong(HOSPITAL, "Saint_Anne"))


BY_SAML = HOSPITAL.replace("oidc", "saml").replace('client_id = "credence"', "").replace(ISSUER, f'"{saml.IDP}"')
PEM = f'''metadata_certificate = """
{saml.NEW}"""'''


@pytest.mark.parametrize(
    ("text", "metadata", "reason"),
    [
        (BY_SAML, saml.metadata(), None),
        (BY_SAML, None, "has no metadata.xml"),
        (BY_SAML, "<!DOCTYPE x><x/>", "has a document type"),
        (BY_SAML, saml.metadata(entity="https://other.example"), "names another entityID"),
        (BY_SAML, saml.metadata(saml.key(saml.EXPIRED)), "no certificate that is valid now"),
        (BY_SAML, saml.metadata(until=saml.at(-1)), "is out of date"),
        (BY_SAML, saml.metadata().replace(f"{saml.IDP}/sso", "http://idp.example/sso"), "must be https"),
        (BY_SAML, saml.metadata().replace(f"{saml.IDP}/slo", "javascript:x"), "must be an https address"),
        (BY_SAML.replace("# further", PEM), saml.metadata(), "is not signed"),
        (BY_SAML.replace("# further", PEM), saml.signed(xml_bench.RSA_KEY), "not signed by metadata_certificate"),
        (BY_SAML.replace("# further", PEM), saml.signed(xml_bench.OTHER_RSA_KEY), None),
        (BY_SAML.replace("# further", 'metadata_certificate = "x"'), saml.metadata(), "is no certificate"),
        (BY_SAML.replace("# further", f'name_id_format = "{TRANSIENT}"'), saml.metadata(), "changes each time"),
    ],
)
def test_FE_44_metadata_is_read_when_it_is_planned(text: str, metadata: str | None, reason: str | None) -> None:
    told = wrong(text, beside={} if metadata is None else {"metadata.xml": metadata})
    if reason is None:
        assert told == []
    else:
        assert any(reason in each and each.startswith("saint-anne.toml:") for each in told), told


def test_FE_44_a_plan_names_the_certificates_and_addresses_that_change() -> None:
    def standing(text: str) -> Any:
        return read(
            (Source("saint-anne", "saint-anne.toml", BY_SAML, texts={"metadata.xml": text}),),
            portals=PORTALS,
            ground=Ground(),
            now=NOW,
        )[0][0]

    before = standing(saml.metadata())
    after = standing(saml.metadata(saml.key(saml.OLD), saml.key(saml.NEW)).replace("/sso?", "/login?"))
    was = {"saint-anne": Standing(before.connection, before.texts, True)}
    (change,) = plan((after,), standing=was, now=NOW)
    keys = [each.key for each in change.differences]
    assert keys[0] == "metadata.sign_in_address"
    assert keys[1].startswith("metadata.certificate.")
    assert keys[2:] == ["texts.metadata.xml"]
    (same,) = plan((before,), standing=was, now=NOW)
    assert same.kind is Kind.UNCHANGED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "saint-anne.toml").write_text(HOSPITAL)
    return tmp_path


@pytest.mark.both
def test_apply_does_all_or_nothing_and_twice_is_once(app: Flask, folder: Path, make: Any, now: Any) -> None:
    make.client("ozark-secure")
    origin = Origin.local("test")
    first = service.apply(folder, now=now, origin=origin)
    again = service.apply(folder, now=now, origin=origin)
    assert isinstance(first, Outcome)
    assert isinstance(again, Outcome)
    assert [change.kind for change in (*first.changes, *again.changes)] == [Kind.ADDED, Kind.UNCHANGED]

    (folder / "broken.toml").write_text("name = ")
    (folder / "saint-anne.toml").write_text(HOSPITAL.replace(ISSUER, '"https://login.saintanne.example"'))
    assert isinstance(service.apply(folder, now=now, origin=origin), Unfit)
    (folder / "broken.toml").unlink()
    planned = service.plan(folder, now=now)
    assert isinstance(planned, tuple)
    assert [(each.key, each.after) for each in planned[0].differences] == [
        ("issuer", "https://login.saintanne.example")
    ]
    assert planned[0].ends is not None
    with reading() as tx:
        assert facts.every(tx)["saint-anne"].connection.issuer == "https://id.saintanne.example"


@pytest.mark.both
def test_a_secret_is_sealed_and_a_missing_file_switches_off(app: Flask, folder: Path, make: Any, now: Any) -> None:
    make.client("ozark-secure")
    origin = Origin.local("test")
    service.apply(folder, now=now, origin=origin)
    assert service.set_secret("saint-anne", Secret("a-secret-of-ours"), now=now, origin=origin) is None
    assert service.set_secret("nobody", Secret("a-secret-of-ours"), now=now, origin=origin) is not None
    with reading() as tx:
        row = tx.get(AppliedConnection, "saint-anne")
        assert row is not None
        assert row.secret_sealed is not None
        assert b"a-secret-of-ours" not in row.secret_sealed
        secret = facts.secret_of(tx, "saint-anne")
    assert secret is not None
    assert secret.reveal() == "a-secret-of-ours"

    (folder / "saint-anne.toml").rename(folder / "saint-elsewhere.toml")
    kept = service.apply(folder, now=now, origin=origin)
    assert isinstance(kept, Outcome)
    assert kept.kept == ("saint-anne",)
    service.apply(folder, now=now, origin=origin, disable_missing=True)
    with reading() as tx:
        assert {name: each.enabled for name, each in facts.every(tx).items()} == {
            "saint-anne": False,
            "saint-elsewhere": True,
        }
        told = tx.scalars(select(AuditEvent).where(AuditEvent.type == Event.CONNECTION_APPLIED.value)).all()
    assert not any("a-secret-of-ours" in str(each.details) for each in told)


def test_the_command_tells_file_line_and_reason(app: Flask, folder: Path, make: Any) -> None:
    make.client("ozark-secure")
    run = app.test_cli_runner().invoke if hasattr(app, "test_cli_runner") else CliRunner().invoke
    shown = run(connections, ["plan", str(folder)])
    assert "+ saint-anne: added" in shown.output
    (folder / "saint-anne.toml").write_text(HOSPITAL.replace(ISSUER, '"ftp://x"'))
    refused = run(connections, ["plan", str(folder)])
    assert refused.exit_code == 2
    assert "saint-anne.toml:4: issuer" in refused.output
