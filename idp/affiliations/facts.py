"""Affiliations with their targets, read into facts; the caller has opened the row-level fence (`see_as`)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, bindparam, false, null, or_, select, union_all
from sqlalchemy.orm import Session

from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.affiliations.rules import Held, ProviderChoice, Target
from idp.directory.facts import in_force_on
from idp.directory.models import Practice, Provider, TradingPartner
from idp.directory.rules import masked, search_words
from idp.foundation.prepared import prepared
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence

PROVIDERS_A_TARGET: Final = 200
"""Providers of one practice that are read for choosing; more are found by searching."""
_affiliation, _evidence, _level = Affiliation.__table__, AffiliationEvidence.__table__, HeldLevel.__table__
_provider, _practice = Provider.__table__, Practice.__table__
_OF_PROVIDER: Final = (
    _provider.c.id.label("record_id"), _provider.c.provider_id, _provider.c.npi, _provider.c.provider_type,
    _provider.c.legal_name, _provider.c.practice_id, _provider.c.tin_changed_at, _practice.c.tin_last4,
    in_force_on(bindparam("on", type_=_provider.c.end_date.type)).label("in_force"),
)  # fmt: skip
_OF_SUBJECT: Final = prepared(
    select(_affiliation, _affiliation.c.registry.label("registry_name"), *_OF_PROVIDER)
    .outerjoin(
        _provider,
        and_(_affiliation.c.target_kind == TargetKind.PROVIDER.value, _provider.c.id == _affiliation.c.target_id),
    )
    .outerjoin(_practice, _practice.c.id == _provider.c.practice_id)
    .where(_affiliation.c.subject_id == bindparam("subject"), _affiliation.c.status != "ended")
    .order_by(_affiliation.c.created_at)
)
"""With the provider, where one is what it points at; other targets are read by themselves."""
_of_these = select(_affiliation.c.id).where(
    _affiliation.c.subject_id == bindparam("subject"), _affiliation.c.status != "ended"
)
_BESIDE: Final = prepared(
    union_all(
        select(
            _evidence.c.affiliation_id,
            _evidence.c.kind,
            _evidence.c.from_registry,
            null().label("portal"),
            null().label("level"),
        ).where(_evidence.c.affiliation_id.in_(_of_these)),
        select(_level.c.affiliation_id, null(), null(), _level.c.portal, _level.c.level).where(
            _level.c.affiliation_id.in_(_of_these)
        ),
    )
)
"""Evidence and levels of all of them, by one statement: asked at every sign-in."""
_PROVIDER: Final = prepared(
    select(*_OF_PROVIDER)
    .join(_practice, _practice.c.id == _provider.c.practice_id)
    .where(_provider.c.id == bindparam("record"))
)


class Record:
    """A row of `affiliation` with its provider, if it points at one, and evidence and levels as the mapped class has them."""

    __slots__ = ("_row", "evidence", "levels")

    def __init__(self, row: Row[Any], evidence: Sequence[Row[Any]], levels: Sequence[Row[Any]]) -> None:
        self._row, self.evidence, self.levels = row, evidence, levels

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


Stored = Affiliation | Record


def held_by(
    tx: Session,
    *,
    subject_id: str,
    now: datetime,
    search: str | None = None,
    only: UUID | None = None,
    provider: UUID | None = None,
) -> tuple[Held, ...]:
    """Every affiliation of a person that has not ended, with its target as the roster has it today.

    `search` narrows the providers of practices (folded words, a provider ID or an NPI); `only` reads one affiliation,
    `provider` one provider of it: a choice made among more than a page of them.
    """
    rows = [row for row in _rows(tx, subject_id, on=now.date()) if only is None or row.id == only]
    targets = _targets(tx, rows, on=now.date(), search=search, provider=provider)
    return tuple(held_of(row, targets[row.id]) for row in rows if row.id in targets)


def _rows(tx: Session, subject_id: str, *, on: date) -> Sequence[Record]:
    """A person's affiliations with evidence and levels, by Core: asked at every sign-in and every authorization."""
    tx.flush()
    found = tx.execute(_OF_SUBJECT, {"subject": subject_id, "on": on}).all()
    if not found:
        return ()
    evidence: defaultdict[UUID, list[Any]] = defaultdict(list)
    levels: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in tx.execute(_BESIDE, {"subject": subject_id}):
        (evidence if row.level is None else levels)[row.affiliation_id].append(row)
    return [Record(row, evidence[row.id], levels[row.id]) for row in found]


def target_of(tx: Session, row: Affiliation, *, on: date) -> Target | None:
    """What one affiliation points at."""
    return _targets(tx, [row], on=on, search=None, provider=None).get(row.id)


def held_of(row: Stored, target: Target) -> Held:
    """A row as the rules read it."""
    levels: defaultdict[str, list[str]] = defaultdict(list)
    for held in row.levels:
        levels[held.portal].append(held.level)
    uses = [moment for moment in (row.activated_at, row.last_used_at) if moment is not None]
    return Held(
        id=row.id,
        registry=row.registry_name,
        target=target,
        status=AffiliationStatus(row.status),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        epoch=row.epoch,
        disabled_by=row.disabled_by,
        used_at=max(uses, default=None),
        last_used_at=row.last_used_at,
        evidence=tuple(Evidence(proof.kind) for proof in row.evidence if proof.from_registry is None),
        brought=tuple(
            (proof.from_registry, Evidence(proof.kind)) for proof in row.evidence if proof.from_registry is not None
        ),
        levels={portal: tuple(sorted(keys)) for portal, keys in levels.items()},
        account_manager=row.account_manager,
        created_at=row.created_at,
    )


