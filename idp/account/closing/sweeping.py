"""Deleting what is personal of accounts that nobody can open again; reading has decided long before (DESIGN §4.8)."""

from datetime import datetime
from typing import Final

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.models import Affiliation
from idp.authenticators.challenge_questions.models import ChallengeQuestion
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.lost_factors.models import FactorRecovery
from idp.authenticators.password.models import PasswordCredential
from idp.authenticators.push.models import PushRequest
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.authenticators.site_key.models import SiteKey
from idp.consent.models import Consent
from idp.enrollment.models import Enrollment
from idp.federation.models import UpstreamLink
from idp.foundation import artefacts
from idp.foundation.database import Model
from idp.foundation.origin import Origin
from idp.sessions.models import BrowserSession
from idp.subjects import closing
from idp.subjects.models import FormerContact, Subject
from idp.subjects.rules import OPEN_AGAIN_FOR
from idp.vocabulary.affiliation import AffiliationStatus

DELETED: Final[tuple[type[Model], ...]] = (
    PasswordCredential,
    FactorRecovery,
    HeldFactor,
    PushRequest,
    RememberedDevice,
    SiteKey,
    ChallengeQuestion,
    UpstreamLink,
    Consent,
    Enrollment,
    FormerContact,
)
"""Whose rows of the person go; what hangs on a factor goes with it."""
KEPT: Final = frozenset(
    {
        "affiliation", "agreement_acceptance", "access_request", "invitation", "browser_session", "oauth_grant",
        "legacy_login", "help_case", "staff_proposal", "staff_role",
    }
)  # fmt: skip
"""Records of what was agreed, granted, asked and done; they name the account by its random id. Old logins stay so that
nobody else gets them."""


def wipe_due(tx: Session, *, now: datetime, batch: int) -> int:
    """Wipe a batch; says how many."""
    due = (
        select(Subject)
        .where(Subject.closed_at <= now - OPEN_AGAIN_FOR, Subject.wiped_at.is_(None))
        .order_by(Subject.closed_at)
        .limit(batch)
        .with_for_update(skip_locked=True)
    )
    rows = tx.scalars(due).all()
    for row in rows:
        _wipe(tx, row, now=now)
    return len(rows)


def _wipe(tx: Session, row: Subject, *, now: datetime) -> None:
    origin = Origin.local("sweep")
    closing.wipe(tx, row=row, now=now, origin=origin)
    for model in DELETED:
        table: Table = model.__table__  # type: ignore[assignment]
        tx.execute(delete(table).where(table.c.subject_id == row.id))
    artefacts.void(tx, now=now, subject_id=row.id)
    tx.execute(update(BrowserSession).where(BrowserSession.subject_id == row.id).values(user_agent="", address=""))
    open_ones = select(Affiliation.id).where(
        Affiliation.subject_id == row.id, Affiliation.status != AffiliationStatus.ENDED.value
    )
    for affiliation_id in tx.scalars(open_ones).all():
        affiliations.change_status(
            tx,
            affiliation_id=affiliation_id,
            status=AffiliationStatus.ENDED,
            now=now,
            actor="system",
            origin=origin,
        )
