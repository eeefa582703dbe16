"""Starting with something wrong (R-34, R-21): refused, by a line for each thing, without a default in its place."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from idp.migrations.run import _revisions, upgrade
from idp.settings import PROJECT, Settings

pytestmark = pytest.mark.faults

Env = dict[str, str]


@pytest.fixture
def sound(make_settings: Callable[..., Settings], keys_dir: Path, tmp_path: Path) -> Env:
    """An environment in which everything is right."""
    shutil.copytree(keys_dir, tmp_path / "keys")
    url = f"sqlite:///{tmp_path / 'credence.sqlite3'}"
    upgrade(make_settings(database_url=url))
    return {
        "PATH": os.environ["PATH"],
        "IDP_ISSUER": "https://credence.test",
        "IDP_DATABASE_URL": url,
        "IDP_DATA_DIR": str(tmp_path),
        "IDP_KEYS_DIR": str(tmp_path / "keys"),
        "IDP_SMTP_URL": "smtp://127.0.0.1:9",
        "IDP_SMTP_FROM": "Credence <no-reply@credence.test>",
    }


def idp(*arguments: str, env: Env) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "idp", *arguments], env=env, cwd=PROJECT, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip


def without(env: Env, name: str) -> Env:
    return {each: value for each, value in env.items() if each != name}


@pytest.mark.parametrize("name", ["IDP_ISSUER", "IDP_SMTP_URL", "IDP_SMTP_FROM"])
def test_R_34_serve_names_what_is_missing(sound: Env, name: str) -> None:
    ran = idp("serve", env=without(sound, name))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"idp: {name}: ")
    assert len(ran.stderr.splitlines()) == 1


def test_R_34_serve_refuses_a_database_that_lacks_migrations(sound: Env, tmp_path: Path) -> None:
    ran = idp("serve", env=sound | {"IDP_DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"})
    assert ran.returncode == 1
    assert ran.stderr == f"idp: the database lacks {', '.join(_revisions())}: run `idp db upgrade`\n"


def test_R_21_serve_refuses_a_missing_key(sound: Env, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "keys" / "vault" / "active")
    ran = idp("serve", env=sound)
    assert ran.returncode == 2
    assert ran.stderr == "idp: IDP_KEYS_DIR: there is no active vault key; `idp init` makes the first ones\n"


def test_R_21_serve_refuses_a_key_that_others_may_read(sound: Env, tmp_path: Path) -> None:
    key = next((tmp_path / "keys" / "signing" / "active").glob("*.jwk"))
    key.chmod(0o640)
    ran = idp("serve", env=sound)
    assert ran.returncode == 2
    assert ran.stderr == f"idp: IDP_KEYS_DIR: signing/active/{key.name} can be read by others; chmod 600 it\n"


def test_R_21_a_damaged_key_is_named_and_not_quoted(sound: Env, tmp_path: Path) -> None:
    key = next((tmp_path / "keys" / "signing" / "active").glob("*.jwk"))
    key.write_text('{"CNRY": ', "utf-8")
    ran = idp("epoch", "bump", env=sound)
    assert ran.returncode in (1, 2)
    assert key.name in ran.stderr
    assert "CNRY" not in ran.stderr
    assert "Traceback" not in ran.stderr


def test_doctor_says_what_to_do(sound: Env, tmp_path: Path) -> None:
    ran = idp("doctor", "--json", env=sound)
    assert ran.returncode == 1
    assert "check IDP_SMTP_URL" in ran.stdout
    assert '"what": "database", "state": "ok"' in ran.stdout


def test_settings_are_shown_without_secrets(sound: Env) -> None:
    ran = idp("settings", env=sound | {"IDP_REDIS_URL": "redis://:CNRY-redis@127.0.0.1:1/0"})
    assert ran.returncode == 0
    assert "CNRY" not in ran.stdout + ran.stderr
    assert "redis://:***@127.0.0.1:1/0" in ran.stdout
    assert "IDP_REDIS_URL" in ran.stdout


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("serve", "--workers", "none"), ("db", "backup")])
def test_wrong_input_leaves_with_2(sound: Env, arguments: tuple[str, ...]) -> None:
    ran = idp(*arguments, env=sound)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
