"""What an authenticator's answer must say, and what it is worth (WebAuthn L3 §7.1, §7.2; MODEL §8). Pure.

py_webauthn checks signatures and structure; user verification, frames, the user handle, the backup flags and the
counter are judged here, on our own reading of the bytes.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit
from uuid import UUID

from idp.vocabulary.assurance import GAINS, Acr, Amr, Factor
from idp.vocabulary.refused import Refused

LONGEST_NAME: Final = 60
_LONGEST_CLIENT_DATA: Final = 4096
_HEADER: Final = 37
"""rpIdHash, flags, counter (§6.1)."""
_TRANSPORTS: Final = frozenset({"usb", "nfc", "ble", "internal", "hybrid", "smart-card"})


class Purpose(StrEnum):
    """What a challenge was made for; an answer to another one is none."""

    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"
    ADD = "add"


class Reason(StrEnum):
    """Why a passkey was not taken or not made; people see one sentence for all reasons of a sign-in (SI-01)."""

    MALFORMED = "malformed"
    CHALLENGE_SPENT = "challenge_spent"
    WRONG_TYPE = "wrong_type"
    WRONG_CHALLENGE = "wrong_challenge"
    WRONG_ORIGIN = "wrong_origin"
    IN_A_FRAME = "in_a_frame"
    WRONG_RP_ID = "wrong_rp_id"
    NOT_PRESENT = "not_present"
    NOT_VERIFIED = "not_verified"
    BACKUP_FLAGS = "backup_flags"
    UNKNOWN_CREDENTIAL = "unknown_credential"
    WRONG_USER_HANDLE = "wrong_user_handle"
    BAD_SIGNATURE = "bad_signature"
    COUNTER_WENT_BACK = "counter_went_back"
    STOPPED = "stopped"
    DISABLED = "disabled"
    UNVERIFIED = "unverified"
    BAD_ATTESTATION = "bad_attestation"
    TAKEN = "taken"
    BAD_NAME = "bad_name"


@dataclass(frozen=True, slots=True)
class RelyingPartyId:
    """Who we are to authenticators: the issuer's host, and the one origin whose pages may ask."""

    id: str
    origin: str

    @classmethod
    def of(cls, issuer: str) -> "RelyingPartyId":
        parts = urlsplit(issuer)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc.lower()}")


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a browser posts after `navigator.credentials.get()`."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None = None


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a browser posts after `navigator.credentials.create()`."""

    client_data: bytes
    attestation_object: bytes
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """A stored passkey as read at one moment."""

    factor_id: UUID
    subject_id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool
    attested: bool
    transports: tuple[str, ...]
    acr: frozenset[Acr]
    amr: tuple[Amr, ...]
    """What a use of it proves, as decided when it was made."""


@dataclass(frozen=True, slots=True)
class ClientData:
    """What the browser says it was asked, by which page."""

    type: str
    challenge: str
    origin: str
    in_a_frame: bool


@dataclass(frozen=True, slots=True)
class AuthenticatorData:
    """The part of an answer that the authenticator signs, without what may follow it."""

    rp_id_hash: bytes
    present: bool
    verified: bool
    backup_eligible: bool
    backed_up: bool
    sign_count: int


def client_data_of(raw: bytes) -> ClientData | Refused:
    """The client data, if it is the JSON object that browsers make: one value a name, the right types (MF-31)."""
    try:
        read = json.loads(
            raw.decode() if len(raw) <= _LONGEST_CLIENT_DATA else "",
            object_pairs_hook=_single,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError):
        return Refused(Reason.MALFORMED)
    if not isinstance(read, dict) or not _well_typed(read):
        return Refused(Reason.MALFORMED)
    framed = read.get("crossOrigin", False) or "topOrigin" in read
    return ClientData(read["type"], read["challenge"], read["origin"], framed)


def authenticator_data_of(raw: bytes) -> AuthenticatorData | Refused:
    """The fixed head of authenticator data; what follows it is py_webauthn's to read."""
    if len(raw) < _HEADER:
        return Refused(Reason.MALFORMED)
    flags = raw[32]
    return AuthenticatorData(
        rp_id_hash=raw[:32],
        present=bool(flags & 0x01),
        verified=bool(flags & 0x04),
        backup_eligible=bool(flags & 0x08),
        backed_up=bool(flags & 0x10),
        sign_count=int.from_bytes(raw[33:37], "big"),
    )


def why_not(
    client: ClientData, authenticator: AuthenticatorData, *, asked: str, type_: str, us: RelyingPartyId
) -> Refused | None:
    """Why an answer is none to what we asked: another type, challenge, page or party, a frame, nobody verified."""
    checks = {
        Reason.WRONG_TYPE: client.type != type_,
        Reason.WRONG_CHALLENGE: client.challenge != asked,
        Reason.WRONG_ORIGIN: client.origin != us.origin,
        Reason.IN_A_FRAME: client.in_a_frame,
        Reason.WRONG_RP_ID: authenticator.rp_id_hash != sha256(us.id.encode()).digest(),
        Reason.NOT_PRESENT: not authenticator.present,
        Reason.NOT_VERIFIED: not authenticator.verified,
        Reason.BACKUP_FLAGS: authenticator.backed_up and not authenticator.backup_eligible,
    }
    return next((Refused(reason) for reason, broken in checks.items() if broken), None)


def why_not_this_key(
    credential: Credential, authenticator: AuthenticatorData, *, user_handle: bytes | None, named_by_key: bool
) -> Refused | None:
    """Why the answer does not fit the stored key: another person's handle, another kind of key.

    `named_by_key` is a sign-in without a user ID: only the handle says who it is, so it must be there (§7.2 step 6).
    """
    if user_handle is None and named_by_key:
        return Refused(Reason.WRONG_USER_HANDLE)
    if user_handle is not None and user_handle != handle_of(credential.subject_id):
        return Refused(Reason.WRONG_USER_HANDLE)
    if authenticator.backup_eligible != credential.backup_eligible:
        return Refused(Reason.BACKUP_FLAGS)
    return None


def handle_of(subject_id: str) -> bytes:
    """The user handle: the random subject id, which says nothing about the person (§14.6.1)."""
    return subject_id.encode()


def assurance_of(*, attested: bool, backup_eligible: bool) -> tuple[frozenset[Acr], tuple[Amr, ...]]:
    """What a verified use of a key proves (MODEL §8): hardware only where its maker vouches and it cannot be copied."""
    if attested and not backup_eligible:
        return frozenset(Acr), (Amr.HARDWARE_KEY, Amr.USER_PRESENCE, Amr.MULTI_FACTOR)
    gain = GAINS[Factor.PASSKEY]
    return gain.acr, gain.amr


def known_transports(told: Collection[str]) -> tuple[str, ...]:
    """The transports that browsers may be told again; anything else is left out (§5.8.4)."""
    return tuple(sorted(_TRANSPORTS.intersection(told)))


def name_of(typed: str) -> str | Refused:
    """A name as it is kept: one line, something visible, not too long."""
    name = " ".join(typed.split())
    return name if 0 < len(name) <= LONGEST_NAME and name.isprintable() else Refused(Reason.BAD_NAME)


def _well_typed(read: Mapping[str, Any]) -> bool:
    texts = all(isinstance(read.get(name), str) for name in ("type", "challenge", "origin"))
    framed = isinstance(read.get("crossOrigin", False), bool) and isinstance(read.get("topOrigin", ""), str)
    return texts and framed


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)
