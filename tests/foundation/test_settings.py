"""Settings: all that is wrong is said at once, nothing secret is said, production refuses what only a demo may have."""

import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from idp.settings import PROJECT, Settings, WrongSettings, gather, load
from idp.settings.__main__ import document
from tests.factories.keys import write_keys

GOOD = {
    "IDP_ISSUER": "https://id.example.test",
    "IDP_SMTP_URL": "smtps://mailer:CNRY-mail@mail.example.test:465",
    "IDP_SMTP_FROM": "Credence <no-reply@example.test>",
}


def wrong(env: Mapping[str, str], *, serving: bool = False, **overrides: Any) -> tuple[str, ...]:
    with pytest.raises(WrongSettings) as caught:
        load(env=env, overrides=overrides, serving=serving)
    return caught.value.lines


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_sound_environment_loads() -> None:
    settings = load(env=GOOD)
    assert settings.issuer == "https://id.example.test"
    assert settings.trusted_hosts == ("id.example.test",)
    assert settings.session_idle == timedelta(minutes=30)
    assert not settings.demo


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_R_34_each_missing_variable_is_named(missing: str) -> None:
    assert [line.partition(":")[0] for line in wrong({k: v for k, v in GOOD.items() if k != missing})] == [missing]


def test_R_34_everything_wrong_is_said_at_once() -> None:
    bad = GOOD | {
        "IDP_ISSUER": "https://id.example.test/", "IDP_SESSION_IDLE": "soon", "IDP_WORKERS": "many",
        "IDP_METRICS_PUBLIC": "true", "IDP_REDIS_URL": "http://redis.test", "IDP_NONSENSE": "1", "IDP_SMS_TOKEN": "short",
    }  # fmt: skip
    named = {line.partition(":")[0] for line in wrong(bad)}
    assert named == {
        "IDP_ISSUER", "IDP_SESSION_IDLE", "IDP_WORKERS", "IDP_METRICS_PUBLIC", "IDP_REDIS_URL", "IDP_NONSENSE",
        "IDP_SMS_TOKEN",
    }  # fmt: skip


def test_R_34_what_is_derived_from_a_wrong_setting_is_not_blamed_too() -> None:
    lines = wrong(GOOD | {"IDP_DATABASE_URL": "mysql://db.test/x"})
    assert [line.partition(":")[0] for line in lines] == ["IDP_DATABASE_URL"]
    both = wrong(GOOD | {"IDP_DATABASE_URL": "mysql://db.test/x", "IDP_DATABASE_OWNER_URL": "mysql://db.test/y"})
    assert {line.partition(":")[0] for line in both} == {"IDP_DATABASE_URL", "IDP_DATABASE_OWNER_URL"}


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("IDP_BIND", ("x", "1.2.3.4", ":8000", "127.0.0.1:0", "127.0.0.1:65536", "[::1"), ("[::1]:8000", "0.0.0.0:65535")),
        ("IDP_SMTP_URL", ("smtp://", "smtps://:465"), ("smtp://mail:25",)),
        ("IDP_SMTP_FROM", ("x", "a@b\nBcc: c@d.test", "A <a b@c.test>"), ("no-reply@x.test", "A B <a@b.test>")),
        ("IDP_OUTGOING_ALLOW", ("https://x.test", "*", "a.test, b_/c", "10.0.0.0/99"), ("a.test,b:8443", "10.0.0.0/8", "::1")),
        ("IDP_CODE_LIFETIME", ("0s", "61s", "5m"), ("1s", "60s", "1m")),
        ("IDP_ACCESS_TOKEN_LIFETIME", ("59s", "61m"), ("1m", "1h")),
        ("IDP_ID_TOKEN_LIFETIME", ("0s", "2h"), ("60m",)),
        ("IDP_EMAIL_LINK_LIFETIME", ("2d",), ("24h",)),
        ("IDP_REFRESH_ABSOLUTE", ("91d",), ("90d",)),
        ("IDP_REMEMBER_DEVICE", ("30", "-1d"), ("0", "0d", "30d")),
        ("IDP_SESSION_IDLE", ("30", "0", "0s", "-1m", "1.5h"), ("900s",)),
    ],
)  # fmt: skip
def test_R_34_what_no_protocol_or_server_can_use_is_refused_at_start(name, bad, good) -> None:
    """Codes live 60 s at most, tokens 1 to 60 minutes, refresh tokens 90 days (PROTOCOL 23 and its numbers); each in one line."""
    for value in bad:
        assert [line.partition(":")[0] for line in wrong(GOOD | {name: value})] == [name], value
    for value in good:
        load(env=GOOD | {name: value})


def test_every_setting_is_read_by_the_product() -> None:
    """A knob that turns nothing is worse than none. A manifest's property of the same name is no reading."""
    product = [path.read_text("utf-8") for path in (PROJECT / "idp").rglob("*.py") if path.parent.name != "settings"]
    read = set(re.findall(r"(?:settings|get\(Settings\)|_settings|own|given|base)\.([a-z_]+)", "\n".join(product)))
    inside = {"demo", "metrics_public", "database_owner_url", "data_dir", "keys_dir"}
    assert set(Settings.model_fields) - read - inside - {"mode"} == set()


def test_ST_07_no_value_is_ever_quoted() -> None:
    bad = GOOD | {
        "IDP_DATABASE_URL": "mysql://me:CNRY-password@db.test/x", "IDP_REDIS_URL": "CNRY-redis", "IDP_SMS_TOKEN": "CNRY",
        "IDP_WORKERS": "CNRY-number",
    }  # fmt: skip
    assert "CNRY" not in "\n".join(wrong(bad))


