"""Rows of sessions and transactions as facts."""

from typing import Any

from sqlalchemy import Row

from idp.sessions.models import BrowserSession, Transaction
from idp.sessions.rules import SessionFacts, TransactionFacts
from idp.vocabulary.assurance import Acr, Amr


def session_facts(row: BrowserSession | Row[Any]) -> SessionFacts:
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
        ended_at=row.ended_at,
        user_agent=row.user_agent,
        address=row.address,
    )


def transaction_facts(row: Transaction) -> TransactionFacts:
    return TransactionFacts(
        id=row.id,
        client_id=row.client_id,
        request=row.request,
        awaiting=row.awaiting,
        browser_digest=row.browser_digest,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        login=row.login,
        session_id=row.session_id,
        authenticated_at=row.authenticated_at,
        affiliation_id=row.affiliation_id,
        provider_id=row.provider_id,
        practice_id=row.practice_id,
        chosen_at=row.chosen_at,
        consented_scopes=row.consented_scopes,
        refused_at=row.refused_at,
    )
