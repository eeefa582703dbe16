"""Plan and apply on both databases: all or nothing, and twice is once."""

import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import func, select

from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.foundation.artefacts import digest_of
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.foundation.outgoing import Outgoing, Purpose, Reply
from idp.foundation.outgoing import Reason as Unreachable
from idp.manifests import service
from idp.manifests.cli import relying_parties
from idp.manifests.rules import Kind
from idp.manifests.service import Outcome, Unfit
from idp.relying_parties import service as clients
from idp.relying_parties.models import Client, ClientsVersion
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret
from tests.manifests.test_rules import PARTNER, PORTAL

pytestmark = pytest.mark.both
ORIGIN = Origin.local("test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "manifests"
    made.mkdir()
    (made / "test-portal.toml").write_text(PORTAL)
    (made / "test-partner.toml").write_text(PARTNER)
    return made


@pytest.fixture
def applied(app: Flask, folder: Path, now: Any) -> Outcome:
    outcome = service.apply(folder, now=now, origin=ORIGIN)
    assert isinstance(outcome, Outcome)
    return outcome


def change(folder: Path, old: str, new: str, *, name: str = "test-portal") -> None:
    file = folder / f"{name}.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def epoch_of(client_id: str) -> int:
    party = clients.find(client_id)
    assert party is not None
    return party.epoch


def events(what: Event) -> list[AuditEvent]:
    with reading() as tx:
        return list(
            tx.scalars(
                select(AuditEvent)
                .where(AuditEvent.type == what.value)
                .order_by(AuditEvent.client_id, AuditEvent.sequence)
            )
        )


def version() -> int:
    with reading() as tx:
        return tx.execute(select(ClientsVersion.version)).scalar_one()


def test_what_a_folder_says_is_registered(applied: Outcome) -> None:
    assert [(each.client_id, each.kind) for each in applied.changes] == [
        ("test-partner", Kind.ADDED),
        ("test-portal", Kind.ADDED),
    ]
    portal = clients.find("test-portal")
    assert portal is not None
    assert portal.redirect_uris == ("https://portal.example/callback",)
    secret = applied.secrets["test-portal"]
    assert portal.secret_digests == (digest_of(secret.reveal()),)
    assert list(applied.secrets) == ["test-portal"]
    assert [row.details["kind"] for row in events(Event.CLIENT_APPLIED)] == ["added", "added"]


def test_applying_twice_changes_nothing(applied: Outcome, folder: Path, hands: Any) -> None:
    before, at = clients.find("test-portal"), version()
    again = service.apply(folder, now=hands.forward(hours=1), origin=ORIGIN)
    assert isinstance(again, Outcome)
    assert {each.kind for each in again.changes} == {Kind.UNCHANGED}
    assert not again.secrets
    assert version() == at
    assert clients.find("test-portal") == before
    assert len(events(Event.CLIENT_APPLIED)) == 2


def test_plan_shows_and_writes_nothing(applied: Outcome, folder: Path, now: Any) -> None:
    change(folder, '"Test Portal"', '"Better Portal"')
    (folder / "third-portal.toml").write_text(PORTAL)
    at = version()
    planned = service.plan(folder, now=now)
    assert not isinstance(planned, Unfit)
    kinds = {each.client_id: each.kind for each in planned.changes}
    assert kinds == {"test-partner": Kind.UNCHANGED, "test-portal": Kind.CHANGED, "third-portal": Kind.ADDED}
    assert planned.needs_secret == ("third-portal",)
    assert version() == at
    assert clients.find("third-portal") is None


def test_a_change_is_seen_at_once_and_audited_with_before_and_after(applied: Outcome, folder: Path, now: Any) -> None:
    change(folder, '"Test Portal"', '"Better Portal"')
    service.apply(folder, now=now, origin=ORIGIN)
    portal = clients.find("test-portal")
    assert portal is not None
    assert (portal.manifest.name, portal.epoch) == ("Better Portal", 1)
    assert events(Event.CLIENT_APPLIED)[-1].details["changes"] == {"name": ["Test Portal", "Better Portal"]}


def test_taking_a_scope_away_ends_what_was_issued(applied: Outcome, folder: Path, now: Any) -> None:
    change(folder, "openid provider_id entitlements", "openid entitlements")
    service.apply(folder, now=now, origin=ORIGIN)
    assert epoch_of("test-portal") == 2
    assert events(Event.CLIENT_APPLIED)[-1].details["ends"] == "a scope is gone"
    assert epoch_of("test-partner") == 1


def test_one_wrong_manifest_stops_all(applied: Outcome, folder: Path, now: Any) -> None:
    change(folder, '"Test Portal"', '"Better Portal"')
    change(folder, "openid provider_id tin", "openid everything", name="test-partner")
    refused = service.apply(folder, now=now, origin=ORIGIN)
    assert isinstance(refused, Unfit)
    assert [(each.file, each.line, each.key) for each in refused.violations] == [
        ("test-partner.toml", 11, "registration.scope")
    ]
    portal = clients.find("test-portal")
    assert portal is not None
    assert portal.manifest.name == "Test Portal"


def test_what_breaks_half_way_leaves_nothing(app: Flask, folder: Path, now: Any, monkeypatch: Any) -> None:
    def broken(*_args: Any, **_named: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(service.relying_parties, "add_secret", broken)
    with pytest.raises(RuntimeError):
        service.apply(folder, now=now, origin=ORIGIN)
    with reading() as tx:
        assert tx.execute(select(func.count()).select_from(Client)).scalar_one() == 0
    assert clients.find("test-portal") is None


def test_a_client_without_manifest_is_disabled_only_when_asked(applied: Outcome, folder: Path, now: Any) -> None:
    (folder / "test-portal.toml").unlink()
    kept = service.apply(folder, now=now, origin=ORIGIN)
    assert isinstance(kept, Outcome)
    assert kept.kept == ("test-portal",)
    assert clients.find("test-portal").enabled  # type: ignore[union-attr]
    service.apply(folder, now=now, origin=ORIGIN, disable_missing=True)
    gone = clients.find("test-portal")
    assert gone is not None
    assert (gone.enabled, gone.epoch) == (False, 2)
    assert [row.client_id for row in events(Event.CLIENT_DISABLED)] == ["test-portal"]


def test_a_switched_off_client_is_never_woken_by_apply(applied: Outcome, folder: Path, now: Any) -> None:
    with writing() as tx:
        clients.disable(tx, client_id="test-portal", now=now, actor="system", origin=ORIGIN)
    change(folder, '"Test Portal"', '"Better Portal"')
    service.apply(folder, now=now, origin=ORIGIN)
    portal = clients.find("test-portal")
    assert portal is not None
    assert (portal.enabled, portal.manifest.name) == (False, "Better Portal")


def test_the_caller_may_bring_the_secret_and_apply_keeps_it(app: Flask, folder: Path, hands: Any) -> None:
    secrets = {"test-portal": Secret("demo-secret-of-the-portal")}
    for _ in range(2):
        outcome = service.apply(folder, now=hands.forward(minutes=1), origin=ORIGIN, secrets=secrets)
        assert isinstance(outcome, Outcome)
        assert not outcome.secrets
    assert clients.find("test-portal").secret_digests == (digest_of("demo-secret-of-the-portal"),)  # type: ignore[union-attr]


def test_TK_16_another_secret_from_the_caller_rotates(app: Flask, folder: Path, hands: Any) -> None:
    for secret in ("demo-secret-one", "demo-secret-two"):
        service.apply(folder, now=hands.now, origin=ORIGIN, secrets={"test-portal": Secret(secret)})
    assert len(clients.find("test-portal").secret_digests) == 2  # type: ignore[union-attr]
    hands.forward(hours=25)
    assert clients.find("test-portal").secret_digests == (digest_of("demo-secret-two"),)  # type: ignore[union-attr]


def test_leaving_secrets_behind_forgets_them(applied: Outcome, folder: Path, now: Any) -> None:
    change(folder, '"client_secret_basic"', '"private_key_jwt"\njwks_uri = "https://portal.example/keys"')
    service.apply(folder, now=now, origin=ORIGIN)
    portal = clients.find("test-portal")
    assert portal is not None
    assert (portal.secret_digests, portal.epoch) == ((), 2)


def test_keys_and_addresses_of_the_demo_are_stored(app: Flask, folder: Path, now: Any) -> None:
    key = {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "kid": "one"}
    outcome = service.apply(
        folder,
        now=now,
        origin=ORIGIN,
        base_urls={"test-portal": "https://elsewhere.example"},
        jwks={"test-partner": {"keys": [key]}},
    )
    assert isinstance(outcome, Outcome)
    assert clients.find("test-portal").redirect_uris == ("https://elsewhere.example/callback",)  # type: ignore[union-attr]
    assert clients.find("test-partner").registration.jwks == {"keys": [key]}  # type: ignore[union-attr]


def test_plain_http_is_refused_in_production(app: Flask, folder: Path, now: Any) -> None:
    change(folder, "https://portal.example", "http://localhost:8001")
    refused = service.apply(folder, now=now, origin=ORIGIN)
    assert isinstance(refused, Unfit)
    assert "for the demo" in refused.violations[0].reason


def test_ST_04_no_tin_of_a_manifest_reaches_the_database_in_the_clear(applied: Outcome, folder: Path, now: Any) -> None:
    change(folder, '"123456789"', '"987654321"', name="test-partner")
    service.apply(folder, now=now, origin=ORIGIN)
    with reading() as tx:
        rows = [str(row) for row in tx.scalars(select(Client.manifest))]
        rows += [str(row) for row in tx.scalars(select(AuditEvent.details))]
    assert not any("123456789" in row or "987654321" in row for row in rows)
    partner = clients.find("test-partner")
    assert partner is not None
    assert partner.registration.approved_for.tins == ("987654321",)  # type: ignore[union-attr]


def test_a_seventh_portal_is_data_and_no_code(app: Flask, folder: Path, now: Any) -> None:
    seventh = folder / "seventh-portal.toml"
    seventh.write_text(
        PORTAL.replace("Test Portal", "Seventh").replace("portal.example", "seventh.example")
        + '[[links]]\nlabel = { en = "FAQs", es = "Preguntas" }\npage = "faqs"\n'
    )
    beside = folder / "seventh-portal"
    beside.mkdir()
    (beside / "faqs.en.md").write_text("## Who?\n")
    (beside / "faqs.es.md").write_text("## ¿Quién?\n")
    assert isinstance(service.apply(folder, now=now, origin=ORIGIN), Outcome)
    party = clients.find("seventh-portal")
    assert party is not None
    assert party.allows_redirect("https://seventh.example/callback")
    assert party.text("faqs", language="es") == "## ¿Quién?\n"


def test_what_cannot_be_read_is_refused(app: Flask, folder: Path, now: Any, tmp_path: Path) -> None:
    (folder / "bad.toml").write_bytes(b'name = "x"\nname2 = "\xff"\n')
    (folder / "orphan").mkdir()
    (folder / "test-portal").mkdir()
    (folder / "test-portal" / "logo.svg").symlink_to("/etc/hostname")
    refused = service.apply(folder, now=now, origin=ORIGIN)
    assert isinstance(refused, Unfit)
    said = {(each.file, each.line): each.reason for each in refused.violations}
    assert said["bad.toml", 2] == "is not UTF-8"
    assert "no manifest of its name" in said["orphan/", 1]
    assert said["test-portal/logo.svg", 1] == "is not a plain file"
    empty = tmp_path / "empty"
    empty.mkdir()
    nothing = service.apply(empty, now=now, origin=ORIGIN, disable_missing=True)
    assert isinstance(nothing, Unfit)


class SectorDocument:
    """What the network would answer, at its edge."""

    def __init__(self, answer: Reply | Refused) -> None:
        self.answer = answer

    def get(self, url: str, *, purpose: Purpose) -> Reply | Refused:
        assert (url, purpose) == ("https://sector.example/uris", Purpose.SECTOR_IDENTIFIER)
        return self.answer


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Reply(200, {}, b'["https://partner.example/callback", "https://other.example/cb"]'), None),
        (Reply(200, {}, b'["https://other.example/cb"]'), "does not list https://partner.example/callback"),
        (Reply(200, {}, b"<html>"), "not JSON"),
        (Reply(200, {}, b'{"uris": []}'), "not an array"),
        (Reply(404, {}, b"[]"), "cannot be fetched"),
        (Refused(Unreachable.TOO_SLOW), "cannot be fetched"),
    ],
)
def test_DR_07_the_sector_document_lists_every_redirect(
    app: Flask, folder: Path, now: Any, monkeypatch: Any, answer: Reply | Refused, reason: str | None
) -> None:
    monkeypatch.setitem(app.extensions["credence"], Outgoing, SectorDocument(answer))
    change(
        folder,
        "# more registration",
        'sector_identifier_uri = "https://sector.example/uris"',
        name="test-partner",
    )
    outcome = service.plan(folder, now=now)
    if reason is None:
        assert not isinstance(outcome, Unfit)
        return
    assert isinstance(outcome, Unfit)
    (violation,) = outcome.violations
    assert (violation.file, violation.line) == ("test-partner.toml", 13)
    assert reason in violation.reason


