"""Who may act for whom now: effective status, and the choices that a person has at a portal (MODEL §1, §5, §10)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence

PENDING_LIFETIME: Final = timedelta(days=30)
"""How long a claim waits to be verified; then it reads `ended` (MODEL §9)."""


class Reason(StrEnum):
    """Why nothing can be chosen, or a choice is not taken."""

    NO_VALID_AFFILIATION = "no_valid_affiliation"
    NOT_HELD = "not_held"
    UNKNOWN_CHOICE = "unknown_choice"


class Blocked(StrEnum):
    """Why one affiliation cannot be used at a portal; the page words each and says who can change it."""

    VERIFICATION_PENDING = "verification_pending"
    UNVERIFIED = "unverified"
    DISABLED_BY_MANAGER = "disabled_by_manager"
    DISABLED_BY_PAYER = "disabled_by_payer"
    DORMANT = "dormant"
    SUSPENDED = "suspended"
    NOT_YET = "not_yet"
    ENDED = "ended"
    OTHER_KIND = "other_kind"
    WEAK_EVIDENCE = "weak_evidence"
    NO_LEVEL = "no_level"


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """A provider record in force that an affiliation may act for."""

    id: UUID
    provider_id: str
    npi: str
    provider_type: str
    name: str
    practice_id: UUID


@dataclass(frozen=True, slots=True)
class Target:
    """What an affiliation points at, as the roster has it today."""

    kind: TargetKind
    id: UUID
    name: str
    in_force: bool
    practice_id: UUID | None = None
    """The practice itself, or the provider's; `None` for a trading partner."""
    tin_masked: str | None = None
    trading_partner_id: str | None = None
    providers: tuple[ProviderChoice, ...] = ()
    """The provider itself, or the practice's providers in force (at most a page of them)."""
    more_providers: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """One affiliation of one person."""

    id: UUID
    registry: str
    target: Target
    status: AffiliationStatus
    starts_at: datetime
    epoch: int
    ends_at: datetime | None = None
    disabled_by: str | None = None
    used_at: datetime | None = None
    """Activation or the last interactive authorization under it, whichever is later (MODEL §9)."""
    last_used_at: datetime | None = None
    """The last interactive authorization alone: what a person would call *used*."""
    evidence: tuple[Evidence, ...] = ()
    brought: tuple[tuple[str, Evidence], ...] = ()
    """Evidence of other registries, with their names: it lets nobody manage, and acts where a portal accepts it."""
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    account_manager: bool = False
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PortalTerms:
    """What a portal asks of an affiliation (its manifest's `[portal]`)."""

    client_id: str
    registry: str
    acting_for: frozenset[TargetKind]
    accepts: Evidence
    default_levels: tuple[str, ...] = ()
    accepts_for_manager: Evidence = Evidence.PAYER
    accepts_evidence_from: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to act at a portal: an affiliation, and the provider or practice acted for through it."""

    affiliation_id: UUID
    affiliation_epoch: int
    kind: TargetKind
    target_id: UUID
    name: str
    provider: ProviderChoice | None
    practice_id: UUID | None
    tin_masked: str | None
    trading_partner_id: str | None
    levels: tuple[str, ...]
    whole: bool = False
    """The practice as a whole; `provider` is then its one group record, the one picked, or none (MODEL §1)."""
    ends_at: datetime | None = None
    used_at: datetime | None = None
    has_levels: bool = False
    """Its levels were given before: they are not merely the portal's default ones."""
    target_name: str = ""
    """The affiliation's own target: for a provider of a practice, the practice."""

    @property
    def key(self) -> str:
        """What stands in the form: affiliation, then provider or `-` for the target as a whole."""
        return f"{self.affiliation_id.hex}.{self.provider.id.hex if self.provider else '-'}"

    def same_target(self, *, affiliation_id: UUID, provider_id: UUID | None) -> bool:
        return self.affiliation_id == affiliation_id and (self.provider.id if self.provider else None) == provider_id


def status_at(held: Held, *, now: datetime, dormancy: timedelta) -> AffiliationStatus:
    """The effective status: dates, dormancy and the roster are read, never waited for (DESIGN §4.8)."""
    if held.status is AffiliationStatus.ENDED or (held.ends_at is not None and now >= held.ends_at):
        return AffiliationStatus.ENDED
    if held.status is AffiliationStatus.VERIFICATION_PENDING and _lapsed(held, now=now):
        return AffiliationStatus.ENDED
    if held.status is not AffiliationStatus.ACTIVE:
        return held.status
    if not held.target.in_force:
        return AffiliationStatus.SUSPENDED
    if held.used_at is not None and now - held.used_at >= dormancy:
        return AffiliationStatus.DISABLED
    return AffiliationStatus.ACTIVE


def acts(held: Held, *, now: datetime, dormancy: timedelta) -> bool:
    """Whether it is good for anything now, whatever the portal asks beside."""
    return status_at(held, now=now, dormancy=dormancy) is AffiliationStatus.ACTIVE and held.starts_at <= now


