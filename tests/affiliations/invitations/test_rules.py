"""What a yes to an invitation does (MODEL §10; EN-13, AD-12)."""

from typing import Any

import pytest

from idp.affiliations.invitations.rules import Answer, Effect, Reason, effect_of
from idp.vocabulary.affiliation import AffiliationStatus as S
from idp.vocabulary.refused import Refused


def answer(own: S | None = None, **changed: Any) -> Answer:
    values: dict[str, Any] = {"alive": True, "addressed": True, "in_force": True, "backed": True}
    return Answer(**({"for_affiliation": False, "own_hand": False, "own": own} | values | changed))


@pytest.mark.parametrize(
    ("own", "effect"),
    [
        (None, Effect.NEW),
        (S.ENDED, Effect.NEW),
        (S.ACTIVE, Effect.STRENGTHEN),
        (S.VERIFICATION_PENDING, Effect.ACTIVATE),
        (S.UNVERIFIED, Effect.ACTIVATE),
        (S.DISABLED, Effect.ACTIVATE),
        (S.SUSPENDED, Refused(Reason.SUSPENDED)),
    ],
)
def test_B7_what_an_invitation_does_to_what_is_there(own: S | None, effect: Effect | Refused) -> None:
    assert effect_of(answer(own)) == effect


@pytest.mark.parametrize(
    ("own", "outcome"),
    [
        (S.UNVERIFIED, Effect.ACTIVATE),
        (S.DISABLED, Refused(Reason.DEAD_LINK)),
        (S.ENDED, Refused(Reason.DEAD_LINK)),
        (None, Refused(Reason.DEAD_LINK)),
    ],
)
def test_E5_a_registration_link_completes_what_waits_and_revives_nothing(own: S | None, outcome: Any) -> None:
    assert effect_of(answer(own, for_affiliation=True)) == outcome


def test_MODEL_7_no_manager_s_invitation_undoes_the_payer_s_disabling() -> None:
    assert effect_of(answer(S.DISABLED, disabled_by="payer")) == Refused(Reason.BY_PAYER)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"alive": False}, Reason.DEAD_LINK),
        ({"addressed": False}, Reason.NOT_YOURS),
        ({"in_force": False}, Reason.NOT_IN_FORCE),
        ({"backed": False}, Reason.INVITER_GONE),
        ({"own_hand": True}, Reason.OWN),
    ],
)
def test_EN_13_who_may_not_accept(changed: dict[str, bool], reason: Reason) -> None:
    assert effect_of(answer(**changed)) == Refused(reason)
