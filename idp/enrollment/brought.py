"""Evidence that somebody new brings from an upstream provider: the step that would prove it is done, and locked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import service as directory
from idp.directory.rules import PracticeFacts
from idp.enrollment import claims, rules, runs
from idp.enrollment.runs import Run
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.evidence import Evidence


def bring(
    tx: Session,
    run: Run,
    practice: PracticeFacts,
    *,
    party: RelyingParty,
    evidence: Evidence,
    source: Mapping[str, Any],
    names: Mapping[str, str],
    may_manage: bool,
    now: datetime,
    origin: Origin,
) -> Run:
    """Keep it in a run that has just begun, where the ceremony asks for a practice of the portal's own file."""
    step = rules.step_for_practice(party.manifest.enrollment[run.ceremony])
    registry = party.portal.registry if party.portal is not None else ""
    if step is None or not directory.practice_in_force(tx, practice_id=practice.id, registry=registry, now=now):
        return run
    kept = claims.brought_target(
        practice, evidence=evidence, source=source, names=names, may_manage=may_manage, now=now
    )
    audit.append(
        tx,
        Event.ENROLLMENT_BROUGHT,
        now=now,
        actor=run.subject_id or "anonymous",
        origin=origin,
        subject_id=run.subject_id,
        client_id=run.client_id,
        target_kind=kept["kind"],
        target_id=kept["target_id"],
        details={"ceremony": run.ceremony, "step": step, "evidence": evidence.value, "source": dict(source)},
    )
    return runs.save(tx, run, kept={**run.kept, step: kept})
