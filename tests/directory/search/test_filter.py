"""What a portal's search shows: its own part of the roster, in force, whoever has enrolled (B2, B3, ruling 9)."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.directory import service
from idp.directory.models import Provider
from idp.directory.rules import EVERY_RECORD, DirectoryFilter, Program, serves
from idp.foundation.database import reading
from tests.directory.files import PRACTITIONER, taken
from tests.factories import Make

pytestmark = pytest.mark.both

ROSTER = [
    PRACTITIONER | {"provider_id": f"10000000{n}", "programs": programs, "state": state}
    for n, (programs, state) in enumerate(
        [("medicaid", "MO"), ("medicare", "MO"), ("both", "MO"), ("medicaid", "KS"), ("both", "CT")]
    )
]


@pytest.fixture(autouse=True)
def roster(tx: Session, now: datetime) -> None:
    tx.rollback()
    taken(ROSTER, now=now)


def found(tx: Session, text: str, within: DirectoryFilter, now: datetime) -> list[int]:
    page = service.search_providers(tx, "ozark", text, now=now, within=within)
    return [int(each.provider_id[-1]) for each in page.providers]


@pytest.mark.parametrize("text", ["halvor", "1234567893"])
@pytest.mark.parametrize(
    ("within", "shown"),
    [
        (EVERY_RECORD, [0, 1, 2, 3, 4]),
        (DirectoryFilter.of(programs=["medicaid"]), [0, 2, 3, 4]),
        (DirectoryFilter.of(programs=["medicare"]), [1, 2, 4]),
        (DirectoryFilter.of(programs=["medicaid", "medicare"]), [0, 1, 2, 3, 4]),
        (DirectoryFilter.of(programs=["both"]), [0, 1, 2, 3, 4]),
        (DirectoryFilter.of(states=["MO", "KS"]), [0, 1, 2, 3]),
        (DirectoryFilter.of(programs=["medicaid"], states=["MO"]), [0, 2]),
        (DirectoryFilter.of().covering("both"), [2, 4]),
        (DirectoryFilter.of().covering("medicaid", "MO"), [0, 2]),
        (DirectoryFilter.of(programs=["medicaid"]).covering("medicare"), [2, 4]),
        (DirectoryFilter.of(states=["KS"]).covering("medicaid", "MO"), []),
    ],
)
def test_B3_a_search_shows_the_portals_part_of_the_roster(
    tx: Session, now: datetime, text: str, within: DirectoryFilter, shown: list[int]
):
    assert found(tx, text, within, now) == shown
    every = [service.provider_by_number(tx, registry="ozark", provider_id=row["provider_id"]) for row in ROSTER]
    assert [n for n, each in enumerate(every) if each is not None and serves(within, each)] == shown


def test_B3_pages_of_a_filtered_search_are_full(tx: Session, now: datetime):
    within = DirectoryFilter.of(programs=["medicare"])
    first = service.search_providers(tx, "ozark", "halvor", limit=2, now=now, within=within)
    assert first.after is not None
    rest = service.search_providers(tx, "ozark", "halvor", first.after, 2, now=now, within=within)
    assert [each.provider_id[-1] for each in (*first.providers, *rest.providers)] == ["1", "2", "4"]
    assert rest.after is None


def test_B3_a_choice_sent_back_is_held_against_the_filter_again(tx: Session, now: datetime):
    chosen = service.provider_by_number(tx, registry="ozark", provider_id="100000003")
    assert chosen is not None

    def ask(within: DirectoryFilter = EVERY_RECORD, registry: str = "ozark", on: datetime = now) -> bool:
        answer = service.provider_served(tx, chosen.id, registry=registry, now=on, within=within)
        return answer == chosen

    assert ask()
    assert ask(DirectoryFilter.of(programs=["medicaid"], states=["KS"]))
    assert not ask(DirectoryFilter.of(programs=["medicare"]))
    assert not ask(DirectoryFilter.of(states=["MO"]))
    assert not ask(registry="heartland")
    assert not ask(on=now.replace(year=2019))


def test_EN_05_enrolling_changes_no_search(now: datetime, make: Make):
    def shown() -> list[int]:
        with reading() as tx:
            return found(tx, "halvor", EVERY_RECORD, now)

    with reading() as tx:
        chosen = tx.execute(select(Provider).where(Provider.provider_id == "100000002")).scalar_one()
    before = shown()
    make.affiliation(make.subject(), chosen)
    assert shown() == before == [0, 1, 2, 3, 4]


def test_a_filter_of_an_unknown_program_is_a_mistake():
    with pytest.raises(ValueError, match="medigap"):
        DirectoryFilter.of(programs=["medigap"])
    assert {each.value for each in Program} == {"medicaid", "medicare", "both"}
