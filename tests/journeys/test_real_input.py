"""The same journey on real input: the payers' own provider master and trading partners, imported into both registries.

A person is linked to them as DESIGN §7's first demo person is: in `heartland` one provider (by a letter), in `ozark` a
trading partner and a practice with exactly one group record (by the payer), every TIN of type EIN.
"""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from idp import create_app
from idp.demo import loading
from idp.demo.cli import overrides
from idp.demo.people import DemoPerson
from idp.foundation import clock
from idp.foundation.database import db
from idp.settings import load
from tests.journeys.demo import PORTALS, ROOT, Demo
from tests.journeys.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
SHARED = ROOT.parent / "shared" / "data"
MASTER, PARTNERS = SHARED / "provider_master.csv", SHARED / "trading_partners.csv"
PASSWORD = "Thornbury-kestrel-46"


@dataclass(frozen=True, slots=True)
class Picked:
    """Rows of the real files for whom the person will act."""

    provider: dict[str, str]
    group: dict[str, str]
    partner: dict[str, str]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def pick() -> Picked:
    """The first rows that fit, so that every run takes the same."""
    master = [row for row in rows(MASTER) if row["status"] == "active" and not row["end_date"]]
    eins = [row for row in master if row["tin_type"] == "EIN"]
    records = Counter(row["tin"] for row in rows(MASTER) if row["provider_type"] == "group")
    groups = [row for row in eins if row["provider_type"] == "group" and records[row["tin"]] == 1]
    return Picked(provider=groups[1], group=groups[0], partner=rows(PARTNERS)[0])


def command(demo: Demo, *arguments: str) -> tuple[int, str]:
    """`idp` on the demo's installation."""
    own = {"IDP_MODE": "demo", "IDP_ISSUER": demo.issuer, "IDP_DATA_DIR": str(demo.data_dir)}
    line = [sys.executable, "-m", "idp", *arguments]
    done = subprocess.run(line, cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return done.returncode, done.stdout


def person_of(picked: Picked) -> DemoPerson:
    provider, group, partner = picked.provider, picked.group, picked.partner
    heartland = {"registry": "heartland", "kind": "provider", "id": provider["provider_id"]}
    practice = {"registry": "ozark", "kind": "practice", "id": group["tin"]}
    trading_partner = {"registry": "ozark", "kind": "trading_partner", "id": partner["trading_partner_id"]}
    three = {key: ["all"] for key in ("heartland-selfservice", "carebridge-provider", "cascade-mmis")}
    described = {
        "user_id": "real.first",
        "email": "real.first@people.example",
        "password": PASSWORD,
        "totp_secret": "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U",
        "given_name": "Real",
        "family_name": "First",
        "shows": "acts for rows of the real files",
        "affiliations": [
            heartland | {"evidence": {"cascade-mmis": "letter"}, "levels": three},
            practice | {"evidence": {"ozark-secure": "payer"}, "levels": {"ozark-secure": ["all"]}},
            trading_partner | {"evidence": {"ozark-exchange": "payer"}, "levels": {"ozark-exchange": ["all"]}},
        ],
    }
    return DemoPerson.model_validate(described)


@pytest.fixture(scope="module")
def picked() -> Picked:
    for path in (MASTER, PARTNERS):
        if not path.is_file():
            pytest.skip(f"needs ../shared/data/{path.name}")
    return pick()


@pytest.fixture(scope="module")
def imported(demo: Demo, picked: Picked) -> Demo:
    """Both files in both registries, and the person linked to the rows picked."""
    for registry in ("heartland", "ozark"):
        for path, name in ((MASTER, "provider-master"), (PARTNERS, "trading-partners")):
            rejects = demo.data_dir / f"rejects-{registry}-{name}.csv"
            arguments = ("--format", name, "--registry", registry, "--rejects", str(rejects), "--json")
            code, told = command(demo, "directory", "import", str(path), *arguments)
            assert json.loads(told)["rejected"] == 0, told
            assert code == 0, told
    settings = load(overrides=overrides(demo.base, demo.data_dir))
    with create_app(settings).app_context():
        loading.load_people((person_of(picked),), now=clock.now())
        db.engine.dispose()
    return demo


def test_X1_X2_a_person_of_the_real_directory_enters_all_five_portals(
    imported: Demo, picked: Picked, new_browser: Callable[..., BrowserContext]
) -> None:
    someone = Person(imported, new_browser(), "real.first", listed=person_of(picked).model_dump(mode="json"))
    portals = {client_id: someone.at(client_id) for client_id in ("cascade-mmis", *PORTALS)}
    for client_id, portal in portals.items():
        if client_id == "cascade-mmis":
            someone.sign_in(portal)
        else:
            someone.enter(portal)
        me = portal.me
        assert me is not None
        told, payload = me["userinfo"], me["access_token"]["payload"]
        if client_id == "ozark-exchange":
            assert told["trading_partner_id"] == payload["trading_partner_id"] == picked.partner["trading_partner_id"]
            continue
        row = picked.group if client_id == "ozark-secure" else picked.provider
        assert told["provider_id"] == payload["provider_id"] == row["provider_id"]
        assert told["tin"] == payload["tin"] == row["tin"]
        assert told["npi"] == row["npi"]
        assert told["tin_type"] == "EIN"


def test_X2_importing_the_real_files_again_changes_nothing(imported: Demo) -> None:
    arguments = ("--format", "provider-master", "--registry", "heartland", "--json")
    code, told = command(imported, "directory", "import", str(MASTER), *arguments)
    answer = json.loads(told)
    assert code == 0
    assert answer["read"] == answer["unchanged"] > 0
    assert (answer["added"], answer["changed"], answer["ended"], answer["rejected"]) == (0, 0, 0, 0)