def run(app: Flask, *arguments: str | Path, answer: str | None = None) -> Result:
    """The command as `idp` would run it, its application's context pushed."""
    return CliRunner().invoke(relying_parties, [str(each) for each in arguments], input=answer)


def test_the_command_plans_applies_and_tells_the_secret_once(app: Flask, folder: Path, hands: Any) -> None:
    planned = run(app, "plan", folder)
    assert planned.exit_code == 0
    assert "+ test-portal: added" in planned.output
    first = run(app, "apply", folder)
    assert first.exit_code == 0
    secret = first.output.partition("shown this once: ")[2].split()[0]
    assert clients.find("test-portal").secret_digests == (digest_of(secret),)  # type: ignore[union-attr]
    second = run(app, "apply", folder)
    assert "Applied: 0 changed, 2 unchanged." in second.output
    assert "shown this once" not in second.output


def test_the_command_refuses_with_file_and_line_and_exit_2(app: Flask, folder: Path) -> None:
    change(folder, "openid provider_id entitlements", "openid everything")
    refused = run(app, "apply", folder)
    assert refused.exit_code == 2
    assert "test-portal.toml:11: registration.scope knows no scope 'everything'" in refused.output
    as_json = run(app, "plan", folder, "--json")
    assert as_json.exit_code == 2
    assert '"line": 11' in as_json.output


