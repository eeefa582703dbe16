"""Reading it all: a fixed number of statements, however much there is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from idp.account import granted
from idp.affiliations.models import Affiliation
from idp.affiliations.requests.models import AccessRequest
from idp.audit.models import AuditEvent
from idp.authenticators.challenge_questions import service as questions
from idp.authenticators.challenge_questions.words import QUESTIONS
from idp.authenticators.codes import service as codes
from idp.authenticators.factors import facts as factors
from idp.authenticators.recovery_codes import facts as recovery_codes
from idp.authenticators.remembered_devices import service as devices
from idp.authenticators.site_key import service as site_keys
from idp.consent.models import AgreementAcceptance, Consent, Grant
from idp.directory.models import Practice, Provider, TradingPartner
from idp.federation.models import UpstreamLink
from idp.foundation.database import see_as
from idp.messaging import service as messaging
from idp.sessions.models import BrowserSession
from idp.subjects import contact, legacy
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.assurance import Factor

MOST: Final = 20_000
"""Rows of one kind, newest first: far more than anybody has, and a bound all the same (RX)."""


def collect(tx: Session, subject: SubjectFacts, *, now: datetime) -> dict[str, Any]:
    """Everything, by what it is about."""
    return {
        "as_of": now,
        "profile": _profile(tx, subject, now=now),
        "ways_to_sign_in": _ways(tx, subject, now=now),
        "remembered_devices": _devices(tx, subject, now=now),
        "site_key": _site_key(tx, subject.id),
        "challenge_questions": _questions(tx, subject.id),
        "sessions": _of(tx, BrowserSession, _SESSION, subject.id, newest="created_at"),
        "access": _access(tx, subject, now=now),
        "access_requests": _requests(tx, subject),
        "agreements_accepted": _of(tx, AgreementAcceptance, _AGREEMENT, subject.id, newest="accepted_at"),
        "apps_allowed": _of(tx, Consent, _CONSENT, subject.id, newest="granted_at"),
        "apps_used": _of(tx, Grant, _GRANT, subject.id, newest="created_at"),
        "messages": _messages(tx, subject.id),
        "activity": _activity(tx, subject.id),
    }


_SESSION: Final = (
    "created_at",
    "last_seen_at",
    "expires_at",
    "ended_at",
    "ended_reason",
    "user_agent",
    "address",
    "acr",
)
_AGREEMENT: Final = ("client_id", "kind", "version", "text_digest", "accepted_at", "address")
_CONSENT: Final = ("client_id", "scopes", "granted_at", "revoked_at")
_GRANT: Final = ("client_id", "scopes", "offline", "created_at", "expires_at", "revoked_at", "revoked_reason")
_EVENT: Final = ("at", "type", "outcome", "client_id", "actor", "address", "target_kind", "target_id")
_REQUEST: Final = (
    "portal", "email", "given_name", "family_name", "position", "reason", "status", "submitted_at", "decided_at",
)  # fmt: skip


def _of(tx: Session, model: Any, columns: Sequence[str], subject_id: str, *, newest: str) -> list[dict[str, Any]]:
    """The person's rows of one table, these columns only."""
    table: Table = model.__table__
    rows = tx.execute(
        select(*(table.c[name] for name in columns))
        .where(table.c.subject_id == subject_id)
        .order_by(table.c[newest].desc())
        .limit(MOST)
    )
    return [dict(row._mapping) for row in rows]


def _activity(tx: Session, subject_id: str) -> list[dict[str, Any]]:
    """What happened; who else did it, and from where, is theirs and not in it."""
    events = _of(tx, AuditEvent, _EVENT, subject_id, newest="at")
    for event in events:
        event["by_you"] = event.pop("actor") == subject_id
        if not event["by_you"]:
            event["address"] = None
    return events


def _profile(tx: Session, subject: SubjectFacts, *, now: datetime) -> dict[str, Any]:
    plain = (
        "id", "status", "user_id", "email", "email_verified_at", "phone_verified_at", "given_name", "family_name",
        "display_name", "locale", "zoneinfo", "created_at", "updated_at", "last_sign_in_at",
    )  # fmt: skip
    return {
        **{name: getattr(subject, name) for name in plain},
        "telephone": subjects.phone_of(subject),
        "more": dict(subject.profile),
        "former_emails": contact.former_emails(tx, subject_id=subject.id, now=now),
        "old_logins": [{"portal": old.portal, "login": old.login} for old in legacy.of(tx, subject_id=subject.id)],
    }