def test_ST_07_secrets_are_not_in_the_repr() -> None:
    assert "CNRY" not in repr(load(env=GOOD | {"IDP_METRICS_TOKEN": "CNRY-metrics-token"}))


def test_an_http_issuer_is_refused_in_production_and_off_loopback() -> None:
    assert wrong(GOOD | {"IDP_ISSUER": "http://id.example.test"}) == ("IDP_ISSUER: production needs https",)
    assert wrong({"IDP_MODE": "demo", "IDP_ISSUER": "http://id.example.test"}) == (
        "IDP_ISSUER: the demo speaks plain http on localhost only",
    )


def test_the_demo_needs_nothing(tmp_path: Path) -> None:
    settings = load(env={"IDP_MODE": "demo", "DATA_DIR": str(tmp_path / "d")})
    assert settings.issuer == "http://localhost:8000"
    assert settings.keys_dir == tmp_path / "d" / "keys"
    assert settings.database_url == f"sqlite:///{tmp_path / 'd' / 'credence.sqlite3'}"
    assert settings.database_owner_url == settings.database_url


def test_a_later_source_wins_and_is_remembered(tmp_path: Path) -> None:
    Path("credence.toml").write_text('workers = 3\nkdf_queue = 9\nlog_level = "ERROR"\n', "utf-8")
    env = GOOD | {"IDP_WORKERS": "4", "IDP_LOG_LEVEL": "WARNING"}
    settings = load(env=env, overrides={"log_level": "DEBUG"})
    assert (settings.workers, settings.kdf_queue, settings.log_level) == (4, 9, "DEBUG")
    sources = gather(env=env, overrides={"log_level": "DEBUG"}).sources
    assert (sources["workers"], sources["kdf_queue"], sources["log_level"]) == (
        "IDP_WORKERS", "credence.toml", "command line",
    )  # fmt: skip


def test_a_name_in_the_file_that_no_setting_has_is_refused() -> None:
    Path("credence.toml").write_text("wrokers = 3\n", "utf-8")
    assert wrong(GOOD) == ("credence.toml: there is no setting `wrokers`",)


def test_a_named_file_must_be_there_and_be_toml() -> None:
    assert wrong(GOOD | {"IDP_CONFIG_FILE": "absent.toml"}) == (
        "IDP_CONFIG_FILE: absent.toml cannot be read (FileNotFoundError)",
    )
    Path("bad.toml").write_text("= CNRY", "utf-8")
    assert wrong(GOOD | {"IDP_CONFIG_FILE": "bad.toml"}) == (
        "IDP_CONFIG_FILE: bad.toml cannot be read (TOMLDecodeError)",
    )


def test_a_secret_may_stand_in_a_file_but_not_twice() -> None:
    Path("token").write_text("CNRY-metrics-token\n", "utf-8")
    settings = load(env=GOOD | {"IDP_METRICS_TOKEN_FILE": "token"})
    assert settings.metrics_token is not None
    assert settings.metrics_token.reveal() == "CNRY-metrics-token"
    assert "IDP_METRICS_TOKEN_FILE: IDP_METRICS_TOKEN is set as well" in wrong(
        GOOD | {"IDP_METRICS_TOKEN_FILE": "token", "IDP_METRICS_TOKEN": "CNRY-another-token"}
    )
    assert wrong(GOOD | {"IDP_METRICS_TOKEN_FILE": "absent"}) == (
        "IDP_METRICS_TOKEN_FILE: the file cannot be read (FileNotFoundError)",
    )


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load(env=GOOD).workers = 5  # type: ignore[misc]


def test_plain_postgresql_addresses_mean_psycopg() -> None:
    settings = load(env=GOOD | {"IDP_DATABASE_URL": "postgresql://app@db.test/credence"})
    assert settings.database_url == settings.database_owner_url == "postgresql+psycopg://app@db.test/credence"


def test_KY_serving_without_keys_is_refused(tmp_path: Path) -> None:
    lines = wrong(GOOD | {"IDP_KEYS_DIR": str(tmp_path / "none")}, serving=True)
    assert len(lines) == 3
    assert all(line.startswith("IDP_KEYS_DIR: there is no active ") for line in lines)


def test_KY_production_refuses_demo_keys_and_keys_that_others_may_read(tmp_path: Path) -> None:
    keys = write_keys(tmp_path / "keys", demo=True)
    open_to_all = next(keys.glob("vault/active/*.jwk"))
    open_to_all.chmod(0o644)
    lines = wrong(GOOD | {"IDP_KEYS_DIR": str(keys)}, serving=True)
    assert any("is a demo key" in line for line in lines)
    assert any("can be read by others" in line for line in lines)


def test_sound_keys_are_served_with(keys_dir: Path) -> None:
    assert load(env=GOOD | {"IDP_KEYS_DIR": str(keys_dir)}, serving=True).keys_dir == keys_dir


def test_every_setting_says_what_it_does() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_page_of_settings_is_up_to_date() -> None:
    assert (PROJECT / "docs" / "settings.md").read_text("utf-8") == document(), "run `make docs`"


def test_R_34_the_command_says_it_in_lines_and_leaves_with_2(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "idp", "settings"], env={"PATH": "/usr/bin", "IDP_WORKERS": "x"},
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert all(line.startswith("idp: IDP_") for line in ran.stderr.splitlines())
    assert len(ran.stderr.splitlines()) == 4
