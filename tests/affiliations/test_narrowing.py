"""Narrowing by provider ID, by a TIN's digits and by `tin_ref` (DESIGN §6, ruling 19)."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from idp.affiliations import service
from idp.affiliations.narrowing import within
from idp.affiliations.references import tin_ref
from idp.affiliations.rules import Choice, PortalTerms
from idp.directory.models import Practice
from idp.foundation import house
from idp.keyring.service import Keyring
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.identifiers import TinType
from tests.conftest import NOON
from tests.factories import Make

pytestmark = pytest.mark.both
SECTOR = "portal.test"
TERMS = PortalTerms("portal", "heartland", frozenset({TargetKind.PROVIDER}), Evidence.LETTER, ("all",))


@pytest.fixture
def held(make: Make, tx: Session) -> tuple[Choice, ...]:
    """One provider of a practice with an EIN, one of a practice with a Social Security number; a third is not held."""
    rosa, _ = make.subject(), make.practice("980000001")
    for tin, kind in (("981234567", TinType.EIN), ("123456789", TinType.SSN)):
        practice = make.practice(tin, tin_type=kind)
        make.affiliation(rosa, make.provider(practice=practice, tin=tin, tin_type=kind.value))
    found = service.choices_at(tx, subject_id=rosa.id, terms=TERMS, now=make.now)
    assert len(found) == 2
    return found


def left(tx: Session, every: tuple[Choice, ...], **asked: Any) -> list[UUID | None]:
    values: dict[str, Any] = {"provider_ids": (), "tins": (), "sector": SECTOR, "now": NOON}
    return [choice.practice_id for choice in within(tx, every, **(values | asked))]


def by_type(make: Make, kind: TinType) -> UUID:
    return next(row.id for row in make.rows(Practice) if row.tin_type == kind.value and row.tin_last4 != "0001")


def ref(practice: UUID, sector: str = SECTOR) -> str:
    return tin_ref(practice, sector=sector, key=house.get(Keyring).index)


def test_without_narrowing_all_are_left(tx: Session, held: tuple[Choice, ...]) -> None:
    assert len(left(tx, held)) == 2


def test_an_EIN_is_meant_by_its_digits_and_by_its_reference(tx: Session, make: Make, held: tuple[Choice, ...]) -> None:
    practice = by_type(make, TinType.EIN)
    assert left(tx, held, tins=("981234567",)) == [practice]
    assert left(tx, held, tins=(ref(practice),)) == [practice]


def test_ruling_19_a_Social_Security_number_is_meant_by_its_reference_only(
    tx: Session, make: Make, held: tuple[Choice, ...]
) -> None:
    practice = by_type(make, TinType.SSN)
    assert left(tx, held, tins=("123456789",)) == []
    assert left(tx, held, tins=(ref(practice),)) == [practice]


@pytest.mark.parametrize("tin", ["980000001", "x", "", "98-1234567 ", "9" * 500])
def test_unknown_not_held_and_nonsense_look_the_same(tx: Session, held: tuple[Choice, ...], tin: str) -> None:
    assert left(tx, held, tins=(tin,)) == []


def test_a_reference_of_another_sector_means_nothing_here(tx: Session, make: Make, held: tuple[Choice, ...]) -> None:
    assert left(tx, held, tins=(ref(by_type(make, TinType.EIN), "other.test"),)) == []


def test_provider_and_TIN_together_must_both_fit(tx: Session, make: Make, held: tuple[Choice, ...]) -> None:
    practice = by_type(make, TinType.EIN)
    inside = next(each for each in held if each.practice_id == practice)
    other = next(each for each in held if each.practice_id != practice)
    assert inside.provider is not None
    assert other.provider is not None
    assert left(tx, held, provider_ids=(inside.provider.provider_id,), tins=("981234567",)) == [practice]
    assert left(tx, held, provider_ids=(other.provider.provider_id,), tins=("981234567",)) == []
