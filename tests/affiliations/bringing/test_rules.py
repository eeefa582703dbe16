"""Which access of another registry may be used at a portal too: every reason, and what never counts (MODEL §1)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from idp.affiliations.bringing.rules import Given, Here, Own, Reason, There, brings
from idp.affiliations.bringing.words import REFUSED
from idp.affiliations.rules import Blocked, Held, PortalTerms, blocked, manages_at
from idp.vocabulary.affiliation import AffiliationStatus as Status
from idp.vocabulary.affiliation import TargetKind as Kind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from tests.affiliations.worlds import DORMANCY, NOW, held, partner, practice, provider

TERMS = PortalTerms(
    client_id="ozark-secure",
    registry="ozark",
    acting_for=frozenset({Kind.PROVIDER, Kind.PRACTICE}),
    accepts=Evidence.DIRECTORY,
    default_levels=("claims.inquiry",),
    accepts_evidence_from=frozenset({"heartland"}),
)
A_PROVIDER, A_PRACTICE = provider(), practice()
LETTER = Given(Evidence.LETTER, "cascade-mmis", NOW - timedelta(days=9))


def there(*kinds: Evidence, **changed: Any) -> There:
    values = {"registry": "heartland", "target": A_PROVIDER} | changed
    return There(held(**values), tuple(replace(LETTER, kind=kind) for kind in kinds or (Evidence.LETTER,)))


def here(**changed: Any) -> Here:
    values = {
        "registry": "ozark", "kind": Kind.PROVIDER, "id": uuid4(), "practice_id": A_PROVIDER.practice_id,
        "npi": A_PROVIDER.providers[0].npi, "in_force": True, "managed": False,
    }  # fmt: skip
    return Here(**(values | changed))


def judged(source: There, target: Here, **terms: Any) -> Given | Reason:
    found = brings(source, target, terms=replace(TERMS, **terms), now=NOW, dormancy=DORMANCY)
    return found if isinstance(found, Given) else Reason(found.reason)


def test_the_strongest_proof_of_the_same_record_is_brought() -> None:
    assert judged(there(), here()) == LETTER
    assert judged(there(Evidence.DIRECTORY, Evidence.LETTER), here()) == LETTER
    whole = here(kind=Kind.PRACTICE, id=A_PRACTICE.id, practice_id=A_PRACTICE.practice_id, npi=None)
    assert judged(there(target=A_PRACTICE), whole) == LETTER


@pytest.mark.parametrize(
    ("source", "target", "terms", "reason"),
    [
        (there(registry="third"), here(), {}, Reason.NOT_ACCEPTED),
        (there(registry="ozark"), here(), {"accepts_evidence_from": frozenset({"ozark"})}, Reason.NOT_ACCEPTED),
        (there(), here(), {"accepts_evidence_from": frozenset()}, Reason.NOT_ACCEPTED),
        (there(status=Status.DISABLED), here(), {}, Reason.NOT_ACTIVE_THERE),
        (there(status=Status.UNVERIFIED), here(), {}, Reason.NOT_ACTIVE_THERE),
        (there(used_at=NOW - DORMANCY), here(), {}, Reason.NOT_ACTIVE_THERE),
        (there(target=provider(in_force=False)), here(), {}, Reason.NOT_ACTIVE_THERE),
        (there(starts_at=NOW + timedelta(days=1)), here(), {}, Reason.NOT_ACTIVE_THERE),
        (there(ends_at=NOW + timedelta(days=1)), here(), {}, Reason.ENDS_THERE),
        (there(target=partner()), here(kind=Kind.TRADING_PARTNER, practice_id=None), {}, Reason.OTHER_TARGET),
        (there(), here(npi="1999999984"), {}, Reason.OTHER_TARGET),
        (there(), here(practice_id=uuid4()), {}, Reason.OTHER_TARGET),
        (there(), here(registry="heartland"), {}, Reason.OTHER_TARGET),
        (there(), here(), {"acting_for": frozenset({Kind.PRACTICE})}, Reason.OTHER_TARGET),
        (there(), here(in_force=False), {}, Reason.NOT_IN_FORCE),
        (there(), here(), {"default_levels": ()}, Reason.NO_LEVEL),
        (there(Evidence.SELF), here(), {"accepts": Evidence.SELF}, Reason.WEAK_EVIDENCE),
        (there(Evidence.MANAGER), here(), {}, Reason.WEAK_EVIDENCE),
        (there(Evidence.DIRECTORY), here(), {"accepts": Evidence.LETTER}, Reason.WEAK_EVIDENCE),
        (there(), here(moved_at=NOW - timedelta(days=1)), {}, Reason.WEAK_EVIDENCE),
        (there(Evidence.DIRECTORY), here(managed=True), {}, Reason.MANAGED),
        (there(), here(own=Own(Status.DISABLED)), {}, Reason.DECIDED_HERE),
        (there(), here(own=Own(Status.ENDED)), {}, Reason.DECIDED_HERE),
        (there(), here(own=Own(Status.SUSPENDED)), {}, Reason.DECIDED_HERE),
        (there(), here(own=Own(Status.VERIFICATION_PENDING)), {}, Reason.DECIDED_HERE),
        (there(), here(own=Own(Status.ACTIVE, levels={"ozark-secure": ("admin",)})), {}, Reason.DECIDED_HERE),
        (there(), here(own=Own(Status.ACTIVE, accepted=True)), {}, Reason.NO_NEED),
    ],
)
def test_C6_X4_what_does_not_fit_is_not_brought(
    source: There, target: Here, terms: dict[str, Any], reason: Reason
) -> None:
    assert judged(source, target, **terms) is reason


def test_C8_a_letter_asks_no_manager_and_weak_access_here_is_strengthened() -> None:
    assert judged(there(), here(managed=True)) == LETTER
    assert judged(there(), here(own=Own(Status.ACTIVE, levels={"ozark-exchange": ("admin",)}))) == LETTER


def _brought(**changed: Any) -> Held:
    values: dict[str, Any] = {"registry": "ozark", "evidence": (), "brought": (("heartland", Evidence.PAYER),)}
    return held(**(values | changed))


def test_D5_what_was_brought_counts_only_where_it_is_accepted_and_manages_nothing() -> None:
    stranger = replace(TERMS, accepts_evidence_from=frozenset({"third"}))
    assert blocked(_brought(), terms=TERMS, now=NOW, dormancy=DORMANCY) is None
    assert blocked(_brought(), terms=stranger, now=NOW, dormancy=DORMANCY) is Blocked.WEAK_EVIDENCE
    marked = _brought(account_manager=True)
    assert not manages_at(marked, terms=TERMS, now=NOW, dormancy=DORMANCY)
    assert manages_at(replace(marked, evidence=(Evidence.PAYER,)), terms=TERMS, now=NOW, dormancy=DORMANCY)


def test_every_reason_has_its_sentence() -> None:
    assert set(REFUSED) == set(Reason)
    assert isinstance(brings(there(), here(in_force=False), terms=TERMS, now=NOW, dormancy=DORMANCY), Refused)
