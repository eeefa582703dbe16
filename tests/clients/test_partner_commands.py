"""The partner's command line: JSON on standard output; 0 answered, 1 refused, 2 not possible."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from joserfc.jwk import ECKey

from clients.partner.__main__ import main
from tests.clients.lying_provider import LyingProvider

MANIFEST = """
name = "Test Partner"
base_url = "http://localhost:1"
registration = { token_endpoint_auth_method = "private_key_jwt", resources = ["https://api.partner.example"] }
help = { phone = "1-800-555-0100" }

[brand]
accent_light = "#0B6468"
accent_dark = "#5CC8CB"
soft_light = "#E4F2F2"
soft_dark = "#12302F"
fill_dark = "#1F7F83"
band_light = "#084C50"
band_dark = "#0A3336"
initials = "TP"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    key = ECKey.generate_key("P-256", {"kid": "p1"})
    (tmp_path / "key.jwk").write_text(json.dumps(key.as_dict(private=True)), "utf-8")
    (tmp_path / "partner.toml").write_text(MANIFEST, "utf-8")
    monkeypatch.setenv("PORTAL_CLIENT_KEY_FILE", str(tmp_path / "key.jwk"))
    return tmp_path


def run(issuer: str, folder: Path, *arguments: str) -> Result:
    given = ["--client-id", "test-partner", "--issuer", issuer, "--manifest", str(folder / "partner.toml")]
    return CliRunner().invoke(main, [*given, *arguments])


def test_X3_a_token_is_fetched_for_one_provider(lying: LyingProvider, folder: Path) -> None:
    done = run(lying.issuer, folder, "token", "--provider-id", "500100")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["content"]["header"]["typ"] == "at+jwt"
    sent = lying.token_requests[-1]
    assert sent["resource"] == "https://api.partner.example"
    assert "provider_id:500100" in sent["scope"].split()


@pytest.mark.parametrize("command", ["token", "claims"])
def test_X3_a_refusal_is_exit_code_1(lying: LyingProvider, folder: Path, command: str) -> None:
    lying.token_error = "invalid_scope"
    done = run(lying.issuer, folder, command, "--provider-id", "1")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {"error": "invalid_scope"}


@pytest.mark.parametrize("command", ["token", "claims"])
def test_no_answer_and_wrong_use_are_exit_code_2(folder: Path, command: str) -> None:
    assert run("http://localhost:1", folder, command, "--provider-id", "1").exit_code == 2
    assert run("http://localhost:1", folder, command).exit_code == 2


def test_every_command_has_help() -> None:
    for command in ([], ["serve"], ["token"], ["claims"], ["login"]):
        assert CliRunner().invoke(main, [*command, "--help"]).exit_code == 0
