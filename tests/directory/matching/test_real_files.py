"""The payer's real-shaped file as a whole: every record in force matches itself and nothing a digit away from it."""

import csv
import random
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import true
from sqlalchemy.orm import Session

from idp.directory import service as directory
from idp.directory.matching import facts, rules, service
from idp.directory.matching.rules import (
    Ambiguous,
    Candidate,
    GroupClaim,
    PracticeClaim,
    PracticeMatch,
    PractitionerClaim,
    ProviderMatch,
    Reason,
)
from idp.foundation import house
from idp.foundation.database import reading
from idp.keyring.service import Keyring
from idp.vocabulary.identifiers import Tin
from idp.vocabulary.refused import Refused
from tests.directory.files import shared, taken

pytestmark = pytest.mark.both

DAY = datetime(2026, 1, 1, 12, tzinfo=UTC)
TRIALS = 10_000


@pytest.fixture(autouse=True)
def master(app: object) -> None:
    taken(shared("provider_master.csv").read_bytes(), now=DAY)


@pytest.fixture
def records() -> list[dict[str, str]]:
    with shared("provider_master.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def in_force(record: dict[str, str]) -> bool:
    return record["effective_date"] <= "2026-01-01" and (not record["end_date"] or record["end_date"] > "2026-01-01")


def people(tx: Session, on: datetime = DAY, **typed: str) -> list[str] | Refused:
    answer = service.match_practitioner(tx, PractitionerClaim(**typed), registry="ozark", now=on)
    if isinstance(answer, Ambiguous):
        return [each.provider_id for each in answer.choices]
    return [answer.provider.provider_id] if isinstance(answer, ProviderMatch) else answer


def groups(tx: Session, on: datetime = DAY, **typed: str) -> tuple[list[str], list[str]] | Refused:
    """The group records met, and the practitioners that come with their practice."""
    answer = service.match_group(tx, GroupClaim(**typed), registry="ozark", now=on)
    if not isinstance(answer, PracticeMatch):
        assert isinstance(answer, Refused)
        return answer
    every = directory.providers_of_practice(tx, practice_id=answer.practice.id, registry="ozark", now=on)
    members = [each.provider_id for each in every if each.provider_type == "practitioner"]
    return [each.provider_id for each in answer.records], members


MATCH: list[tuple[dict[str, str], list[str]]] = [
    ({"tin": "666025841", "zip_code": "06002", "last_name": "CASTNER"}, ["017631564"]),
    ({"tin": "666025841", "zip_code": "06095", "last_name": "CASTNER"}, ["017631564"]),
    (
        {"tin": "978-45-6678", "zip_code": "06032", "first_name": "DOUGLAS", "last_name": "D'ANDREA"},
        ["320562834"],
    ),
    ({"tin": "928416821", "zip_code": "06762-2843", "last_name": "Segall"}, ["128193496"]),
    ({"tin": "666121149", "zip_code": "06810", "last_name": "KLARSFELD"}, ["001411090"]),
    ({"tin": "06-6647052", "zip_code": "06810", "provider_id": "060063"}, ["060063"]),
    ({"tin": "051282341", "zip_code": "02842", "last_name": "Dobbin"}, ["052214574", "063015425"]),
    ({"tin": "051282341", "zip_code": "02886", "last_name": "Dobbin"}, ["063015425"]),
    ({"tin": "666442522", "zip_code": "06810", "last_name": "Hennessy"}, ["059098"]),
]


def test_C6_the_example_practitioners_match(tx: Session):
    for typed, found in MATCH:
        assert people(tx, **typed) == found


def test_C7_the_example_groups_match_with_all_their_practitioners(tx: Session):
    found = groups(tx, tin="051503674", zip_code="02920")
    assert isinstance(found, tuple)
    assert (found[0], len(found[1])) == (["622964284"], 38)
    three = groups(tx, tin="474554262", zip_code="34236")
    one = groups(tx, tin="474554262", zip_code="75042")
    assert isinstance(three, tuple)
    assert isinstance(one, tuple)
    assert three[0] == ["027143868", "274320857", "797096412"]
    assert one[0] == ["027143868"]
    assert len(three[1]) == 10
    assert three[1] == one[1]


FAIL: list[tuple[dict[str, str], Reason]] = [
    ({"tin": "666025841", "zip_code": "06105", "last_name": "CASTNER"}, Reason.ZIP),
    ({"tin": "666025842", "zip_code": "06002", "last_name": "CASTNER"}, Reason.UNKNOWN),
    ({"tin": "986307255", "zip_code": "02720", "provider_id": "005405171"}, Reason.ENDED),
    ({"tin": "66647052", "zip_code": "06810", "last_name": "Murphy"}, Reason.MALFORMED),
    ({"tin": "066647052", "zip_code": "6810", "last_name": "Murphy"}, Reason.MALFORMED),
    ({"tin": "978456678", "zip_code": "06032", "last_name": "Smith"}, Reason.NAME),
    ({"tin": "666442522", "zip_code": "06810", "provider_id": "725789201"}, Reason.ENDED),
    ({"npi": "1427051457", "last_name": "Castner"}, Reason.UNKNOWN),
]


def test_C6_the_examples_that_must_fail_do(tx: Session):
    for typed, reason in FAIL:
        assert people(tx, **typed) == Refused(reason)


def test_C6_an_ended_record_matched_while_it_was_in_force(tx: Session):
    claim = {"tin": "986307255", "zip_code": "02720", "provider_id": "005405171"}
    assert people(tx, on=datetime(2023, 4, 25, tzinfo=UTC), **claim) == ["005405171"]
    assert people(tx, on=datetime(2023, 4, 26, tzinfo=UTC), **claim) == Refused(Reason.ENDED)


def test_C6_examples_of_groups_that_must_fail_do(tx: Session):
    assert groups(tx, tin="463886426", zip_code="75001") == Refused(Reason.ENDED)
    assert groups(tx, tin="590000017", zip_code="02920") == Refused(Reason.UNKNOWN)
    not_yet = {"tin": "061383284", "zip_code": "06030", "provider_id": "256400372"}
    assert {groups(tx, **not_yet), people(tx, **not_yet)} & {Refused(Reason.NOT_YET)}  # type: ignore[arg-type]
    claim = PracticeClaim(tin="463886426", zip_code="75001")
    assert service.match_practice(tx, claim, registry="ozark", now=DAY) == Refused(Reason.ENDED)


def claims(record: dict[str, str]) -> Iterator[PractitionerClaim | GroupClaim]:
    """Every field that the record can answer, with its own TIN, then with its group's."""
    for tin in filter(None, (record["tin"], record["group_tin"])):
        shared_fields = {"tin": tin, "provider_id": record["provider_id"], "npi": record["npi"]}
        for zip_code in record["zip_codes"].split(";"):
            typed = {**shared_fields, "zip_code": zip_code}
            if record["provider_type"] == "group":
                yield GroupClaim(**typed, group_name=record["legal_name"])
            else:
                yield PractitionerClaim(**typed, first_name=record["first_name"], last_name=record["last_name"])


def test_C6_every_record_in_force_matches_itself_and_no_other_does(tx: Session, records: list[dict[str, str]]):
    for record in records:
        claim = next(claims(record))
        if isinstance(claim, GroupClaim):
            answer = service.match_group(tx, claim, registry="ozark", now=DAY)
            found = answer.records[0].provider_id if isinstance(answer, PracticeMatch) else None
        else:
            told = service.match_practitioner(tx, claim, registry="ozark", now=DAY)
            found = told.provider.provider_id if isinstance(told, ProviderMatch) else None
        assert (found == record["provider_id"]) == in_force(record)


def test_C6_no_record_matches_by_one_changed_field(records: list[dict[str, str]]):
    """The rule over all that the database holds, each claim looked up by its number as the statement does."""
    with reading() as tx:
        held = {each.provider.provider_id: each for each in facts.candidates(tx, true())}
    chance = random.Random(20260101)
    every = [(record, claim) for record in records if in_force(record) for claim in claims(record)]
    index = house.get(Keyring).index
    for record, claim in every:
        assert decided(claim, held, index) == record["provider_id"]
    for _ in range(TRIALS):
        record, claim = chance.choice(every)
        name = chance.choice([each for each in type(claim).__dataclass_fields__ if getattr(claim, each)])
        changed = type(claim)(**{**typed_of(claim), name: another(name, getattr(claim, name), record, chance)})
        assert decided(changed, held, index) is None, (name, record["provider_id"])


def typed_of(claim: PractitionerClaim | GroupClaim) -> dict[str, Any]:
    return {name: getattr(claim, name) for name in type(claim).__dataclass_fields__}


def decided(claim: PractitionerClaim | GroupClaim, held: dict[str, Candidate], index: bytes) -> str | None:
    wanted = rules.understand(claim)
    found = [held[claim.provider_id]] if claim.provider_id in held else []
    tin = directory.tin_index((wanted and wanted.tin) or Tin(""), key=index)
    answer = rules.decide_provider(wanted, found, tin=tin, on=date(2026, 1, 1))
    return answer.provider.provider_id if isinstance(answer, ProviderMatch) else None


def another(name: str, typed: str, record: dict[str, str], chance: random.Random) -> str:
    """The field with one character changed, and what would still be right avoided."""
    right = {
        "tin": {record["tin"], record["group_tin"]},
        "zip_code": {code[:5] for code in record["zip_codes"].split(";")},
    }.get(name, {typed})
    letters = string.ascii_uppercase if name.endswith("name") else string.digits
    reach = 5 if name == "zip_code" else len(typed)
    while True:
        places = [place for place in range(reach) if typed[place].isalnum()]
        place = chance.choice(places)
        changed = typed[:place] + chance.choice(letters) + typed[place + 1 :]
        kept = changed[:5] if name == "zip_code" else changed
        if kept not in right and kept.casefold() != typed.casefold() and not only_a_suffix(name, typed, changed):
            return changed


def only_a_suffix(name: str, typed: str, changed: str) -> bool:
    return name.endswith("name") and rules.fold(typed) == rules.fold(changed)
