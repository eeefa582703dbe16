"""What can be told, to whom, in whose name, and how long we keep trying. Facts in, outcome out."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

RETRIES: Final = tuple(timedelta(seconds=s) for s in (30, 60, 120, 300, 900, 3600, 7200, 14_400, 28_800))
"""Pauses after the first, second … failed try of a message; after the last it is dead."""
DELIVERY_HORIZON: Final = timedelta(hours=24)
"""No message waits longer for its last try; a link stays redeemable this long, until its sending starts its own life."""
NAME_LIMIT: Final = 80
_ACCENT: Final = re.compile(r"#[0-9A-Fa-f]{6}\Z", re.ASCII)
_NEUTRAL_ACCENT: Final = "#44525E"
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SMS = "sms"


class Reason(StrEnum):
    """Why a message did not leave."""

    TRY_LATER = "try_later"
    """The server was down, slow, busy or wrongly set up: a later try may succeed."""
    REJECTED = "rejected"
    """This recipient or message will never be taken."""


@dataclass(frozen=True, slots=True)
class Undelivered(Refused):
    """A failed try; `detail` names the kind of failure and never an address."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom to tell: the stored addresses of one person, never typed ones (RC-06)."""

    subject_id: str | None
    email: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    locale: str
    zoneinfo: str
    name: str


@dataclass(frozen=True, slots=True)
class Brand:
    """In whose name: a portal's, or the provider's own with `client_id` `None`."""

    client_id: str | None
    name: str
    initials: str
    accent: str
    help_phone: str | None = None
    help_hours: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """The artefact behind the message's link: it lives `lifetime` from the sending (ruling 22)."""

    artefact_id: UUID
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that can be told: `templates/notices/<name>.{txt,html}` and `<name>.sms.txt`."""

    needs: frozenset[str] = frozenset()
    """Names that its context must have."""
    greets: bool = True
    """Whether it calls the recipient by name. Not where anybody may have typed name and address: else strangers
    could write to whom they like, in our name (AD-16)."""


NOTICES: Final[Mapping[str, Notice]] = {
    "password_reset": Notice(needs=frozenset({"url"})),
    "password_changed": Notice(),
    "passkey_stopped": Notice(needs=frozenset({"factor_name", "url"})),
    "user_id_reminder": Notice(needs=frozenset({"user_id", "url"})),
    "refresh_reused": Notice(needs=frozenset({"application"})),
    "factor_added": Notice(needs=frozenset({"kind", "factor_name", "url"})),
    "factor_removed": Notice(needs=frozenset({"kind", "factor_name", "url"})),
    "factors_lost": Notice(needs=frozenset({"url"})),
    "factor_recovery_started": Notice(needs=frozenset({"url", "opens_at", "by"})),
    "factor_recovery_open": Notice(needs=frozenset({"url", "until"})),
    "factor_recovery_stopped": Notice(needs=frozenset({"why"})),
    "recovery_code_used": Notice(needs=frozenset({"left"})),
    "recovery_codes_made": Notice(),
    "new_sign_in": Notice(needs=frozenset({"url", "browser", "address"})),
    "factor_failed": Notice(needs=frozenset({"url", "browser", "address"})),
    "push_stopped": Notice(needs=frozenset({"url", "browser", "address"})),
    "sign_in_code": Notice(needs=frozenset({"code", "minutes"})),
    "device_copied": Notice(needs=frozenset({"url"})),
    "access_ended": Notice(needs=frozenset({"target"})),
    "confirm_merge": Notice(needs=frozenset({"kept", "url"})),
    "accounts_merged": Notice(needs=frozenset({"gone", "kept", "url"})),
    "account_closed": Notice(needs=frozenset({"url"})),
    "account_reopened": Notice(),
    "data_downloaded": Notice(needs=frozenset({"url", "address"})),
    "confirm_email": Notice(needs=frozenset({"url"}), greets=False),
    "email_changed": Notice(needs=frozenset({"new", "url"})),
    "email_is_yours": Notice(needs=frozenset({"signs_in_by_it", "url"})),
    "address_wanted": Notice(),
    "contact_restored": Notice(greets=False),
    "phone_changed": Notice(needs=frozenset({"new", "url"})),
    "prove_mailbox": Notice(needs=frozenset({"url"})),
    "verify_email": Notice(needs=frozenset({"url", "button"}), greets=False),
    "already_registered": Notice(needs=frozenset({"url"}), greets=False),
    "registration_confirmed": Notice(
        needs=frozenset({"display_name", "user_id", "target", "number", "pending", "url"})
    ),
    "welcome": Notice(needs=frozenset({"target", "number", "url"})),
    "colleague_joined": Notice(needs=frozenset({"target", "person", "account_manager"})),
    "manager_mark": Notice(needs=frozenset({"target", "person", "given"})),
    "access_brought": Notice(needs=frozenset({"target", "elsewhere"})),
    "colleague_brought": Notice(needs=frozenset({"target", "elsewhere", "person"})),
    "access_asserted": Notice(needs=frozenset({"target", "by", "happened", "url"})),
    "colleague_asserted": Notice(needs=frozenset({"target", "by", "happened", "person"})),
    "verification_wanted": Notice(needs=frozenset({"target", "person"})),
    "verification_lapsed": Notice(needs=frozenset({"target", "refused"})),
    "access_requested": Notice(needs=frozenset({"target", "person", "position", "decide_by"})),
    "access_request_waiting": Notice(needs=frozenset({"target", "person", "position", "decide_by"})),
    "access_request_received": Notice(needs=frozenset({"target", "decide_by", "url"}), greets=False),
    "access_request_reopened": Notice(needs=frozenset({"target", "decide_by", "url"}), greets=False),
    "access_request_denied": Notice(needs=frozenset({"target", "unanswered", "explanation"}), greets=False),
    "staff_role": Notice(needs=frozenset({"happened", "role", "person", "by", "url"})),
    "support_message": Notice(needs=frozenset({"person", "reply_to", "message", "signed_in"}), greets=False),
    "pin_letters_void": Notice(needs=frozenset({"target"})),
    "invitation": Notice(needs=frozenset({"target", "url", "asked"}), greets=False),
    "engagement": Notice(needs=frozenset({"target", "partner", "happened", "url"})),
    "clerk_added": Notice(needs=frozenset({"target", "user_id", "url"}), greets=False),
    "registration_link": Notice(needs=frozenset({"target", "url"})),
    "access_changed": Notice(needs=frozenset({"target"})),
    "access_suspended": Notice(needs=frozenset({"target", "url"})),
    "access_restored": Notice(needs=frozenset({"target", "url"})),
    "people_restored": Notice(needs=frozenset({"target", "people", "url"})),
    "people_suspended": Notice(needs=frozenset({"target", "people", "url"})),
    "access_unused": Notice(needs=frozenset({"target", "ends", "url"})),
    "review_opened": Notice(needs=frozenset({"target", "ends"})),
    "review_waiting": Notice(needs=frozenset({"target", "ends"})),
    "review_closed": Notice(needs=frozenset({"target", "kept", "changed", "ended", "answered"})),
}
"""`url` is where the button leads; `application` the name of the relying party whose token came twice; `target` for
whom the person acts or acted, `new` an address or telephone, masked, `gone` and `kept` two accounts' masked logins, and `number` its masked number (`masks.tail`); both may be `None`. `button` is a portal's
own wording of subject, heading and button (C3 *Activate Account*), or `None` for ours; `user_id` is `None` where the
person signs in by e-mail; `pending` says that the access waits for somebody's verification (E0); `person` and `position`
are those of whom a manager is to judge, `decide_by` until when; `explanation` is a manager's own words or `None`;
`asked` says that an invitation answers a request, `refused` that a manager said no; `happened` is `proposed`,
`given` or `taken`, `role` a staff role, `by` who did it (`None`: on the command line);
`ends` is from when on unused access is disabled, or until when a review lasts; `kept`, `changed` and `ended` count
people, as `people` does; `answered` says that a manager confirmed it.
Every notice also gets `happened_at`, the moment it was enqueued, and may get `url`."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What the outbox seals: everything that the message will say."""

    recipient: Recipient
    brand: Brand
    context: Mapping[str, Any]
    link: Link | None = None


