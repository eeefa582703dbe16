"""Found by any word, in one order, page by page, misspelt or not: the same on both databases."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.directory import service
from idp.directory.imports.name_words import put_in
from idp.directory.models import NameWord
from idp.directory.search import rules
from idp.foundation.database import reading
from tests.directory.files import CLINIC_NPI, OFF, PERSON_NPI, PRACTITIONER, taken
from tests.directory.npi.test_import import bundle, practitioner

pytestmark = pytest.mark.both

LAST = "Provider Last Name (Legal Name)"
NAMES = [
    "John Smith", "Joan Smithson", "Ann Smith-Smithers", "John Q Johnson", "Mary Johnson", "Peter Johnston", "Łucja Ågren",
    "Müller, Jürgen", "Fiona O'Dell", "John Jones",
]  # fmt: skip

WRITTEN = ["Zoe Abel", "Abelard Zoeller", "Al Zoe Abel", "Zoe A Abel", "Abel Zoe"]


@pytest.fixture
def roster(tx: Session, now: datetime) -> None:
    tx.rollback()
    rows = [PRACTITIONER | {"provider_id": f"{100000000 + n}", "legal_name": name} for n, name in enumerate(NAMES)]
    taken(rows, now=now)


@pytest.fixture
def npis(tx: Session, now: datetime) -> None:
    tx.rollback()
    taken([PERSON_NPI, CLINIC_NPI, OFF | {"NPI": "1427051457"}], "nppes", now=now)


def names(tx: Session, text: str, now: datetime, **more: Any) -> list[str]:
    return [each.name for each in service.search_providers(tx, "ozark", text, now=now, **more).providers]


def pages(
    tx: Session, text: str, now: datetime, *, before_next: Callable[[], object] = lambda: None, marked: bool = True
) -> list[str]:
    """One name a page; `marked`: whose place says how it was read, as the release before did not."""
    shown: list[str] = []
    after = None
    for _ in range(len(NAMES) + len(WRITTEN) + 1):
        page = service.search_providers(tx, "ozark", text, after, 1, now=now)
        shown += [each.name for each in page.providers]
        if page.after is None:
            break
        after = page.after if marked else (page.after[0], page.after[1].partition(" ")[0])
        before_next()
    return shown


@pytest.mark.usefixtures("roster")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("smi", ["Ann Smith-Smithers", "John Smith", "Joan Smithson"]),
        ("smith", ["Ann Smith-Smithers", "John Smith", "Joan Smithson"]),
        ("smithe", ["Ann Smith-Smithers"]),
        ("joh", ["John Jones", "John Q Johnson", "John Smith", "Mary Johnson", "Peter Johnston"]),
        ("JOHN johnson", ["John Q Johnson", "Mary Johnson"]),
        ("johnson q", ["John Q Johnson"]),
        ("q", ["John Q Johnson"]),
        ("muller", ["Müller, Jürgen"]),
        ("łuc agr", ["Łucja Ågren"]),
        ("smith jones", []),
    ],
)
def test_names_are_found_by_the_beginning_of_any_word_each_once(
    tx: Session, now: datetime, text: str, found: list[str]
):
    assert names(tx, text, now) == found
    assert service.search_providers(tx, "ozark", text, now=now).meant is None


@pytest.mark.usefixtures("roster")
@pytest.mark.parametrize(
    ("text", "meant", "found"),
    [
        ("smtih", ("smith",), ["Ann Smith-Smithers", "John Smith", "Joan Smithson"]),
        ("jonson", ("johnson",), ["John Q Johnson", "Mary Johnson"]),
        ("mary jonsohn", ("mary", "johnson"), ["Mary Johnson"]),
        ("odel john", None, []),
        ("oddell", ("odell",), ["Fiona O'Dell"]),
        ("xmith", None, []),
        ("jonh jonse", ("john", "jones"), ["John Jones"]),
    ],
)
def test_a_word_that_is_in_no_name_finds_its_nearest(
    tx: Session, now: datetime, text: str, meant: tuple[str, ...] | None, found: list[str]
):
    page = service.search_providers(tx, "ozark", text, now=now)
    assert (page.meant, [each.name for each in page.providers]) == (meant, found)


@pytest.mark.usefixtures("roster")
@pytest.mark.parametrize("text", ["joh", "smi", "smtih", "1234567893"])
def test_pages_join_without_gap_or_repeat(tx: Session, now: datetime, text: str):
    shown = pages(tx, text, now)
    assert shown == names(tx, text, now)
    assert len(set(shown)) == len(shown)


@pytest.mark.usefixtures("roster")
@pytest.mark.parametrize(
    "after", [("", ""), ("john", "x"), ("\x00", "\x00"), ("\ud800 x", "0" * 32), ("smith john smith", "%"), ("'", "' OR 1=1--")]
)  # fmt: skip
def test_ST_01_a_place_that_no_page_gave_is_a_place_or_none_never_an_error(
    tx: Session, now: datetime, after: tuple[str, str]
):
    assert set(names(tx, "john", now, after=after)) <= set(names(tx, "john", now))
    service.search_npi(tx, "john", after)
    service.search_providers(tx, "ozark", "1234567893", after, now=now)


@pytest.mark.usefixtures("npis")
def test_npi_records_are_found_by_number_and_name_and_state(tx: Session):
    (person,) = service.search_npi(tx, "halv").records
    assert (person.npi, person.source, person.state, person.status) == ("1234567893", "nppes", "CT", "active")
    assert service.search_npi(tx, "1234567893").records == (person,)
    assert [each.name for each in service.search_npi(tx, "clinic juniper", state="CT").records] == [
        "JUNIPER RIDGE CLINIC, INC."
    ]
    assert service.search_npi(tx, "halv", state="MO").records == ()
    assert service.search_npi(tx, "halvrosen").meant == ("halvorsen",)
    (off,) = service.search_npi(tx, "1427051457").records
    assert (off.status, off.name) == ("deactivated", "")
    assert service.search_npi(tx, "%").records == ()


@pytest.mark.usefixtures("roster")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("smith john", ["John Smith"]),
        ("smith joan", ["Joan Smithson"]),
        ("john johnson", ["John Q Johnson", "Mary Johnson"]),
        ("johnson john", ["John Q Johnson", "Mary Johnson"]),
        ("q johnson j", ["John Q Johnson"]),
        ("smithson joan", ["Joan Smithson"]),
        ("s ann", ["Ann Smith-Smithers"]),
        ("johnson smith", []),
        ("j john", ["John Jones", "John Q Johnson", "John Smith", "Mary Johnson", "Peter Johnston"]),
        ("jonh smtih", ["John Smith"]),
    ],
)
def test_common_words_find_the_same_names_each_once_on_pages_that_join(
    tx: Session, now: datetime, monkeypatch: pytest.MonkeyPatch, text: str, found: list[str]
):
    rare = set(names(tx, text, now))
    monkeypatch.setattr(rules, "COUNTED", 1)
    shown = names(tx, text, now)
    assert sorted(shown) == sorted(rare) == sorted(found)
    assert pages(tx, text, now) == shown


@pytest.mark.usefixtures("roster")
def test_of_common_words_names_that_begin_with_the_first_typed_come_first(
    tx: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    taken(
        [PRACTITIONER | {"provider_id": f"30000000{n}", "legal_name": name} for n, name in enumerate(WRITTEN)], now=now
    )
    rare = names(tx, "zoe abel", now)
    monkeypatch.setattr(rules, "COUNTED", 1)
    shown = ["Zoe A Abel", "Zoe Abel", "Abel Zoe", "Al Zoe Abel", "Abelard Zoeller"]
    assert pages(tx, "zoe abel", now) == pages(tx, "zoe abel", now, marked=False) == shown
    assert pages(tx, "abel zoe", now)[0] == "Abel Zoe"
    turned = [
        pages(tx, "zoe abel", now, before_next=partial(monkeypatch.setattr, rules, "COUNTED", least))
        for least in (2000, 1)
    ]
    assert turned == [shown, rare], "words that cross the line between two pages repeat nobody and leave nobody out"


def test_npi_records_page_by_key(tx: Session, now: datetime):
    tx.rollback()
    numbers = ["1234567893", "1982607537", "1427051457", "1184627184"]
    taken([PERSON_NPI | {"NPI": npi} for npi in numbers], "nppes", now=now)
    seen, after = [], None
    for _ in range(5):
        page = service.search_npi(tx, "halvorsen", after, 1)
        seen += [each.npi for each in page.records]
        after = page.after
        if after is None:
            break
    assert seen == sorted(numbers)
    assert all(one < other for one, other in pairwise(seen))


def test_an_npi_that_several_sources_name_alike_is_shown_once_with_all_of_them(tx: Session, now: datetime):
    tx.rollback()
    numbers = ["1184627184", "1234567893", "1427051457", "1982607537"]
    taken([PERSON_NPI | {"NPI": npi} for npi in numbers[:3]], "nppes", now=now)
    alike = [{"family": "Halvorsen", "given": ["Inés", "M"]}]
    address = [{"state": "CT", "postalCode": "06002"}]
    for registry, wanted in (("ozark", numbers[1:]), ("heartland", numbers[1:])):
        resources = [practitioner(npi, name=alike, address=address) for npi in wanted]
        taken(bundle(*resources), "fhir", now=now, registry=registry)
    both = ("fhir:heartland", "fhir:ozark")
    expected = [
        (numbers[0], "nppes", ()),
        *((npi, "nppes", both) for npi in numbers[1:3]),
        (numbers[3], both[0], both[1:]),
    ]
    for limit in (1, 2, 4, 7, 25):
        seen, after = [], None
        for _ in range(12):
            page = service.search_npi(tx, "halvorsen", after, limit)
            seen += [(each.npi, each.source, each.also) for each in page.records]
            after = page.after
            if after is None:
                break
        if limit > 2:
            assert seen == expected, limit
        assert sorted({npi for npi, *_ in seen}) == numbers, (
            "a page smaller than the sources of one NPI may show it twice"
        )
    assert [each.also for each in service.search_npi(tx, numbers[1]).records] == [both]
    tx.rollback()
    taken(bundle(practitioner(numbers[0], name=[{"family": "Halvorsen", "given": ["Ida"]}])), "fhir", now=now)
    assert len(service.search_npi(tx, numbers[0]).records) == 2, "they name it otherwise"


def test_a_word_is_put_into_the_vocabulary_once(tx: Session):
    known: set[str] = set()
    put_in(tx, ["b", "a", "b"], scope="ozark", known=known)
    put_in(tx, ["b", "c"], scope="ozark", known=set())
    put_in(tx, ["b"], scope="heartland", known=set())
    assert known == {"a", "b"}


def test_of_common_words_the_one_that_fewest_names_have_is_looked_up_and_every_page_goes_on_with_it(
    tx: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    """Counted as an import ends; a count that is another one between two pages repeats nobody and leaves nobody out."""
    tx.rollback()
    monkeypatch.setattr(rules, "COUNTED", 2)
    named = ["Bo Ann Cy", "Dee Ann Cyr", "Eve Annis Cy", "Flo Ann", "Gus Ann"]
    roster = [PRACTITIONER | {"provider_id": f"40000000{n}", "legal_name": name} for n, name in enumerate(named)]
    taken(roster, now=now)
    assert _counted() == {"ann": 4, "cy": 2}
    assert names(tx, "ann cy", now) == ["Bo Ann Cy", "Eve Annis Cy", "Dee Ann Cyr"]
    first = service.search_providers(tx, "ozark", "ann cy", None, 1, now=now)
    tx.rollback()
    more = [roster[4] | {"provider_id": f"50000000{n}", "legal_name": f"Hal Cy{n} Cy"} for n in range(4)]
    taken([*more, roster[4] | {"legal_name": "Gus Cy"}], now=now)
    assert _counted() == {"ann": 3, "cy": 7, "hal": 4}
    rest = service.search_providers(tx, "ozark", "ann cy", first.after, 9, now=now)
    assert [each.name for each in rest.providers] == ["Eve Annis Cy", "Dee Ann Cyr"]
    assert names(tx, "ann cy", now) == ["Bo Ann Cy", "Dee Ann Cyr", "Eve Annis Cy"]
    tx.rollback()
    taken([row | {"legal_name": "Ida Ivy"} for row in more], now=now)
    assert _counted() == {"ann": 3, "cy": 3, "ida": 4, "ivy": 4}


def _counted() -> dict[str, int]:
    with reading() as tx:
        return {row.word: row.names for row in tx.execute(select(NameWord).where(NameWord.names > 0)).scalars()}
