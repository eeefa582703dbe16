"""Matching, asked by enrolment: each call is one statement, answers by value, writes nothing and counts no attempt."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from idp.directory import service as directory
from idp.directory.matching import facts, rules
from idp.directory.matching.rules import (
    FINDERS,
    Ambiguous,
    Candidate,
    GroupClaim,
    PartnerClaim,
    PartnerMatch,
    PracticeClaim,
    PracticeMatch,
    PractitionerClaim,
    ProviderMatch,
    Wanted,
)
from idp.foundation import house
from idp.keyring.service import Keyring
from idp.vocabulary.identifiers import Malformed, ProviderId, Tin
from idp.vocabulary.refused import Refused

_NOBODYS: Final = Tin("")


def match_practitioner(
    tx: Session, claim: PractitionerClaim, *, registry: str, now: datetime
) -> ProviderMatch | Ambiguous | Refused:
    """The practitioner's record that the claim means. The reason of a refusal is for the audit, never for a page (EN-04)."""
    wanted, found, tin = _look_up(tx, claim, registry=registry)
    return rules.decide_provider(wanted, found, tin=tin, on=now.date())


def match_group(tx: Session, claim: GroupClaim, *, registry: str, now: datetime) -> PracticeMatch | Ambiguous | Refused:
    """The practice of the group that the claim means (C7); several group records of one practice are no choice."""
    wanted, found, tin = _look_up(tx, claim, registry=registry)
    return rules.decide_practice(wanted, found, tin=tin, on=now.date())


def match_practice(tx: Session, claim: PracticeClaim, *, registry: str, now: datetime) -> PracticeMatch | Refused:
    """The practice with this TIN, by a ZIP code of any of its records (E0). A member's own TIN claims nobody's group."""
    wanted = rules.understand(claim)
    tin = _index(wanted)
    found = facts.of_practice(tx, wanted, registry=registry, tin=tin, on=now.date())
    decided = rules.decide_practice(wanted, found, tin=tin, on=now.date())
    if isinstance(decided, Ambiguous):
        raise RuntimeError("two practices hold one TIN, which the database forbids")
    return decided


def match_trading_partner(tx: Session, claim: PartnerClaim, *, registry: str) -> PartnerMatch | Refused:
    """The trading partner on the roster now (A2)."""
    wanted = rules.understand_partner(claim)
    found = facts.trading_partner(tx, wanted and wanted[0], registry=registry)
    return rules.decide_partner(wanted, found)


def match_letter(tx: Session, provider_id: str, *, registry: str, now: datetime) -> ProviderMatch | Refused:
    """The record in force to which letters with this number are sent (D2); the PIN itself is the caller's to prove."""
    wanted = _lettered(provider_id)
    found = facts.candidates(tx, facts.found_by("provider_id", wanted, registry=registry, tin=b""))
    decided = rules.decide_provider(wanted, found, tin=b"", on=now.date())
    if isinstance(decided, Ambiguous):
        raise RuntimeError("two records have one number, which the database forbids")
    return decided


def _look_up(
    tx: Session, claim: PractitionerClaim | GroupClaim, *, registry: str
) -> tuple[Wanted | None, tuple[Candidate, ...], bytes]:
    wanted = rules.understand(claim)
    tin = _index(wanted)
    finder = next(name for name in FINDERS if getattr(claim, name) is not None)
    return wanted, facts.candidates(tx, facts.found_by(finder, wanted, registry=registry, tin=tin)), tin


def _index(wanted: Wanted | None) -> bytes:
    return directory.tin_index((wanted and wanted.tin) or _NOBODYS, key=house.get(Keyring).index)


def _lettered(provider_id: str) -> Wanted | None:
    try:
        return Wanted(provider_type=None, provider_id=ProviderId.parse(provider_id.strip()))
    except Malformed:
        return None
