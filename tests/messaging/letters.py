"""Messages to somebody, for tests that need one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from idp.foundation.database import writing
from idp.messaging import service
from idp.messaging.rules import Brand, Link, Recipient

URL: Final = "https://credence.test/sign-in/reset/CNRY-link-secret"
BRAND: Final = Brand("portal", "Ozark Provider Exchange", "OE", "#0B6468", "1-800-555-0142", "Mon–Fri 8 am–6 pm CT")
ROSA: Final = Recipient("person", "rosa@practice.test", "+15555550100", "en-US", "America/Los_Angeles", "Rosa Delgado")
BY_PHONE: Final = Recipient("person", None, "+15555550100", "es", "America/Chicago", "Rosa Delgado")
_FRIDAY: Final = datetime(2026, 3, 6, 12, tzinfo=UTC)
_ASKED: Final = {
    "target": "Northlake Clinic", "person": "June Harwood", "position": "Office manager", "decide_by": _FRIDAY,
}  # fmt: skip
CONTEXTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "password_reset": {"url": URL},
    "password_changed": {},
    "passkey_stopped": {"factor_name": "Desk key", "url": "https://credence.test/account/security"},
    "user_id_reminder": {"user_id": "rosa.delgado", "url": "https://portal.test/sign-in"},
    "refresh_reused": {"application": "Harborline Analytics", "url": "https://partner.test/"},
    "access_ended": {"target": "Northlake Clinic", "url": "https://credence.test/account/access"},
    "confirm_merge": {"kept": "ro•••@practice.test", "url": URL},
    "accounts_merged": {
        "gone": "ro•••@old.test",
        "kept": "ro•••@practice.test",
        "url": "https://credence.test/account/access",
    },
    "account_closed": {"url": URL},
    "account_reopened": {},
    "data_downloaded": {"url": URL, "address": "203.0.113.7"},
    "confirm_email": {"url": URL},
    "email_changed": {"new": "ro•••@new.test", "url": URL},
    "email_is_yours": {"signs_in_by_it": True, "url": "https://credence.test/account/"},
    "address_wanted": {},
    "contact_restored": {},
    "phone_changed": {"new": "•••-•••-0142", "url": URL},
    "prove_mailbox": {"url": URL},
    "factor_added": {"kind": "totp", "factor_name": "Work phone", "url": URL},
    "factor_removed": {"kind": "passkey", "factor_name": "Blue key", "url": URL},
    "factors_lost": {"url": URL},
    "factor_recovery_started": {"url": URL, "opens_at": _FRIDAY, "by": "person"},
    "factor_recovery_open": {"url": URL, "until": _FRIDAY},
    "factor_recovery_stopped": {"why": "stopped"},
    "recovery_code_used": {"left": 9},
    "recovery_codes_made": {},
    "new_sign_in": {"url": URL, "browser": "Firefox, Windows", "address": "203.0.113.7"},
    "push_stopped": {"url": URL, "browser": "Firefox, Windows", "address": "203.0.113.7"},
    "factor_failed": {"url": URL, "browser": "Firefox, Windows", "address": "203.0.113.7"},
    "sign_in_code": {"code": "042137", "minutes": 10},
    "device_copied": {"url": URL},
    "verify_email": {"url": URL, "button": None},
    "already_registered": {"url": "https://portal.test/sign-in"},
    "registration_confirmed": {
        "display_name": "Rosa Delgado",
        "user_id": "rosa.delgado",
        "target": "Northlake Clinic",
        "number": "•••204",
        "pending": True,
        "url": "https://portal.test/sign-in",
    },
    "welcome": {"target": "Northlake Clinic", "number": "•••204", "url": "https://portal.test/sign-in"},
    "manager_mark": {"target": "Northlake Clinic", "person": "June Harwood", "given": True},
    "colleague_joined": {"target": "Northlake Clinic", "person": "June Harwood", "account_manager": True},
    "access_brought": {
        "target": "Northlake Clinic",
        "elsewhere": "Cascade MMIS",
        "url": "https://credence.test/account/access",
    },
    "colleague_brought": {"target": "Northlake Clinic", "elsewhere": "Cascade MMIS", "person": "June Harwood"},
    "access_asserted": {
        "target": "Northlake Clinic",
        "by": "Saint Anne Hospital",
        "happened": "given",
        "url": "https://credence.test/account/access",
    },
    "colleague_asserted": {
        "target": "Northlake Clinic",
        "by": "Saint Anne Hospital",
        "happened": "ended",
        "person": "June Harwood",
    },
    "verification_wanted": {"target": "Northlake Clinic", "person": "June Harwood"},
    "verification_lapsed": {"target": "Northlake Clinic", "refused": False},
    "access_requested": _ASKED,
    "access_request_waiting": _ASKED,
    "access_request_received": {"target": "Northlake Clinic", "decide_by": _FRIDAY, "url": URL},
    "access_request_reopened": {"target": "Northlake Clinic", "decide_by": _FRIDAY, "url": URL},
    "access_request_denied": {"target": "Northlake Clinic", "unanswered": False, "explanation": "Please call us first"},
    "staff_role": {
        "happened": "proposed",
        "role": "auditor",
        "person": "June Harwood",
        "by": "Ana Fuentes",
        "url": "https://credence.test/console/staff",
    },
    "support_message": {
        "person": "June Harwood",
        "reply_to": "june@harwood.test",
        "message": "Where do I find my PIN letter?",
        "signed_in": False,
    },
    "pin_letters_void": {"target": "Northlake Clinic"},
    "invitation": {"target": "Northlake Clinic", "url": URL, "asked": True},
    "engagement": {
        "target": "Northlake Clinic",
        "partner": "Lantern Billing",
        "happened": "engaged",
        "url": "https://credence.test/manage/",
    },
    "clerk_added": {"target": "Northlake Clinic", "user_id": "oscar.benitez", "url": URL},
    "registration_link": {"target": "Northlake Clinic", "url": URL},
    "review_opened": {"target": "Northlake Clinic", "ends": _FRIDAY, "url": URL},
    "review_waiting": {"target": "Northlake Clinic", "ends": _FRIDAY, "url": URL},
    "review_closed": {
        "target": "Northlake Clinic",
        "kept": 11,
        "changed": 1,
        "ended": 3,
        "answered": True,
        "url": URL,
    },
    "access_unused": {"target": "Northlake Clinic", "ends": _FRIDAY, "url": "https://portal.test/sign-in"},
    "access_suspended": {"target": "Northlake Clinic", "url": "https://credence.test/account/access"},
    "access_restored": {"target": "Northlake Clinic", "url": "https://credence.test/account/access"},
    "people_restored": {"target": "Northlake Clinic", "people": 3, "url": "https://credence.test/manage/"},
    "people_suspended": {"target": "Northlake Clinic", "people": 3, "url": "https://credence.test/manage/"},
    "access_changed": {"target": "Northlake Clinic", "url": "https://credence.test/account/access"},
}


def owe(
    now: datetime, *, notice: str = "password_reset", recipient: Recipient = ROSA, link: Link | None = None
) -> UUID:
    """Enqueue one message and commit it."""
    with writing() as tx:
        return service.enqueue(
            tx, notice=notice, recipient=recipient, brand=BRAND, context=CONTEXTS[notice], now=now, link=link
        )
