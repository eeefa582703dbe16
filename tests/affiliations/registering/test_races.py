"""EN-17: two first managers at once; one letter twice at once; judged by rows, on both databases."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from idp.affiliations.models import Affiliation
from idp.affiliations.registering.rules import Outcome
from idp.affiliations.registering.service import Registered
from idp.affiliations.requests.models import AccessRequest
from idp.directory.models import PinLetter
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused
from tests.affiliations.pins.posted import portal
from tests.affiliations.registering.world import by_letter, by_match, matching, register
from tests.attacks import invariants

pytestmark = pytest.mark.both


def at_once(app: Any, *acts: Callable[[], object]) -> list[object]:
    """All of them behind one barrier, each in a thread and an application context of its own."""
    barrier, outcomes = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait(20)
            try:
                outcomes[number] = act()
            except Exception as error:  # judged by the test
                outcomes[number] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


@pytest.mark.parametrize("race", range(5))
def test_EN_17_two_first_managers_at_once_are_one_manager_and_one_request(
    app: Any, make: Any, now: Any, race: int
) -> None:
    party, practice = matching(make), make.practice("981112223")
    provider = make.provider("100200300", practice=practice, tin="981112223")
    proofs = (by_match(practice.id, kind=TargetKind.PRACTICE), by_match(practice.id, kind=TargetKind.PRACTICE))
    people = [make.subject() for _ in range(4)]
    acts = [lambda person=person, proof=proof: register(person, party, proof, now=now)
            for person, proof in zip(people, (*proofs, *proofs), strict=True)]  # fmt: skip
    outcomes = at_once(app, *acts)
    assert all(isinstance(outcome, Registered) for outcome in outcomes), outcomes
    assert sorted(outcome.outcome for outcome in outcomes) == [Outcome.ACTIVE] + [Outcome.REQUESTED] * 3
    (manager,) = make.rows(Affiliation)
    assert (manager.account_manager, manager.target_id) == (True, practice.id)
    assert len(make.rows(AccessRequest)) == 3
    assert provider.practice_id == practice.id
    invariants.hold()


@pytest.mark.parametrize("race", range(5))
def test_EN_02_one_letter_redeemed_by_four_at_once_makes_one_affiliation(
    app: Any, make: Any, now: Any, race: int
) -> None:
    party, provider = portal(make), make.provider("100200300")
    proof = by_letter(party, provider, now=now)
    people = [make.subject() for _ in range(4)]
    outcomes = at_once(app, *[lambda person=person: register(person, party, proof, now=now) for person in people])
    assert sum(isinstance(outcome, Registered) for outcome in outcomes) == 1, outcomes
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 3, outcomes
    assert len(make.rows(Affiliation)) == 1
    assert [row.used_on for row in make.rows(PinLetter)] == [now.date()]
    invariants.hold()


@pytest.mark.parametrize("race", range(3))
def test_X4_one_person_registering_twice_at_once_has_one_affiliation(app: Any, make: Any, now: Any, race: int) -> None:
    party, provider, person = matching(make), make.provider("100200300"), make.subject()
    outcomes = at_once(app, *[lambda: register(person, party, by_match(provider.id), now=now)] * 3)
    assert sorted(getattr(outcome, "outcome", "") for outcome in outcomes) == [
        Outcome.ACTIVE, Outcome.STRENGTHENED, Outcome.STRENGTHENED,
    ]  # fmt: skip
    assert len(make.rows(Affiliation)) == 1