def _targets(
    tx: Session, rows: Sequence[Stored], *, on: date, search: str | None, provider: UUID | None
) -> Mapping[UUID, Target]:
    targets: dict[UUID, Target] = {}
    by_kind: defaultdict[str, list[Stored]] = defaultdict(list)
    for row in rows:
        by_kind[row.target_kind].append(row)
    for row in by_kind[TargetKind.PROVIDER]:
        found = row if isinstance(row, Record) else tx.execute(_PROVIDER, {"record": row.target_id, "on": on}).first()
        if found is not None and found.record_id is not None:
            targets[row.id] = _provider_target(found, since=row.created_at)
    targets |= _practice_targets(tx, by_kind[TargetKind.PRACTICE], on=on, search=search, provider=provider)
    targets |= _partner_targets(tx, by_kind[TargetKind.TRADING_PARTNER])
    return targets


def _provider_target(row: Record | Row[Any], *, since: datetime) -> Target:
    """`since`: the affiliation was made. A record that went to another TIN later is not it any more: an affiliation
    never follows the number (MODEL §10).
    """
    moved = row.tin_changed_at is not None and row.tin_changed_at > since
    return Target(
        kind=TargetKind.PROVIDER,
        id=row.record_id,
        name=row.legal_name,
        in_force=bool(row.in_force) and not moved,
        practice_id=row.practice_id,
        tin_masked=masked(row.tin_last4),
        providers=(
            ProviderChoice(
                id=row.record_id,
                provider_id=row.provider_id,
                npi=row.npi,
                provider_type=row.provider_type,
                name=row.legal_name,
                practice_id=row.practice_id,
            ),
        ),
    )


def _practice_targets(
    tx: Session, rows: Sequence[Stored], *, on: date, search: str | None, provider: UUID | None
) -> dict[UUID, Target]:
    if not rows:
        return {}
    targets = {}
    practices = {
        practice.id: practice
        for practice in tx.scalars(select(Practice).where(Practice.id.in_([row.target_id for row in rows])))
    }
    for row in rows:
        practice = practices[row.target_id]
        providers = practice_providers(
            tx,
            practice_id=practice.id,
            registry=row.registry_name,
            on=on,
            search=None if _names(practice, search) else search,
            only=provider,
        )
        targets[row.id] = Target(
            kind=TargetKind.PRACTICE,
            id=practice.id,
            name=practice.name,
            in_force=_has_number(practice, on) and (bool(providers) or search is not None),
            practice_id=practice.id,
            tin_masked=masked(practice.tin_last4),
            providers=providers[:PROVIDERS_A_TARGET],
            more_providers=len(providers) > PROVIDERS_A_TARGET,
        )
    return targets


def _has_number(practice: Practice, on: date) -> bool:
    """`PracticeFacts.has_number` of a row."""
    return practice.retired_at is None and (practice.passes_on is None or on < practice.passes_on)


def _names(practice: Practice, search: str | None) -> bool:
    """Whether the search is for the practice itself, all of whose providers then fit."""
    words, name = search_words(search or ""), " ".join(search_words(practice.name))
    return bool(words) and all(word in name for word in words)


def practice_providers(
    tx: Session,
    *,
    practice_id: UUID,
    registry: str,
    on: date,
    search: str | None = None,
    only: UUID | None = None,
    limit: int = PROVIDERS_A_TARGET,
) -> tuple[ProviderChoice, ...]:
    """Providers of a practice in force in one registry, groups first, then by name; one more than `limit` if there are."""
    query = (
        select(Provider)
        .where(Provider.practice_id == practice_id, Provider.registry_name == registry, in_force_on(on))
        .order_by(Provider.provider_type, Provider.name_key, Provider.provider_id)
        .limit(limit + 1)
    )
    if search:
        query = query.where(_matches(search))
    if only is not None:
        query = query.where(Provider.id == only)
    return tuple(provider_choice(row) for row in tx.scalars(query))


def _matches(search: str) -> ColumnElement[bool]:
    words = search_words(search)[:6]
    by_name = and_(*(Provider.name_key.contains(word, autoescape=True) for word in words)) if words else false()
    return or_(Provider.provider_id == search, Provider.npi == search, by_name)


def _partner_targets(tx: Session, rows: Iterable[Stored]) -> dict[UUID, Target]:
    wanted = {row.target_id: row.id for row in rows}
    if not wanted:
        return {}
    return {
        wanted[partner.id]: Target(
            kind=TargetKind.TRADING_PARTNER,
            id=partner.id,
            name=partner.name,
            in_force=partner.status == "active",
            trading_partner_id=partner.trading_partner_id,
        )
        for partner in tx.scalars(select(TradingPartner).where(TradingPartner.id.in_(wanted)))
    }


def provider_choice(row: Provider | Row[Any]) -> ProviderChoice:
    return ProviderChoice(
        id=row.id,
        provider_id=row.provider_id,
        npi=row.npi,
        provider_type=row.provider_type,
        name=row.legal_name,
        practice_id=row.practice_id,
    )


def is_marked(tx: Session, *, subject_id: str, registry: str, now: datetime) -> bool:
    """Whether the person bears a manager's mark for anything of this registry now, whichever portal accepts it."""
    marked = select(Affiliation.id).where(
        Affiliation.subject_id == subject_id,
        Affiliation.registry_name == registry,
        Affiliation.status == AffiliationStatus.ACTIVE.value,
        Affiliation.account_manager.is_(True),
        or_(Affiliation.ends_at.is_(None), Affiliation.ends_at > now),
    )
    return tx.execute(marked.limit(1)).first() is not None
