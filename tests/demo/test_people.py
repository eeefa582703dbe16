"""The demo's people and payers: whom they may act for is what the demo promises to show."""

import csv
import tomllib
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from idp.demo import people
from idp.demo.card import SHOWN
from idp.demo.cli import DEMO_DATA, MANIFESTS
from idp.demo.clients import PORTS
from idp.demo.people import DemoPerson, WrongPeople
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.identifiers import Npi, TinType
from idp.vocabulary.staff import StaffRole
from tests.directory.files import SHARED

FILE = DEMO_DATA / "people.toml"


@pytest.fixture(scope="module")
def everybody() -> tuple[DemoPerson, ...]:
    return people.read(FILE)


def providers(registry: str) -> list[dict[str, str]]:
    with (DEMO_DATA / registry / "providers.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows(name: str) -> list[dict[str, str]]:
    return [row for path in DEMO_DATA.glob(f"*/{name}.csv") for row in csv.DictReader(path.open(encoding="utf-8"))]


def test_there_are_as_many_as_promised(everybody: tuple[DemoPerson, ...]):
    both = providers("ozark") + providers("heartland")
    assert 60 <= len(both) <= 70
    assert len({row["group_tin"] or row["tin"] for row in both}) == 15
    assert (len(rows("trading_partners")), len(rows("pin_letters")), len(everybody)) == (6, 12, 30)


def test_every_number_is_well_formed_and_nobodys():
    """NPIs begin with 2 (none is issued so far); EIN prefixes and SSN areas are ones that were never assigned."""
    unassigned = {"07", "08", "09", "17", "18", "19", "28", "29", "49", "69", "70", "78", "79", "89", "96", "97"}
    for row in providers("ozark") + providers("heartland"):
        assert Npi.parse(row["npi"]).startswith("2")
        if row["tin_type"] == TinType.EIN:
            assert row["tin"][:2] in unassigned
        else:
            assert row["tin"][0] == "9" or row["tin"][:3] == "666"
            assert 1 <= int(row["tin"][3:5]) <= 49


def test_nothing_of_the_shared_files_is_in_the_project():
    path = SHARED / "provider_master.csv"
    if not path.is_file():
        pytest.skip("needs ../shared/data/provider_master.csv")
    with path.open(encoding="utf-8") as file:
        theirs = {row[name] for row in csv.DictReader(file) for name in ("provider_id", "npi", "tin")}
    ours = {row[name] for row in providers("ozark") + providers("heartland") for name in ("provider_id", "npi", "tin")}
    assert not theirs & ours


def test_the_first_person_is_asked_nothing_at_any_portal(everybody: tuple[DemoPerson, ...]):
    """DESIGN §7: one trading partner and one practice in ozark, one provider in heartland, all EIN."""
    first = everybody[0]
    assert first.user_id == "rosa.delgado"
    targets = {(each.registry, each.kind): each.id for each in first.affiliations}
    assert len(targets) == len(first.affiliations) == 3
    tin = targets["ozark", TargetKind.PRACTICE]
    groups = [row for row in providers("ozark") if row["provider_type"] == "group" and row["tin"] == tin]
    assert [row["tin_type"] for row in groups] == ["EIN"]
    number = targets["heartland", TargetKind.PROVIDER]
    (one,) = [row for row in providers("heartland") if row["provider_id"] == number]
    assert (one["tin_type"], one["group_tin"], one["status"]) == ("EIN", "", "active")
    evidence = {kind: next(iter(each.evidence.values())) for each in first.affiliations for kind in [each.kind]}
    assert (evidence[TargetKind.PRACTICE], evidence[TargetKind.PROVIDER]) == ("payer", "letter")


def test_every_case_has_its_person(everybody: tuple[DemoPerson, ...]):
    held = Counter(len(person.affiliations) for person in everybody)
    assert max(held) >= 14
    assert [len(person.affiliations) for person in everybody if not person.staff].count(0) == 1
    assert {role for person in everybody for role in person.staff} == set(StaffRole)
    assert sum(person.disabled is not None for person in everybody) == 1
    stored = {each.status for person in everybody for each in person.affiliations}
    assert stored == set(AffiliationStatus) - {AffiliationStatus.SUSPENDED}
    assert {person.locale for person in everybody} == {"en", "es"}
    assert any(not person.given_name.isascii() for person in everybody)
    assert set(SHOWN) <= {person.user_id for person in everybody}


def test_mailboxes_and_telephones_are_nobodys(everybody: tuple[DemoPerson, ...]):
    assert all(person.email.endswith(".example") for person in everybody)
    assert all(person.phone is None or "55501" in person.phone for person in everybody)


def test_every_client_of_the_demo_has_a_manifest_and_a_port():
    assert {path.stem for path in MANIFESTS.glob("*.toml")} == set(PORTS)
    for client_id, distance in PORTS.items():
        manifest = tomllib.loads((MANIFESTS / f"{client_id}.toml").read_text(encoding="utf-8"))
        assert manifest["base_url"] == f"http://localhost:{8000 + distance}"


def test_the_partner_is_approved_for_providers_that_exist():
    manifest = tomllib.loads((MANIFESTS / "harborline-analytics.toml").read_text(encoding="utf-8"))
    approved = manifest["registration"]["approved_for"]
    known = {row["provider_id"] for row in providers(approved["registry"]) if row["status"] == "active"}
    assert set(approved["provider_ids"]) <= known


ONE = """[[people]]
user_id = "a.b"
email = "a@b.example"
password = "Secret-canary-99"
given_name = "A"
family_name = "B"
shows = "x"
"""


AFFILIATED = """[[people.affiliations]]
registry = "o"
kind = "practice"
id = "1"
evidence = { x = "self" }
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('colour = "red"', "colour"),
        ('locale = "fr"', "locale"),
        (AFFILIATED.replace("practice", "house"), "kind"),
        (AFFILIATED + 'status = "suspended"', "never stored"),
        (AFFILIATED + 'status = "disabled"', "by whom"),
        (ONE, "same user_id"),
        ("= =", r"people\.toml"),
    ],
)
def test_a_wrong_file_is_refused_without_showing_a_password(tmp_path: Path, more: str, said: str):
    path = tmp_path / "people.toml"
    path.write_text(ONE + more)
    with pytest.raises(WrongPeople, match=said) as caught:
        people.read(path)
    assert "canary" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(WrongPeople, match=r"people\.toml"):
        people.read(tmp_path / "people.toml")


def test_levels_are_those_of_the_portals(everybody: tuple[DemoPerson, ...], now: datetime):
    catalogues = {
        path.stem: tuple(level["key"] for level in tomllib.loads(path.read_text(encoding="utf-8")).get("levels", ()))
        for path in MANIFESTS.glob("*.toml")
    }
    for person in everybody:
        for each in person.affiliations:
            assert all(people.levels_of(each, catalogues=catalogues).values()) or not each.levels
    wanted = everybody[0].affiliations[0].model_copy(update={"levels": {"ozark-exchange": ("no.such",)}})
    with pytest.raises(WrongPeople, match=r"no access level no\.such"):
        people.levels_of(wanted, catalogues=catalogues)
    with pytest.raises(WrongPeople, match="no portal"):
        people.levels_of(wanted, catalogues={})
