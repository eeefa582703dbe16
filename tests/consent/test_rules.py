"""When a standing grant serves an authorization (MODEL §1: one target a grant)."""

from uuid import UUID

import pytest

from tests.consent.worlds import authorized

A, P, R = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.mark.parametrize(
    ("affiliation", "provider", "practice", "same"),
    [(A, P, R, True), (A, None, R, False), (A, R, R, False), (R, P, R, False), (A, P, None, False), (None,) * 3 + (False,)],
)  # fmt: skip
def test_only_the_same_affiliation_provider_and_practice_is_the_same_act(
    affiliation: UUID | None, provider: UUID | None, practice: UUID | None, same: bool
) -> None:
    act = authorized(affiliation_id=A, provider_id=P, practice_id=R)
    assert act.same_act(affiliation_id=affiliation, provider_id=provider, practice_id=practice) is same


def test_acting_for_nobody_is_an_act_of_its_own() -> None:
    assert authorized().same_act(affiliation_id=None, provider_id=None, practice_id=None)
