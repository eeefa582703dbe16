"""A printer of PIN letters that is killed: no PIN is ever good that nobody can read (D2, EN-02)."""

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from idp.affiliations.letters.cli import pin_letters
from idp.directory.letters.digest import pin_digest
from idp.directory.models import PinLetter, Provider
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, Redeemed
from idp.foundation.database import reading
from idp.keyring.service import Keyring
from idp.settings import Settings
from tests.affiliations.letters.test_cli import REGISTER
from tests.factories import Make

pytestmark = pytest.mark.both
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def provider(app: Flask, make: Make) -> Provider:
    make.client(
        "cascade-mmis", portal={"registry": "heartland", "acting_for": ["provider"]}, enrollment={"register": REGISTER}
    )
    return make.provider("048215")


@pytest.fixture
def die(provider: Provider, settings: Settings, tmp_path: Path) -> Callable[[str], Path]:
    """Print in a process of its own that kills itself at `moment`; the folder."""

    def run(moment: str) -> Path:
        given = {
            "issuer": settings.issuer, "data_dir": str(settings.data_dir), "keys_dir": str(settings.keys_dir),
            "database_url": settings.database_url, "database_owner_url": settings.database_owner_url,
            "smtp_url": settings.smtp_url, "smtp_from": settings.smtp_from,
        }  # fmt: skip
        ended = subprocess.run(
            [sys.executable, "-m", "tests.faults.dying_printer", json.dumps(given), moment, str(tmp_path), "048215"],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        return tmp_path

    return run


def is_good(provider: Provider, file: Path) -> bool:
    pin = next(csv.DictReader(file.open(encoding="utf-8")))["pin"]
    digest = pin_digest(pin, provider=provider.id, key=house.get(Keyring).index)
    with reading() as tx:
        found = artefacts.peek(tx, kind=Kind.PIN_LETTER, digest=digest, now=datetime.now(UTC))
    return isinstance(found, Redeemed)


def said_next(folder: Path) -> str:
    return CliRunner().invoke(pin_letters, ["issue", "--provider", "999999", "--out", str(folder)]).output


def test_killed_when_the_files_are_written_nothing_is_good(die: Callable[[str], Path], provider: Provider, make: Make):
    folder = die("written")
    (part,) = folder.glob("*.csv.part")
    assert not is_good(provider, part)
    assert make.rows(PinLetter) == []
    assert said_next(folder).count("its PINs are good for nothing; delete it") == 2


def test_killed_when_it_is_committed_the_pin_can_be_read_and_the_next_run_says_so(
    die: Callable[[str], Path], provider: Provider
):
    folder = die("issued")
    (part,) = folder.glob("*.csv.part")
    assert is_good(provider, part)
    assert [path.suffix for path in folder.iterdir()] == [".part", ".part"]
    assert said_next(folder).count("its PINs are good; give it the name") == 2


def test_killed_between_the_names_both_files_are_whole(die: Callable[[str], Path], provider: Provider):
    folder = die("half-named")
    assert len(list(folder.glob("*.pdf"))) == 1
    (part,) = folder.glob("*.csv.part")
    assert is_good(provider, part)
    assert said_next(folder).count("its PINs are good") == 2
