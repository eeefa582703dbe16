"""What a person authorized, made in one line."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from idp.consent.rules import Authorized


def authorized(**changed: Any) -> Authorized:
    values: dict[str, Any] = {
        "subject_id": "rosa", "client_id": "ozark-secure", "session_id": UUID(int=11), "sid": UUID(int=12),
        "sub": "rosa", "affiliation_id": None, "affiliation_epoch": None, "provider_id": None, "practice_id": None,
        "scopes": frozenset({"openid"}), "auth_time": datetime(2026, 3, 2, 12, tzinfo=UTC), "acr": "aal1",
        "amr": ("pwd",), "offline": False, "subject_epoch": 1, "client_epoch": 1, "system_epoch": 1,
    }  # fmt: skip
    return Authorized(**(values | changed))
