"""The typed details against the directory: a target, several records to choose from, or a reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from idp.directory import service as directory
from idp.directory.matching import service as matching
from idp.directory.matching.rules import Ambiguous, GroupClaim, PracticeMatch, PractitionerClaim, ProviderMatch
from idp.directory.rules import ProviderFacts
from idp.enrollment import claims
from idp.enrollment.claims import Differs
from idp.enrollment.step import At
from idp.enrollment.steps.associate_provider.declared import PRACTITIONER
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Candidates:
    """Several records meet everything that was typed."""

    records: tuple[ProviderFacts, ...]


def match(
    tx: Session, at: At, *, kind: str, typed: Mapping[str, str], choice: str
) -> dict[str, Any] | Candidates | Refused:
    """The target as kept answers: a practitioner's record, or a group's practice with all its providers (C7).

    A choice counts only among the records that match now; anything else asks again.
    """
    found = _ask(tx, at, kind=kind, typed=typed)
    if isinstance(found, Refused):
        return found
    if isinstance(found, Ambiguous):
        record = next((each for each in found.choices if str(each.id) == choice), None)
        return Candidates(found.choices) if record is None else _target(tx, kind, record, at)
    if isinstance(found, ProviderMatch):
        return claims.provider_target(found.provider, at=at)
    return claims.practice_target(found.practice, at=at)


def _ask(
    tx: Session, at: At, *, kind: str, typed: Mapping[str, str]
) -> ProviderMatch | PracticeMatch | Ambiguous | Refused:
    registry, asked = claims.registry_of(at), list(typed)
    if kind == PRACTITIONER:
        return matching.match_practitioner(tx, PractitionerClaim.of(asked, typed), registry=registry, now=at.now)
    return matching.match_group(tx, GroupClaim.of(asked, typed), registry=registry, now=at.now)


def _target(tx: Session, kind: str, record: ProviderFacts, at: At) -> dict[str, Any] | Refused:
    if kind == PRACTITIONER:
        return claims.provider_target(record, at=at)
    practice = directory.practice(tx, record.practice_id)
    return Refused(Differs.NO_LONGER_FOUND) if practice is None else claims.practice_target(practice, at=at)
