"""Targets as the roster's dates say that they were on a day, each read once."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.rules import Target
from idp.affiliations.standing import facts
from idp.affiliations.standing.rules import Day, Record
from idp.directory import service as directory
from idp.directory.rules import ProviderFacts
from idp.vocabulary.affiliation import TargetKind


class Targets:
    """Answers for one day, within one transaction."""

    def __init__(self, tx: Session, *, day: Day, on: date) -> None:
        self._tx, self._day, self._on = tx, day, on
        self._known: dict[tuple[str, UUID], tuple[Target, datetime | None, str | None]] = {}

    def of(self, record: Record) -> Target:
        """What the record points at; a provider that went to another TIN after it was made is not in force for it."""
        target, moved_at, _ = self._read(record)
        if moved_at is None or moved_at <= record.made_at or not self._day.has_seen(moved_at):
            return target
        return Target(target.kind, target.id, target.name, in_force=False, practice_id=target.practice_id)

    def number_of(self, record: Record) -> str | None:
        """The payer's number of a provider or a trading partner."""
        return self._read(record)[2]

    def _read(self, record: Record) -> tuple[Target, datetime | None, str | None]:
        key = (record.registry, record.target_id)
        if key not in self._known:
            look = {
                TargetKind.PROVIDER: self._provider,
                TargetKind.PRACTICE: self._practice,
                TargetKind.TRADING_PARTNER: self._partner,
            }[record.kind]
            self._known[key] = look(record)
        return self._known[key]

    def _provider(self, record: Record) -> tuple[Target, datetime | None, str | None]:
        provider = directory.provider(self._tx, record.target_id)
        assert provider is not None, "providers are never deleted"
        in_force = self._counts(provider)
        target = Target(record.kind, provider.id, provider.name, in_force, practice_id=record.practice_id)
        return target, provider.tin_changed_at, provider.provider_id

    def _counts(self, provider: ProviderFacts) -> bool:
        """In force on the day; one that was terminated later without a date counted until then."""
        if provider.in_force(self._on):
            return True
        undated = provider.end_date is None and provider.effective_date <= self._on
        if not undated or provider.npi_is_off(self._on):
            return False
        return bool(facts.terminated_since(self._tx, [provider.id], self._day))

    def _practice(self, record: Record) -> tuple[Target, datetime | None, str | None]:
        practice = directory.practice(self._tx, record.target_id)
        assert practice is not None, "practices are never deleted"
        gone = practice.retired_at is not None and self._day.has_seen(practice.retired_at)
        alive = not gone and self._had_providers(practice.id, record.registry)
        return Target(record.kind, practice.id, practice.name, alive, practice_id=practice.id), None, None

    def _had_providers(self, practice_id: UUID, registry: str) -> bool:
        if facts.has_providers(self._tx, practice_id, registry=registry, on=self._on):
            return True
        every = facts.belonged(self._tx, practice_id, registry=registry, day=self._day)
        return any(self._counts(provider) for provider in every)

    def _partner(self, record: Record) -> tuple[Target, datetime | None, str | None]:
        partner = directory.trading_partner(self._tx, record.target_id)
        assert partner is not None, "trading partners are never deleted"
        return Target(record.kind, partner.id, partner.name, partner.in_force), None, partner.trading_partner_id