def check(notice: str, *, context: Mapping[str, Any], link: Link | None) -> None:
    """Fail where the message is enqueued, in its author's test, not when the worker renders it."""
    known = NOTICES.get(notice)
    if known is None:
        raise ValueError(f"no notice is called {notice}")
    missing = known.needs - context.keys()
    if missing:
        raise ValueError(f"notice {notice} needs {', '.join(sorted(missing))}")
    if link is not None and "url" not in context:
        raise ValueError("a link needs its url in the context")


def channel_for(recipient: Recipient) -> Channel:
    """E-mail where there is an address, else SMS; a recipient without either is a programming error."""
    if recipient.email:
        return Channel.EMAIL
    if recipient.phone:
        return Channel.SMS
    raise ValueError("a recipient has an address or a telephone")


def pack(payload: Payload) -> bytes:
    """The payload as text to be sealed."""
    return json.dumps(asdict(payload), default=_tagged, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _tagged(value: object) -> object:
    match value:
        case datetime():
            return {"$at": value.astimezone(UTC).isoformat()}
        case timedelta():
            return {"$seconds": value.total_seconds()}
        case UUID():
            return {"$id": str(value)}
        case _:
            raise TypeError(f"a message cannot carry {type(value).__name__}")


def unpack(plain: bytes) -> Payload:
    """What `pack` packed."""
    data = json.loads(plain, object_hook=_untagged)
    link = data["link"]
    return Payload(
        Recipient(**data["recipient"]), Brand(**data["brand"]), data["context"], Link(**link) if link else None
    )


def _untagged(members: dict[str, Any]) -> object:
    match members:
        case {"$at": str(at)}:
            return datetime.fromisoformat(at)
        case {"$seconds": seconds}:
            return timedelta(seconds=seconds)
        case {"$id": str(identity)}:
            return UUID(identity)
        case _:
            return members


def revealed(context: Mapping[str, Any]) -> dict[str, Any]:
    """The context with its secrets in plain, for sealing only."""
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in context.items()}


def retry_at(attempts: int, *, now: datetime, jitter: float) -> datetime | None:
    """When to try again after `attempts` failures, or `None`: give up. `jitter` in 0..1 spreads a crowd by a fifth."""
    if attempts > len(RETRIES):
        return None
    return now + RETRIES[max(attempts, 1) - 1] * (0.9 + 0.2 * jitter)


def one_line(value: str, *, limit: int = NAME_LIMIT) -> str:
    """Text that can stand in a header: no control characters, one line, bounded (RC-06, ST-13)."""
    visible = "".join(" " if unicodedata.category(char) in _INVISIBLE else char for char in value[: limit * 4])
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def spoken(name: str, *, limit: int = NAME_LIMIT) -> str:
    """A name that no mail program turns into a link: dots, at signs and slashes stand apart (AD-16)."""
    apart = re.sub(r"([.@:/\\])(?=\S)", r"\1 ", one_line(name, limit=limit))
    return re.sub(r"(?<=\S)@", " @", apart)


def accent_of(brand: Brand) -> str:
    """The brand's colour, if it is one: the only value that reaches a style attribute."""
    return brand.accent if _ACCENT.match(brand.accent) else _NEUTRAL_ACCENT