def _ways(tx: Session, subject: SubjectFacts, *, now: datetime) -> dict[str, Any]:
    held = factors.held(tx, subject_id=subject.id)
    return {
        "factors": [
            {
                "kind": each.kind.value,
                "name": each.name,
                "created_at": each.created_at,
                "last_used_at": each.last_used_at,
                "stopped": each.stopped,
                "sends_codes_to": codes.address_of(tx, each, subject=subject) if each.kind in _SENT else None,
            }
            for each in held
        ],
        "recovery_codes_left": recovery_codes.left(tx, subject_id=subject.id, now=now),
        "elsewhere": _of(tx, UpstreamLink, ("connection", "shown_as", "created_at"), subject.id, newest="created_at"),
    }


_SENT: Final = frozenset({Factor.SMS, Factor.EMAIL})


def _devices(tx: Session, subject: SubjectFacts, *, now: datetime) -> list[dict[str, Any]]:
    row = tx.get(Subject, subject.id)
    every = devices.listed(tx, subject=row, now=now) if row is not None else []
    columns = ("user_agent", "address", "remembered_at", "last_used_at", "expires_at")
    return [{name: getattr(each, name) for name in columns} for each in every]


def _site_key(tx: Session, subject_id: str) -> dict[str, str] | None:
    shown = site_keys.site_key_of(tx, subject_id=subject_id)
    return None if shown is None else {"picture": shown.picture, "phrase": shown.phrase}


def _questions(tx: Session, subject_id: str) -> list[str]:
    """What is asked; answers are digests, and not in it."""
    chosen = questions.questions_of(tx, subject_id=subject_id)
    return [str(QUESTIONS[each.key]) if each.key else each.text or "" for each in chosen]


def _messages(tx: Session, subject_id: str) -> list[dict[str, Any]]:
    """Of the month that settled messages are kept; their texts are wiped when they have left."""
    rows = messaging.sent_to(tx, subject_id=subject_id, limit=MOST)
    columns = ("notice", "channel", "created_at", "outcome")
    return [{name: getattr(row, name) for name in columns} for row in rows]


def _access(tx: Session, subject: SubjectFacts, *, now: datetime) -> list[dict[str, Any]]:
    """What was ended too, with who gave it and on what evidence."""
    see_as(tx, subject_id=subject.id)
    rows = tx.scalars(
        select(Affiliation)
        .where(Affiliation.subject_id == subject.id)
        .order_by(Affiliation.created_at.desc())
        .limit(MOST)
    ).all()
    names = _names(tx, rows)
    bases = granted.given(tx, [row.id for row in rows], subject_id=subject.id)
    return [_one(row, names.get(row.target_id), bases[row.id]) for row in rows]


def _names(tx: Session, rows: Sequence[Affiliation]) -> dict[UUID, str]:
    """The names of all targets: a statement for each kind."""
    tables = {
        TargetKind.PROVIDER: (Provider.id, Provider.legal_name),
        TargetKind.PRACTICE: (Practice.id, Practice.name),
        TargetKind.TRADING_PARTNER: (TradingPartner.id, TradingPartner.name),
    }
    names: dict[UUID, str] = {}
    for kind, (identity, name) in tables.items():
        wanted = [row.target_id for row in rows if row.target_kind == kind]
        if wanted:
            names |= {found[0]: found[1] for found in tx.execute(select(identity, name).where(identity.in_(wanted)))}
    return names


def _one(row: Affiliation, name: str | None, basis: granted.Basis) -> dict[str, Any]:
    plain = (
        "target_kind", "status", "disabled_by", "account_manager", "starts_at", "ends_at", "activated_at",
        "last_used_at", "ended_at", "created_at",
    )  # fmt: skip
    return {
        "registry": row.registry_name,
        "name": name,
        **{column: getattr(row, column) for column in plain},
        "evidence": [_given(each) for each in basis.evidence],
        "levels": [_given(each) for each in basis.levels],
    }


def _given(each: granted.Given) -> dict[str, Any]:
    return {"what": each.what, "portal": each.portal, "at": each.at, "by": each.by}


def _requests(tx: Session, subject: SubjectFacts) -> list[dict[str, Any]]:
    see_as(tx, subject_id=subject.id)
    return _of(tx, AccessRequest, _REQUEST, subject.id, newest="submitted_at")


def as_text(value: object) -> object:
    """How `json` writes what it does not know itself."""
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"a file cannot carry {type(value).__name__}")
