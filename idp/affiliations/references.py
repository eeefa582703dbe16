"""Names for people and practices that mean something at one relying party only (OIDC Core §8.1; MODEL §2)."""

import hmac
from base64 import b32encode
from typing import Final
from uuid import UUID

from idp.foundation import house
from idp.keyring.service import Keyring
from idp.relying_parties.rules import RelyingParty

_PAIRWISE: Final = b"pairwise\x00"
_TIN_REF: Final = b"tin_ref\x00"


def pairwise_sub(subject_id: str, *, sector: str, key: bytes) -> str:
    """`sub` for one sector: HMAC-SHA-256 over sector and subject, 52 base32 characters."""
    return _name(_PAIRWISE, f"{sector}\x00{subject_id}", key)


def sub_at(party: RelyingParty, *, subject_id: str) -> str:
    """How a client knows the person: the one public name, or one for its sector."""
    if party.registration.subject_type == "public":
        return subject_id
    return pairwise_sub(subject_id, sector=party.sector, key=house.get(Keyring).index)


def tin_ref(practice_id: UUID, *, sector: str, key: bytes) -> str:
    """What stands for a TIN where the TIN itself may not be told: stable for one sector and practice."""
    return _name(_TIN_REF, f"{sector}\x00{practice_id.hex}", key)[:26]


def _name(domain: bytes, text: str, key: bytes) -> str:
    return b32encode(hmac.digest(key, domain + text.encode(), "sha256")).decode().rstrip("=").lower()
