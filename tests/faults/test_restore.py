"""The restore drill (R-33, ST-06): after a backup is put back and the epoch bumped, nothing used or revoked lives again."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from idp.audit import service as audit
from idp.audit.cli import verify
from idp.audit.events import Event
from idp.audit.exported import write_heads
from idp.foundation import artefacts
from idp.foundation.artefacts import Kind
from idp.foundation.database import db, reading, writing
from idp.foundation.origin import Origin
from idp.sessions import service as sessions
from idp.settings import PROJECT, Settings
from tests.conftest import Hands
from tests.factories import Make
from tests.servers import binary

pytestmark = [pytest.mark.both, pytest.mark.faults]


@pytest.fixture
def env(settings: Settings) -> dict[str, str]:
    """The same application for another process."""
    return {
        "PATH": f"{Path(binary('pg_dump') or '/usr/bin/false').parent}:{os.environ['PATH']}",
        "IDP_ISSUER": settings.issuer,
        "IDP_DATABASE_URL": settings.database_url,
        "IDP_DATABASE_OWNER_URL": settings.database_owner_url,
        "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_DATA_DIR": str(settings.data_dir),
        "IDP_SMTP_URL": "smtp://127.0.0.1:9",
        "IDP_SMTP_FROM": settings.smtp_from,
    }


def idp(*arguments: str, env: dict[str, str]) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "idp", *arguments], env=env, cwd=PROJECT, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def restore(settings: Settings, file: Path) -> None:
    """What `docs/operations.md` tells the operator."""
    db.engine.dispose()
    if settings.sqlite:
        place = Path(settings.database_url.removeprefix("sqlite:///"))
        for suffix in ("-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(file, place)
        return
    page = (PROJECT / "docs/operations.md").read_text("utf-8")
    shown = re.search(r"`runuser -u postgres -- (pg_restore [^`]+) -d credence FILE`", page)
    program = binary("pg_restore")
    assert shown is not None
    assert program is not None
    url = settings.database_owner_url.replace("postgresql+psycopg://credence_owner", "postgresql://postgres")
    subprocess.run([program, *shown[1].split()[1:], "-d", url, str(file)], check=True)


def compared(app: Flask, heads: Path) -> Result:
    """`idp audit verify --against`, as the drill tells the operator."""
    return app.test_cli_runner().invoke(verify, ["--against", str(heads)])


def test_R_33_nothing_used_or_revoked_lives_again(
    app: Flask, make: Make, hands: Hands, settings: Settings, env: dict[str, str], tmp_path: Path
) -> None:
    now = hands.now
    _, cookie = make.session(make.subject(password=None))
    digests = {}
    for kind in (Kind.AUTHORIZATION_CODE, Kind.PASSWORD_RESET, Kind.PIN_LETTER):
        with writing() as tx:
            secret, _ = artefacts.issue(tx, kind=kind, now=now, lifetime=timedelta(days=3650))
        digests[kind] = artefacts.digest_of(secret.reveal())
    file, heads, later_heads = tmp_path / "copy", tmp_path / "heads", tmp_path / "later"
    with reading() as tx:
        write_heads(heads, audit.heads(tx), now=now)
    idp("db", "backup", str(file), env=env)
    assert file.stat().st_mode & 0o077 == 0

    with writing() as tx:
        for kind, digest in digests.items():
            assert isinstance(artefacts.redeem(tx, kind=kind, digest=digest, now=now), artefacts.Redeemed)
    with writing() as tx:
        audit.append(tx, Event.SIGNED_IN, now=now, actor="staff:test", origin=Origin.local("test"))
    with reading() as tx:
        newer = audit.heads(tx)
        assert audit.verify(tx, against=newer) == []
    write_heads(later_heads, newer, now=now)
    assert compared(app, later_heads).exit_code == 0
    restore(settings, file)
    with reading() as tx:
        assert sessions.find_live(tx, cookie=cookie.reveal(), now=now) is not None
        for kind, digest in digests.items():
            assert isinstance(artefacts.peek(tx, kind=kind, digest=digest, now=now), artefacts.Redeemed)

    idp("db", "upgrade", env=env)
    missed = compared(app, later_heads)
    assert missed.exit_code == 1, "what was audited since the copy is missed"
    assert "The audit is not as it was written." in missed.output
    assert compared(app, heads).exit_code == 0, "and up to the copy everything is there"
    told = json.loads(idp("epoch", "bump", "--json", env=env))
    assert told["epoch"] > 1
    assert told["voided"] == 3
    later = hands.at(datetime.now(UTC))  # the other process has the machine's own time
    with writing() as tx:
        assert sessions.find_live(tx, cookie=cookie.reveal(), now=now) is None
        for kind, digest in digests.items():
            refused = artefacts.redeem(tx, kind=kind, digest=digest, now=later)
            assert not isinstance(refused, artefacts.Redeemed)
    assert compared(app, heads).exit_code == 0


def test_a_backup_taken_while_somebody_writes_is_whole(
    app: Flask, make: Make, settings: Settings, env: dict[str, str], tmp_path: Path
) -> None:
    if not settings.sqlite:
        return
    make.subject(password=None)
    file = tmp_path / "copy"
    with writing() as tx:
        tx.execute(db.text("UPDATE subject SET status = 'disabled'"))
        idp("db", "backup", str(file), env=env)
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT status FROM subject").fetchall() == [("active",)]


def test_a_backup_never_overwrites(settings: Settings, env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "copy"
    file.write_bytes(b"mine")
    with pytest.raises(AssertionError, match="never overwrites"):
        idp("db", "backup", str(file), env=env)
    assert file.read_bytes() == b"mine"
