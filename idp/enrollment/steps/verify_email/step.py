"""Waits for the link; whoever has a proven mailbox already is not asked (X4)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from idp.enrollment.step import At, Step
from idp.enrollment.steps.verify_email.declared import DECLARED
from idp.foundation import masks


class VerifyEmail(Step):
    """A8, C3."""

    declared = DECLARED

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        return {"email": masks.email(str(at.kept.get("create_account", {}).get("email", "")))}

    def met_by(self, tx: Session, at: At) -> bool:
        return at.subject is not None and at.subject.email_verified_at is not None
