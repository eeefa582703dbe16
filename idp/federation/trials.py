"""Staff try a connection with their own identity there; what came of it stands on its page, and nobody is signed in by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.federation import rules
from idp.federation.connections.facts import Applied
from idp.federation.connections.models import AppliedConnection
from idp.federation.rules import UpstreamIdentity
from idp.foundation.database import Rows
from idp.vocabulary.assurance import acr_to_tell


@dataclass(frozen=True, slots=True)
class Trial:
    """The last one: what was wrong, else what upstream said of whoever tried."""

    at: datetime
    wrong: str | None
    said: Mapping[str, Any]


def keep(
    tx: Session, applied: Applied, outcome: StrEnum | UpstreamIdentity, *, now: datetime, code: str | None = None
) -> None:
    """Write down what came of it, over the former one; `code` is the provider's own word for an error."""
    if isinstance(outcome, StrEnum):
        tried: dict[str, Any] = {"wrong": outcome.value, "code": code}
    else:
        tried = {
            "wrong": None,
            "subject": outcome.subject,
            "email": outcome.email,
            "mailbox": rules.proves_mailbox(applied.connection, outcome),
            "name": " ".join(part for part in (outcome.given_name, outcome.family_name) if part) or None,
            "acr": acr_to_tell(rules.classes_of(outcome)).value,
            "amr": list(outcome.amr),
            "authenticated_at": outcome.authenticated_at is not None,
            "session": outcome.session is not None,
            "asserts": [
                {
                    "portal": each.portal,
                    "tin": each.tin.masked(),
                    "levels": sorted(each.says.levels),
                    "account_manager": each.says.account_manager,
                }
                for each in rules.asserted(applied.connection, outcome.claims)
            ],
        }
    changed = update(AppliedConnection).where(AppliedConnection.name == applied.name)
    tx.execute(changed.values(tried=tried, tried_at=now))


def last(tx: Rows, name: str) -> Trial | None:
    """What came of the last one."""
    found = select(AppliedConnection.tried, AppliedConnection.tried_at).where(AppliedConnection.name == name)
    row = tx.execute(found).one_or_none()
    if row is None or row.tried_at is None or row.tried is None:
        return None
    return Trial(row.tried_at, row.tried.get("wrong"), row.tried)
