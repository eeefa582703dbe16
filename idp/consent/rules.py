"""What a grant says, and whether it still stands (DESIGN §4.6, SECURITY D4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID


class Kind(StrEnum):
    """Texts that a portal has people accept."""

    BANNER = "banner"
    TERMS = "terms"
    AGREEMENT = "agreement"


class Text(NamedTuple):
    """One text in one version."""

    kind: Kind
    version: str


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A live grant as tokens need it."""

    id: UUID
    subject_id: str
    client_id: str
    session_id: UUID
    offline: bool
    sid: UUID
    sub: str
    affiliation_id: UUID | None
    provider_id: UUID | None
    practice_id: UUID | None
    target_kind: str | None
    target_id: UUID | None
    registry: str | None
    scopes: str
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    claims: Mapping[str, Any] = field(default_factory=dict)
    resource: tuple[str, ...] = ()

    def sign_in(self) -> dict[str, Any]:
        """What a code and its refresh tokens keep of the sign-in that they come from."""
        return sign_in_of(self)

    def as_of(self, sign_in: Mapping[str, Any]) -> "GrantFacts":
        """The grant as it was authorized then: a later sign-in must not change an earlier token's `auth_time` (TK-30)."""
        return replace(
            self,
            auth_time=datetime.fromtimestamp(sign_in["auth_time"], UTC),
            acr=sign_in["acr"],
            amr=tuple(sign_in["amr"]),
            claims=sign_in["claims"],
        )


@dataclass(frozen=True, slots=True)
class Authorized:
    """What a person has just authorized: the content of a grant."""

    subject_id: str
    client_id: str
    session_id: UUID
    sid: UUID
    sub: str
    affiliation_id: UUID | None
    affiliation_epoch: int | None
    provider_id: UUID | None
    practice_id: UUID | None
    scopes: frozenset[str]
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    offline: bool
    subject_epoch: int
    client_epoch: int | None
    """`None`: as it stands when the grant is written."""
    system_epoch: int
    claims: Mapping[str, Any] = field(default_factory=dict)
    resource: tuple[str, ...] = ()

    def sign_in(self) -> dict[str, Any]:
        """As `GrantFacts.sign_in`, before there is a grant."""
        return sign_in_of(self)

    def same_act(self, *, affiliation_id: UUID | None, provider_id: UUID | None, practice_id: UUID | None) -> bool:
        """Whether it is for the same target, so that the standing grant can serve it."""
        return (self.affiliation_id, self.provider_id, self.practice_id) == (affiliation_id, provider_id, practice_id)


def sign_in_of(authorized: GrantFacts | Authorized) -> dict[str, Any]:
    """When, how and with which single claims asked somebody authorized."""
    return {
        "auth_time": int(authorized.auth_time.timestamp()),
        "acr": authorized.acr,
        "amr": list(authorized.amr),
        "claims": dict(authorized.claims),
    }
