"""What the steps share that hold typed details against the payer's file: attempts, one sentence for every no, the proof.

A mismatch, whatever it is, costs the same statements and reads the same; the audit alone keeps why (EN-04).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from idp.affiliations.registering.service import Proof
from idp.directory.rules import PartnerFacts, PracticeFacts, ProviderFacts
from idp.enrollment import budgets
from idp.enrollment.step import At, Wrong
from idp.foundation import masks
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

NO_MATCH: Final = _(
    "These details do not match our records. Check all of them, or call the help line. We cannot say which one differs."
)


BROUGHT: Final = "brought"
"""Beside a step's kept answers: what an upstream provider proved of it. The step is done, and its person cannot change it."""


def registry_of(at: At) -> str:
    """The payer's file that this portal uses."""
    if at.party.portal is None:
        raise ValueError("only portals have ceremonies")
    return at.party.portal.registry


def count(tx: Session, at: At, numbers: Sequence[str]) -> Refused | None:
    """An attempt for these numbers, for this address and in all."""
    return budgets.reserve(tx, numbers, registry=registry_of(at), address=at.origin.address, now=at.now)


def matched(tx: Session, at: At, numbers: Sequence[str]) -> None:
    """All that was typed matched: the attempt is given back."""
    budgets.give_back(tx, numbers, registry=registry_of(at), address=at.origin.address, now=at.now)


def no_match(refused: Refused) -> Wrong:
    """One sentence for every reason."""
    return Wrong(refused.reason, problem=NO_MATCH)


class Differs(StrEnum):
    """Reasons of these steps' own, for the audit."""

    OTHER_PROVIDER = "other_provider"
    NO_LONGER_FOUND = "no_longer_found"


def provider_target(provider: ProviderFacts, *, at: At) -> dict[str, Any]:
    """A provider record as kept answers: what is proven, and what people are told of it."""
    return _target(TargetKind.PROVIDER, provider.id, provider.name, masks.tail(provider.provider_id), at.now)


def practice_target(practice: PracticeFacts, *, at: At) -> dict[str, Any]:
    """A practice as kept answers."""
    return _target(TargetKind.PRACTICE, practice.id, practice.name, practice.masked_tin, at.now)


def partner_target(partner: PartnerFacts, *, at: At) -> dict[str, Any]:
    """A trading partner as kept answers."""
    return _target(TargetKind.TRADING_PARTNER, partner.id, partner.name, masks.tail(partner.trading_partner_id), at.now)


def proof_of(kept: Mapping[str, Any] | None, *, evidence: Evidence = Evidence.DIRECTORY) -> Proof | None:
    """The proof that kept answers stand for; `None` where the step was not passed."""
    if not kept or "kind" not in kept:
        return None
    brought = kept.get(BROUGHT)
    if brought is not None:
        evidence = Evidence(brought["evidence"])
    digest = kept.get("pin_digest")
    return Proof(
        kind=TargetKind(kept["kind"]),
        target_id=UUID(kept["target_id"]),
        evidence=evidence,
        pin_digest=bytes.fromhex(digest) if digest else None,
        proven_at=datetime.fromisoformat(kept["proven_at"]),
        reason=kept.get("reason", ""),
        source=brought["source"] if brought is not None else None,
        may_manage=brought is None or brought["may_manage"],
    )


def brought_target(
    practice: PracticeFacts, *, evidence: Evidence, source: Mapping[str, Any], names: Mapping[str, str],
    may_manage: bool, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """A practice as kept answers that nobody typed; `names` are its source's, by language."""
    said = {"evidence": evidence.value, "source": dict(source), "names": dict(names), "may_manage": may_manage}
    found = _target(TargetKind.PRACTICE, practice.id, practice.name, practice.masked_tin, now)
    return {**found, BROUGHT: said}


def _target(kind: TargetKind, identity: UUID, name: str, number: str, now: datetime) -> dict[str, Any]:
    """`proven_at` holds the proof against the directory at the end: a record may pass to another TIN meanwhile."""
    return {
        "kind": kind.value,
        "target_id": str(identity),
        "proven_at": now.isoformat(),
        "told": {"target": name, "number": number},
    }
