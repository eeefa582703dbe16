"""`idp keys`."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select, text

from idp.cli.doctor import keys_found
from idp.directory.models import Practice
from idp.directory.service import practice_context
from idp.foundation import vault
from idp.foundation.database import reading
from idp.keyring import cli, resealing, rotation
from idp.keyring.rules import State, Use
from idp.keyring.service import Keyring
from idp.settings import Settings
from tests.factories.keys import MADE


@pytest.fixture
def run(app: Flask, settings: Settings, folder_of_keys: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command over a folder of its own and the application's database."""
    own = settings.model_copy(update={"keys_dir": folder_of_keys})
    monkeypatch.setattr("idp.keyring.cli.configuration.load", lambda: own)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cli.keys, words)

    return invoke


def told() -> list[tuple[str, str]]:
    with reading() as tx:
        rows = tx.execute(text("SELECT type, details FROM audit_event ORDER BY at, id")).all()
    return [(row.type, json.dumps(row.details) if not isinstance(row.details, str) else row.details) for row in rows]


def test_list_shows_places_and_no_secret(run: Any, folder_of_keys: Path) -> None:
    plain, data = run("list"), run("list", "--json")
    assert plain.exit_code == data.exit_code == 0
    shown = json.loads(data.output)
    assert {key["kid"] for key in shown} == {file.kid for file in rotation.listed(folder_of_keys)}
    for file in folder_of_keys.rglob("*.jwk"):
        members = json.loads(file.read_text())
        assert (members.get("d") or members.get("k")) not in plain.output + data.output


def test_rotate_moves_tells_and_prints(run: Any, folder_of_keys: Path) -> None:
    done = run("rotate", "--alg", "ES256", "--json")
    assert done.exit_code == 0, done.output
    moved = json.loads(done.output)
    event, details = told()[-1]
    assert event == "keys_rotated"
    assert moved["promoted"][0] in details
    active = [
        file.kid
        for file in rotation.listed(folder_of_keys)
        if (file.use, file.alg, file.state) == (Use.SIGNING, "ES256", State.ACTIVE)
    ]
    assert active == moved["promoted"]


def test_a_refusal_says_why_moves_nothing_and_tells_nothing(run: Any, folder_of_keys: Path) -> None:
    assert run("rotate", "--alg", "ES256").exit_code == 0
    before, events = rotation.listed(folder_of_keys), len(told())
    again = run("rotate", "--alg", "ES256")
    assert again.exit_code == 1
    assert "younger than a minute" in again.output
    assert run("retire", "nobody", "--now").exit_code == 1
    assert run("retire", before[0].kid).exit_code == 2
    assert rotation.listed(folder_of_keys) == before
    assert len(told()) == events


def test_AU_what_cannot_be_told_does_not_move(run: Any, folder_of_keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rotation.listed(folder_of_keys)

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the audit is closed")

    monkeypatch.setattr("idp.keyring.custody.audit.append", fails)
    assert run("rotate").exit_code == 1
    assert run("create", "--alg", "ES384").exit_code == 1
    assert rotation.listed(folder_of_keys) == before


def test_create_adds_an_algorithm_and_is_content_when_all_is_there(run: Any) -> None:
    assert "es384" in run("create", "--alg", "ES384").output
    assert [event for event, _ in told()] == ["key_created"]
    assert run("create").exit_code == 0
    assert [event for event, _ in told()] == ["key_created"]


def test_doctor_names_the_keys_that_an_older_folder_lacks_and_the_command_that_makes_them(
    make_settings: Callable[..., Settings], run: Any, folder_of_keys: Path
) -> None:
    settings = make_settings(keys_dir=folder_of_keys)
    assert [finding.state for finding in keys_found(settings)] == ["ok"]
    shutil.rmtree(folder_of_keys / "encryption")
    lacking = next(iter(keys_found(settings)))
    assert (lacking.state, "encryption" in lacking.said, "`idp keys create`" in lacking.to_do) == (
        "warning",
        True,
        True,
    )
    run("create")
    assert [finding.state for finding in keys_found(settings)] == ["ok"]


def test_retire_takes_a_leaked_key_away(run: Any, folder_of_keys: Path) -> None:
    leaked = next(
        file.kid
        for file in rotation.listed(folder_of_keys)
        if (file.use, file.state, file.alg) == (Use.SIGNING, State.ACTIVE, "ES256")
    )
    done = run("retire", leaked, "--now")
    assert done.exit_code == 0, done.output
    assert leaked not in {file.kid for file in rotation.listed(folder_of_keys)}
    assert told()[-1][0] == "key_retired"


def test_reseal_runs_every_hook_until_nothing_is_left(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    left = {"a": 3, "b": 0}

    def hook(name: str) -> resealing.Hook:
        def some(_tx: object) -> int:
            done = min(2, left[name])
            left[name] -= done
            return done

        return some

    monkeypatch.setattr(resealing, "_hooks", {"b": hook("b"), "a": hook("a")})
    assert resealing.reseal() == {"a": 3, "b": 0}


def test_what_a_vault_key_still_opens_is_counted(app: Flask, make: Any, keys_dir: Path) -> None:
    active = Keyring.open(keys_dir, production=True).vault.active
    assert resealing.sealed_with(active) == 0
    make.practice()
    assert resealing.sealed_with(active) >= 1
    assert resealing.sealed_with("vault-other") == 0


def test_a_column_is_resealed_under_the_active_key_and_still_opens(
    app: Flask, make: Any, keys_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = make.practice()
    own = Path(shutil.copytree(keys_dir, tmp_path / "own"))
    assert isinstance(rotation.rotate(own, now=MADE + timedelta(days=1), use=Use.VAULT), rotation.Rotated)
    ring = Keyring.open(own, production=True)
    old = Keyring.open(keys_dir, production=True).vault.active
    monkeypatch.setitem(app.extensions["credence"], Keyring, ring)
    before = resealing.sealed_with(old)
    hook = resealing.of_column(Practice.tin_sealed, context=practice_context)
    monkeypatch.setattr(resealing, "_hooks", {"practice.tin": hook})
    assert resealing.reseal()["practice.tin"] >= 1
    assert resealing.reseal() == {"practice.tin": 0}
    assert resealing.sealed_with(old) < before
    with reading() as tx:
        sealed = tx.execute(select(Practice.tin_sealed).where(Practice.id == practice.id)).scalar_one()
    assert vault.key_of(sealed) == ring.vault.active
    assert vault.unseal(sealed, keys=ring.vault, context=practice_context(practice.id))
