"""Which access of another registry a person may use at a portal too. Pure (MODEL §1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from idp.affiliations.rules import Held, PortalTerms, serves, status_at
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

BRINGABLE: Final = frozenset({Evidence.DIRECTORY, Evidence.LETTER, Evidence.PAYER})
"""A manager's word counts where that manager decides, and one's own word nowhere else."""


class Reason(StrEnum):
    """Why access is not brought."""

    UNKNOWN = "unknown"
    NOT_ACCEPTED = "not_accepted"
    NOT_ACTIVE_THERE = "not_active_there"
    ENDS_THERE = "ends_there"
    OTHER_TARGET = "other_target"
    NOT_IN_FORCE = "not_in_force"
    WEAK_EVIDENCE = "weak_evidence"
    MANAGED = "managed"
    DECIDED_HERE = "decided_here"
    NO_NEED = "no_need"
    NO_LEVEL = "no_level"
    PERSON_NOT_READY = "person_not_ready"


@dataclass(frozen=True, slots=True)
class Given:
    """One proof that the access there rests on: its kind, the portal that took it, when."""

    kind: Evidence
    portal: str
    at: datetime


@dataclass(frozen=True, slots=True)
class There:
    """What the person holds in the other registry; `given` leaves out what was itself brought."""

    held: Held
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """The newest affiliation to the target here that the person has or had; its effective status."""

    status: AffiliationStatus
    accepted: bool = False
    levels: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """The target as this portal's registry has it now."""

    registry: str
    kind: TargetKind
    id: UUID
    practice_id: UUID | None
    npi: str | None
    """A provider's; a practice is known by its TIN, which is its identity in every registry."""
    in_force: bool
    managed: bool
    """Somebody else manages it at this portal now."""
    moved_at: datetime | None = None
    own: Own | None = None


def brings(there: There, here: Here, *, terms: PortalTerms, now: datetime, dormancy: timedelta) -> Given | Refused:
    """The proof that is brought, the strongest, or why none is."""
    held = there.held
    if held.registry == terms.registry or held.registry not in terms.accepts_evidence_from:
        return Refused(Reason.NOT_ACCEPTED)
    if status_at(held, now=now, dormancy=dormancy) is not AffiliationStatus.ACTIVE or now < held.starts_at:
        return Refused(Reason.NOT_ACTIVE_THERE)
    if held.ends_at is not None:
        return Refused(Reason.ENDS_THERE)
    if here.registry != terms.registry or not serves(here.kind, terms) or not _same_target(held, here):
        return Refused(Reason.OTHER_TARGET)
    if not here.in_force:
        return Refused(Reason.NOT_IN_FORCE)
    if not terms.default_levels:
        return Refused(Reason.NO_LEVEL)
    refused = _decided_here(here.own, terms)
    return _proof(there, here, terms) if refused is None else refused


def _same_target(held: Held, here: Here) -> bool:
    """The same TIN, and for a provider's record the same NPI; trading partners have no number in common."""
    target = held.target
    if target.kind is not here.kind or target.practice_id is None or target.practice_id != here.practice_id:
        return False
    if here.kind is TargetKind.PRACTICE:
        return target.id == here.id
    return here.kind is TargetKind.PROVIDER and any(
        provider.id == target.id and provider.npi == here.npi for provider in target.providers
    )


def _decided_here(own: Own | None, terms: PortalTerms) -> Refused | None:
    """What was disabled, ended or is being verified here stays so; levels that a manager gave are not woken."""
    if own is None:
        return None
    if own.status is not AffiliationStatus.ACTIVE:
        return Refused(Reason.DECIDED_HERE)
    if own.accepted:
        return Refused(Reason.NO_NEED)
    kept = (own.levels or {}).get(terms.client_id, ())
    return None if set(kept) <= set(terms.default_levels) else Refused(Reason.DECIDED_HERE)


def _proof(there: There, here: Here, terms: PortalTerms) -> Given | Refused:
    fresh = (each for each in there.given if here.moved_at is None or each.at >= here.moved_at)
    enough = [each for each in fresh if each.kind in BRINGABLE and each.kind.suffices(terms.accepts)]
    best = max(enough, key=lambda each: (each.kind.strength, each.at), default=None)
    if best is None:
        return Refused(Reason.WEAK_EVIDENCE)
    if here.managed and not best.kind.suffices(Evidence.LETTER):
        return Refused(Reason.MANAGED)
    return best