def blocked(held: Held, *, terms: PortalTerms, now: datetime, dormancy: timedelta) -> Blocked | None:
    """Why this affiliation is of no use at the portal now; `None` if it is."""
    status = status_at(held, now=now, dormancy=dormancy)
    if status is not AffiliationStatus.ACTIVE:
        return _why_inactive(held, status)
    if now < held.starts_at:
        return Blocked.NOT_YET
    if held.registry != terms.registry or not serves(held.target.kind, terms):
        return Blocked.OTHER_KIND
    if not accepted(held, terms):
        return Blocked.WEAK_EVIDENCE
    if not levels_at(held, terms):
        return Blocked.NO_LEVEL
    return None


def accepted(held: Held, terms: PortalTerms) -> bool:
    """Whether the portal accepts what the affiliation rests on; of other registries' proofs only those it names."""
    brought = (proof for registry, proof in held.brought if registry in terms.accepts_evidence_from)
    return any(proof.suffices(terms.accepts) for proof in (*held.evidence, *brought))


def levels_at(held: Held, terms: PortalTerms) -> tuple[str, ...]:
    """Levels at the portal; on the first visit its `default_levels` (MODEL §1)."""
    return held.levels.get(terms.client_id) or terms.default_levels


def choices(every: Iterable[Held], *, terms: PortalTerms, now: datetime, dormancy: timedelta) -> tuple[Choice, ...]:
    """Every way to act at the portal now, in a stable order: last used first, then by name."""
    found = [
        choice
        for held in every
        if blocked(held, terms=terms, now=now, dormancy=dormancy) is None
        for choice in _told_apart(_choices_of(held, terms))
    ]
    by_name = sorted(found, key=lambda choice: (choice.name.casefold(), choice.key))
    return tuple(sorted(by_name, key=lambda choice: -(choice.used_at.timestamp() if choice.used_at else 0.0)))


def narrowed(
    every: Sequence[Choice], *, provider_ids: Collection[str] = (), practice_ids: Collection[UUID] | None = None
) -> tuple[Choice, ...]:
    """Only the choices inside what the request narrows to; it can only narrow (DESIGN §6)."""
    return tuple(
        choice
        for choice in every
        if (not provider_ids or (choice.provider is not None and choice.provider.provider_id in provider_ids))
        and (practice_ids is None or choice.practice_id in practice_ids)
    )


def _why_inactive(held: Held, status: AffiliationStatus) -> Blocked:
    if status is AffiliationStatus.DISABLED:
        if held.status is AffiliationStatus.ACTIVE or held.disabled_by == "dormant":
            return Blocked.DORMANT
        return Blocked.DISABLED_BY_PAYER if held.disabled_by == "payer" else Blocked.DISABLED_BY_MANAGER
    return Blocked(status.value)


def serves(kind: TargetKind, terms: PortalTerms) -> bool:
    """Whether a portal acts for targets of this kind; for a practice, for one of its providers at least (MODEL §5)."""
    return kind in terms.acting_for or (kind is TargetKind.PRACTICE and TargetKind.PROVIDER in terms.acting_for)


def manages_at(held: Held, *, terms: PortalTerms, now: datetime, dormancy: timedelta) -> bool:
    """Whether the holder is an account manager at a portal now: marked, active, by evidence that it accepts (MODEL §1)."""
    active = status_at(held, now=now, dormancy=dormancy) is AffiliationStatus.ACTIVE and now >= held.starts_at
    proven = any(proof.suffices(terms.accepts_for_manager) for proof in held.evidence)
    return active and held.account_manager and held.registry == terms.registry and proven


def _lapsed(held: Held, *, now: datetime) -> bool:
    return held.created_at is not None and now - held.created_at >= PENDING_LIFETIME


def _choices_of(held: Held, terms: PortalTerms) -> list[Choice]:
    target = held.target
    if target.kind is TargetKind.TRADING_PARTNER:
        return [_choice(held, terms, provider=None)]
    if target.kind is TargetKind.PROVIDER:
        return [_choice(held, terms, provider=provider) for provider in target.providers]
    if TargetKind.PRACTICE in terms.acting_for:
        groups = [provider for provider in target.providers if provider.provider_type == "group"]
        return [_choice(held, terms, provider=group, whole=True) for group in groups or (None,)]
    return [_choice(held, terms, provider=provider) for provider in target.providers]


def _told_apart(ways: list[Choice]) -> list[Choice]:
    """The use of an affiliation says nothing about which of its several providers was acted for."""
    return ways if len(ways) == 1 else [replace(way, used_at=None) for way in ways]


def _choice(held: Held, terms: PortalTerms, *, provider: ProviderChoice | None, whole: bool = False) -> Choice:
    return Choice(
        affiliation_id=held.id,
        affiliation_epoch=held.epoch,
        kind=held.target.kind,
        target_id=held.target.id,
        name=provider.name if provider is not None else held.target.name,
        provider=provider,
        practice_id=provider.practice_id if provider is not None else held.target.practice_id,
        tin_masked=held.target.tin_masked,
        trading_partner_id=held.target.trading_partner_id,
        levels=levels_at(held, terms),
        whole=whole,
        ends_at=held.ends_at,
        used_at=held.last_used_at,
        has_levels=bool(held.levels.get(terms.client_id)),
        target_name=held.target.name,
    )
