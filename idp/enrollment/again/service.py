"""Bringing the evidence: what is asked of whom, and the end of it in one transaction (RC-22)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.pins import service as pins
from idp.affiliations.registering.facts import Proof
from idp.affiliations.rules import Held, manages_at
from idp.authenticators.lost_factors import facts as recoveries
from idp.authenticators.lost_factors import finishing
from idp.authenticators.lost_factors.rules import Recovery
from idp.authenticators.upstairs import Upstairs
from idp.directory import service as directory
from idp.enrollment import runs
from idp.enrollment.again import rules
from idp.enrollment.again.rules import Reason
from idp.enrollment.ceremonies import again, ceremony_of, evidence_of
from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import Status
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

REMOVED: Final = "factors_removed"


@dataclass(frozen=True, slots=True)
class Way:
    """A portal's own evidence, to be brought again."""

    party: RelyingParty
    ceremony: str
    step: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the recovery of this browser has come."""

    recovery: Recovery
    enough: bool
    ways: tuple[Way, ...]
    wanted: Evidence
    party: RelyingParty | None


def look(browser_digest: bytes, *, now: datetime) -> Standing | None:
    """The recovery whose link was opened in this browser; reads only."""
    with reading() as tx:
        recovery = recoveries.of_browser(tx, browser_digest=browser_digest, now=now)
        if recovery is None:
            return None
        stands = _stands(tx, recovery, now=now)
        held, staff = _known(tx, recovery.subject_id, now=now)
    return Standing(
        recovery=recovery,
        enough=rules.is_enough(recovery, held, staff=staff, stands=stands),
        ways=_ways(held, staff=staff, now=now),
        wanted=rules.wanted(held, staff=staff),
        party=relying_parties.find(recovery.client_id) if recovery.client_id else None,
    )


def begin(browser_digest: bytes, *, client_id: str, ceremony: str, now: datetime) -> UUID | None:
    """Begin one of the ways; `None` where it is not offered."""
    standing = look(browser_digest, now=now)
    offered = standing is not None and any(
        (way.party.client_id, way.ceremony) == (client_id, ceremony) for way in standing.ways
    )
    if standing is None or not offered:
        return None
    with writing() as tx:
        return runs.begin(
            tx,
            client_id=client_id,
            ceremony=again(ceremony),
            browser_digest=browser_digest,
            subject_id=standing.recovery.subject_id,
            now=now,
        ).id


def finish(browser_digest: bytes, *, now: datetime, origin: Origin) -> Refused | None:
    """Where others' word is enough: judged again, under lock."""
    with writing() as tx:
        recovery = _locked(tx, browser_digest, now=now)
        if recovery is None:
            return Refused(Reason.NO_RECOVERY)
        stands = _stands(tx, recovery, now=now)
        held, staff = _known(tx, recovery.subject_id, now=now)
        if not rules.is_enough(recovery, held, staff=staff, stands=stands) or recovery.evidence is None:
            return Refused(Reason.NOT_ENOUGH)
        return finishing.remove_factors(
            tx, recovery, evidence=recovery.evidence, target_id=recovery.vouched_for, now=now, origin=origin
        )


def judge(tx: Session, proof: Proof | None, *, browser_digest: bytes, subject_id: str, now: datetime) -> Reason | None:
    """Whether what a step proved is the person's own, and enough."""
    recovery = recoveries.of_browser(tx, browser_digest=browser_digest, now=now)
    if proof is None or recovery is None or recovery.subject_id != subject_id:
        return Reason.NO_RECOVERY
    held, staff = _known(tx, subject_id, now=now)
    return rules.why_not_proof(held, kind=proof.kind, target_id=proof.target_id, evidence=proof.evidence, staff=staff)


def happen(
    tx: Session, proof: Proof | None, *, browser_digest: bytes, subject_id: str, now: datetime, origin: Origin
) -> Refused | None:
    """The evidence was brought: judged once more, a letter's PIN used up, and every factor goes."""
    recovery = _locked(tx, browser_digest, now=now)
    refused = judge(tx, proof, browser_digest=browser_digest, subject_id=subject_id, now=now)
    if refused is not None or recovery is None or proof is None:
        return Refused(refused or Reason.NO_RECOVERY)
    if proof.pin_digest is not None:
        used = pins.redeem_pin(
            tx, provider_id=proof.target_id, pin_digest=proof.pin_digest, actor=subject_id, now=now, origin=origin
        )
        if isinstance(used, Refused):
            return used
    return finishing.remove_factors(
        tx, recovery, evidence=proof.evidence, target_id=proof.target_id, now=now, origin=origin
    )


def _locked(tx: Session, browser_digest: bytes, *, now: datetime) -> Recovery | None:
    """The person first, as whoever signs in does, then the recovery."""
    seen = recoveries.of_browser(tx, browser_digest=browser_digest, now=now)
    if seen is None:
        return None
    tx.get(Subject, seen.subject_id, with_for_update=True, populate_existing=True)
    return recoveries.of_browser(tx, browser_digest=browser_digest, now=now, lock=True)


def _stands(tx: Session, recovery: Recovery, *, now: datetime) -> bool:
    """Whether the manager who vouched manages that place at that portal now; for anybody else's word it is not asked."""
    party = relying_parties.find(recovery.client_id or "")
    terms = affiliations.terms_of(party) if party is not None else None
    vouched, by = recovery.vouched_for, subjects.by_id(tx, subject_id=recovery.evidence_by or "")
    if terms is None or vouched is None or by is None or by.status is not Status.ACTIVE:
        return False
    provider, dormancy = directory.provider(tx, vouched), house.get(Settings).dormancy
    places = {vouched, provider.practice_id} if provider is not None else {vouched}
    return any(
        each.target.id in places and manages_at(each, terms=terms, now=now, dormancy=dormancy)
        for each in affiliations.held(tx, subject_id=by.id, now=now)
    )


def _known(tx: Session, subject_id: str, *, now: datetime) -> tuple[tuple[Held, ...], bool]:
    staff = house.get(Upstairs).is_staff(tx, subject_id=subject_id)
    return affiliations.held(tx, subject_id=subject_id, now=now), staff


def _ways(held: tuple[Held, ...], *, staff: bool, now: datetime) -> tuple[Way, ...]:
    """Ceremonies of every portal where the person has access, whose evidence is strong enough."""
    wanted = rules.wanted(held, staff=staff)
    found = []
    for party in relying_parties.every(now=now).values():
        if party.portal is None or not party.enabled or party.portal.registry not in {each.registry for each in held}:
            continue
        for name, ceremony in party.manifest.enrollment.items():
            worth, alone = evidence_of(ceremony), ceremony_of(party.manifest, again(name))
            if worth is not None and alone is not None and worth.suffices(wanted):
                found.append(Way(party, name, alone.steps[-1]))
    return tuple(found)