def test_the_command_asks_before_it_disables(app: Flask, folder: Path) -> None:
    assert run(app, "apply", folder).exit_code == 0
    (folder / "test-partner.toml").unlink()
    assert run(app, "apply", folder, answer="n\n").exit_code == 1
    assert run(app, "apply", folder, "--json").exit_code == 2
    assert clients.find("test-partner").enabled  # type: ignore[union-attr]
    assert run(app, "apply", folder, answer="y\n").exit_code == 0
    assert not clients.find("test-partner").enabled  # type: ignore[union-attr]


def test_secrets_go_into_files_that_only_their_owner_reads(app: Flask, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    result = run(app, "apply", folder, "--secrets-out", out)
    assert result.exit_code == 0, result.output
    file = out / "test-portal.secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = file.read_text().strip()
    assert secret not in result.output
    assert clients.find("test-portal").secret_digests == (digest_of(secret),)  # type: ignore[union-attr]
    rotated = run(app, "rotate-secret", "test-portal", "--secrets-out", out)
    assert rotated.exit_code == 0, rotated.output
    assert digest_of(file.read_text().strip()) in clients.find("test-portal").secret_digests  # type: ignore[union-attr]
    assert run(app, "rotate-secret", "test-partner").exit_code == 2


def test_the_command_switches_off_and_on_and_lists(app: Flask, folder: Path) -> None:
    assert run(app, "apply", folder).exit_code == 0
    assert run(app, "disable", "test-portal").exit_code == 0
    assert run(app, "disable", "test-portal").exit_code == 2
    assert "off  test-portal" in run(app, "list").output
    assert run(app, "enable", "test-portal").exit_code == 0
    assert run(app, "enable", "nobody").exit_code == 2
    assert '"enabled": true' in run(app, "list", "--json").output


def test_a_node_of_the_release_before_reads_what_this_one_wrote(applied: Outcome) -> None:
    """R-26: only what a manifest says is stored, so that new keys with defaults trouble nobody."""
    with reading() as tx:
        stored = tx.execute(select(Client.manifest).where(Client.client_id == "test-portal")).scalar_one()
    assert "banner" not in stored
    assert "access_token" not in stored["registration"]
