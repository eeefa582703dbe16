"""Rows of sessions and transactions as facts."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from idp.sessions.models import BrowserSession, Transaction
from idp.sessions.rules import PASSWORD, FirstFactor, FirstProof, SessionFacts, TransactionFacts, Upstream
from idp.vocabulary.assurance import Acr, Amr, Factor


def session_facts(row: BrowserSession | Row[Any], *, owes_factor: bool = False) -> SessionFacts:
    return SessionFacts(
        id=row.id,
        subject_id=row.subject_id,
        auth_time=row.auth_time,
        acr=frozenset(Acr(value) for value in row.acr),
        amr=tuple(Amr(value) for value in row.amr),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        subject_epoch=row.subject_epoch,
        system_epoch=row.system_epoch,
        digest_prefix=row.digest.hex()[:16],
        proven=_proven(row),
        looked_at=row.looked_at,
        resumed_at=row.resumed_at,
        ended_at=row.ended_at,
        user_agent=row.user_agent,
        address=row.address,
        owes_factor=owes_factor,
    )


def transaction_facts(row: Transaction | Row[Any]) -> TransactionFacts:
    return TransactionFacts(
        id=row.id,
        client_id=row.client_id,
        request=row.request,
        awaiting=row.awaiting,
        browser_digest=row.browser_digest,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        login=row.login,
        pending=_pending(row),
        upstream=Upstream(row.upstream) if row.upstream else None,
        accepts=tuple(Factor(kind) for kind in row.accepts or ()),
        set_up_sealed=row.set_up_sealed,
        set_up_at=row.set_up_at,
        session_id=row.session_id,
        authenticated_at=row.authenticated_at,
        affiliation_id=row.affiliation_id,
        provider_id=row.provider_id,
        practice_id=row.practice_id,
        chosen_at=row.chosen_at,
        consented_scopes=row.consented_scopes,
        refused_at=row.refused_at,
    )


def _pending(row: Transaction | Row[Any]) -> FirstFactor | None:
    if row.pending_subject_id is None or row.pending_epoch is None or row.pending_at is None:
        return None
    return FirstFactor(row.pending_subject_id, row.pending_epoch, row.pending_at, _first_proof(row.pending_proof))


def _first_proof(kept: dict[str, Any] | None) -> FirstProof | None:
    if kept is None:
        return None
    return FirstProof(
        method=kept["method"],
        acr=frozenset(Acr(value) for value in kept["acr"]),
        amr=tuple(Amr(value) for value in kept["amr"]),
        at=datetime.fromisoformat(kept["at"]),
        told=kept.get("told", True),
    )


def _proven(row: BrowserSession | Row[Any]) -> dict[str, datetime]:
    if row.proven is None:
        return {PASSWORD: row.auth_time}
    return {kind: datetime.fromisoformat(at) for kind, at in row.proven.items()}
