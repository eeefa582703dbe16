"""Who may act for whom now (MODEL §1, §5, §10): every status, every reason, every shape of a choice."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.affiliations.references import pairwise_sub, tin_ref
from idp.affiliations.rules import Blocked, blocked, choices, levels_at, narrowed, status_at
from idp.affiliations.words import BLOCKED, STATUS
from idp.vocabulary.affiliation import AffiliationStatus as Status
from idp.vocabulary.affiliation import TargetKind as Kind
from idp.vocabulary.evidence import Evidence
from tests.affiliations.worlds import DORMANCY, NOW, held, partner, practice, provider, record, terms

A_SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Status.ACTIVE),
        ({"used_at": NOW - DORMANCY + A_SECOND}, Status.ACTIVE),
        ({"used_at": NOW - DORMANCY}, Status.DISABLED),
        ({"used_at": None}, Status.ACTIVE),
        ({"ends_at": NOW + A_SECOND}, Status.ACTIVE),
        ({"ends_at": NOW}, Status.ENDED),
        ({"ends_at": NOW, "status": Status.DISABLED}, Status.ENDED),
        ({"status": Status.ENDED}, Status.ENDED),
        ({"status": Status.UNVERIFIED}, Status.UNVERIFIED),
        ({"status": Status.VERIFICATION_PENDING}, Status.VERIFICATION_PENDING),
        ({"status": Status.DISABLED}, Status.DISABLED),
        ({"target": provider(in_force=False)}, Status.SUSPENDED),
        ({"target": provider(in_force=False), "used_at": NOW - DORMANCY}, Status.SUSPENDED),
        ({"target": provider(in_force=False), "status": Status.UNVERIFIED}, Status.UNVERIFIED),
    ],
)
def test_the_status_is_read_not_swept(changed: dict[str, Any], expected: Status) -> None:
    assert status_at(held(**changed), now=NOW, dormancy=DORMANCY) is expected


@given(st.integers(-200, 200), st.integers(-200, 200), st.sampled_from(Status))
def test_time_never_revives_an_affiliation(first: int, later: int, status: Status) -> None:
    row = held(status=status, ends_at=NOW, used_at=NOW - timedelta(days=30))
    before, after = sorted((NOW + timedelta(days=first), NOW + timedelta(days=later)))
    if status_at(row, now=before, dormancy=DORMANCY) is not Status.ACTIVE:
        assert status_at(row, now=after, dormancy=DORMANCY) is not Status.ACTIVE


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"status": Status.VERIFICATION_PENDING}, Blocked.VERIFICATION_PENDING),
        ({"status": Status.UNVERIFIED}, Blocked.UNVERIFIED),
        ({"status": Status.DISABLED, "disabled_by": "manager"}, Blocked.DISABLED_BY_MANAGER),
        ({"status": Status.DISABLED, "disabled_by": "payer"}, Blocked.DISABLED_BY_PAYER),
        ({"status": Status.DISABLED, "disabled_by": "dormant"}, Blocked.DORMANT),
        ({"used_at": NOW - DORMANCY}, Blocked.DORMANT),
        ({"target": provider(in_force=False)}, Blocked.SUSPENDED),
        ({"starts_at": NOW + A_SECOND}, Blocked.NOT_YET),
        ({"starts_at": NOW}, None),
        ({"ends_at": NOW}, Blocked.ENDED),
        ({"registry": "ozark"}, Blocked.OTHER_KIND),
        ({"target": partner()}, Blocked.OTHER_KIND),
        ({"evidence": (Evidence.DIRECTORY,)}, Blocked.WEAK_EVIDENCE),
        ({"evidence": ()}, Blocked.WEAK_EVIDENCE),
        ({"evidence": (Evidence.SELF, Evidence.PAYER)}, None),
        ({"levels": {}}, Blocked.NO_LEVEL),
        ({"levels": {"elsewhere": ("claims",)}}, Blocked.NO_LEVEL),
    ],
)
def test_each_reason_why_one_cannot_be_used_here(changed: dict[str, Any], reason: Blocked | None) -> None:
    assert blocked(held(**changed), terms=terms(), now=NOW, dormancy=DORMANCY) is reason


def test_each_reason_has_its_badge_and_its_sentence() -> None:
    assert set(BLOCKED) == set(STATUS) == set(Blocked)


ORDER = [{Evidence.SELF}, {Evidence.DIRECTORY}, {Evidence.LETTER, Evidence.MANAGER}, {Evidence.PAYER}]


@pytest.mark.parametrize("wanted", Evidence)
@pytest.mark.parametrize("given_by", Evidence)
def test_evidence_has_an_order_and_a_letter_equals_a_manager(given_by: Evidence, wanted: Evidence) -> None:
    place = {kind: number for number, kinds in enumerate(ORDER) for kind in kinds}
    found = blocked(held(evidence=(given_by,)), terms=terms(accepts=wanted), now=NOW, dormancy=DORMANCY)
    assert (found is None) is (place[given_by] >= place[wanted])


def test_default_levels_are_given_on_the_first_visit_only() -> None:
    asked = terms(default_levels=("inquiry",))
    assert levels_at(held(levels={}), asked) == ("inquiry",)
    assert levels_at(held(), asked) == ("claims",)


def offered(*every: Any, **kinds: Any) -> list[tuple[str, str | None, bool]]:
    found = choices(every, terms=kinds["terms"], now=NOW, dormancy=DORMANCY)
    return [(each.name, each.provider.provider_id if each.provider else None, each.whole) for each in found]


def test_a_practice_at_a_portal_for_providers_is_each_of_its_providers() -> None:
    clinic = practice(record(1), record(2), record(3, "group"))
    assert offered(held(clinic), terms=terms()) == [
        ("Provider 01", "1001", False), ("Provider 02", "1002", False), ("Provider 03", "1003", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((), [("Juniper Ridge Clinic", None, True)]),
        ((5,), [("Provider 05", "1005", True)]),
        ((5, 6), [("Provider 05", "1005", True), ("Provider 06", "1006", True)]),
    ],
)
def test_a_practice_as_a_whole_has_its_one_group_record_or_the_one_picked_or_none(
    groups: tuple[int, ...], expected: list[Any]
) -> None:
    clinic = practice(record(1), record(2), *(record(number, "group") for number in groups))
    assert offered(held(clinic), terms=terms(Kind.PRACTICE)) == expected
    assert offered(held(clinic), terms=terms(Kind.PRACTICE, Kind.PROVIDER)) == expected


def test_a_provider_is_nothing_to_a_portal_for_practices() -> None:
    assert offered(held(), terms=terms(Kind.PRACTICE)) == []


def test_a_trading_partner_is_itself() -> None:
    found = choices([held(partner())], terms=terms(Kind.TRADING_PARTNER), now=NOW, dormancy=DORMANCY)
    assert [(each.trading_partner_id, each.provider, each.practice_id) for each in found] == [("TP000001", None, None)]


def test_choices_come_last_used_first_then_by_name() -> None:
    rows = [
        held(provider(1), id=UUID(int=1), used_at=NOW - timedelta(days=9)),
        held(provider(2), id=UUID(int=2), used_at=NOW - timedelta(days=1)),
        held(provider(4), id=UUID(int=3), used_at=None),
        held(provider(3), id=UUID(int=4), used_at=None),
    ]
    assert [name for name, _, _ in offered(*rows, terms=terms())] == [
        "Provider 02", "Provider 01", "Provider 03", "Provider 04",
    ]  # fmt: skip


def test_the_use_of_a_practice_says_nothing_of_one_of_its_providers() -> None:
    def uses(target: Any, **changed: Any) -> set[Any]:
        found = choices([held(target, **changed)], terms=terms(), now=NOW, dormancy=DORMANCY)
        return {each.used_at for each in found}

    assert uses(practice(record(1), record(2))) == {None}
    assert uses(practice(record(1))) == {NOW - timedelta(days=1)}
    assert uses(provider(), last_used_at=None) == {None}


MANY = choices([held(practice(*(record(number) for number in range(1, 6))))], terms=terms(), now=NOW, dormancy=DORMANCY)


@given(
    st.sets(st.sampled_from(["1001", "1002", "9999"])),
    st.none() | st.sets(st.sampled_from([UUID(int=500), UUID(int=501)])),
)
def test_narrowing_only_narrows(provider_ids: set[str], practices: set[UUID] | None) -> None:
    left = narrowed(MANY, provider_ids=provider_ids, practice_ids=practices)
    assert set(left) <= set(MANY)
    assert all(not provider_ids or (each.provider and each.provider.provider_id in provider_ids) for each in left)
    assert all(practices is None or each.practice_id in practices for each in left)


def test_narrowing_by_a_tin_nobody_holds_leaves_nothing() -> None:
    assert narrowed(MANY, practice_ids=set()) == ()


def test_the_form_value_of_a_choice_is_its_own() -> None:
    assert len({each.key for each in MANY}) == len(MANY)
    assert all(
        each.same_target(affiliation_id=each.affiliation_id, provider_id=each.provider.id)
        for each in MANY
        if each.provider
    )


def test_UI_05_names_for_one_sector_say_nothing_at_another() -> None:
    key, other = bytes(32), bytes(31) + b"\x01"
    names = {pairwise_sub("rosa", sector=sector, key=made) for sector in ("a.test", "b.test") for made in (key, other)}
    assert len(names) == 4
    assert all(len(name) == 52 and name.islower() for name in names)
    refs = {tin_ref(UUID(int=number), sector=sector, key=key) for sector in ("a.test", "b.test") for number in (1, 2)}
    assert len(refs) == 4
    assert (
        tin_ref(UUID(int=1), sector="a.test", key=key) != pairwise_sub(UUID(int=1).hex, sector="a.test", key=key)[:26]
    )
