"""Facts and requests for the dispatcher's rule, made in one line each."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from idp.affiliations.rules import Choice
from idp.sessions.rules import Participation, SessionFacts, TransactionFacts
from idp.sign_in.rules import AuthorizationRequest, Facts
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.scopes import Scope

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SESSION_ID = UUID(int=1)
OTHER_SESSION = UUID(int=2)


def session(*, age: timedelta = timedelta(minutes=10), **changed: Any) -> SessionFacts:
    values: dict[str, Any] = {
        "id": SESSION_ID,
        "subject_id": "rosa",
        "auth_time": NOW - age,
        "acr": frozenset({Acr.AAL1}),
        "amr": (Amr.PASSWORD,),
        "created_at": NOW - age,
        "last_seen_at": NOW,
        "expires_at": NOW + timedelta(hours=8),
        "subject_epoch": 1,
        "system_epoch": 1,
        "digest_prefix": "ab",
    }
    return SessionFacts(**(values | changed))


def transaction(**changed: Any) -> TransactionFacts:
    values: dict[str, Any] = {
        "id": UUID(int=7),
        "client_id": "app",
        "request": {},
        "awaiting": "",
        "browser_digest": bytes(32),
        "expires_at": NOW + timedelta(hours=1),
        "session_id": SESSION_ID,
    }
    return TransactionFacts(**(values | changed))


def choice(number: int, **changed: Any) -> Choice:
    values: dict[str, Any] = {
        "affiliation_id": UUID(int=100 + number),
        "affiliation_epoch": 1,
        "kind": TargetKind.PRACTICE,
        "target_id": UUID(int=200 + number),
        "name": f"Clinic {number}",
        "provider": None,
        "practice_id": UUID(int=200 + number),
        "tin_masked": "**-***1234",
        "trading_partner_id": None,
        "levels": ("admin",),
    }
    return Choice(**(values | changed))


def chose(taken: Choice) -> dict[str, Any]:
    return {"affiliation_id": taken.affiliation_id, "provider_id": None, "chosen_at": NOW}


def remembers(taken: Choice) -> Participation:
    return Participation(UUID(int=9), taken.affiliation_id, None, taken.practice_id)


def request(scope: str = "openid tin", **changed: Any) -> AuthorizationRequest:
    parsed = Scope.parse(scope)
    assert parsed is not None
    return AuthorizationRequest(client_id=changed.pop("client_id", "app"), scope=parsed, **changed)


def facts(**changed: Any) -> Facts:
    values: dict[str, Any] = {"transaction": None, "session": session(), "choices": (choice(1),)}
    return Facts(**(values | changed))
