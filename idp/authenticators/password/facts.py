"""Reading a stored password, and the portals' policies."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.authenticators.password.models import PasswordCredential
from idp.authenticators.password.rules import DEFAULT_POLICY, Credential, Person
from idp.authenticators.upstairs import Upstairs
from idp.foundation import house
from idp.foundation.prepared import prepared
from idp.relying_parties import service as relying_parties
from idp.relying_parties.manifest import PasswordPolicy
from idp.relying_parties.rules import RelyingParty

_table = PasswordCredential.__table__
_OF_SUBJECT: Final = prepared(select(_table).where(_table.c.subject_id == bindparam("subject_id")))


def credential_of(tx: Session, *, subject_id: str) -> Credential | None:
    """The person's password, or `None` where they have none; asked with any text, also of unknown people (SI-02)."""
    row = tx.execute(_OF_SUBJECT, {"subject_id": subject_id}).one_or_none()
    if row is None:
        return None
    return Credential(
        subject_id=row.subject_id,
        digest=row.digest,
        satisfies=tuple(row.satisfies or ()),
        must_change=row.must_change,
        temporary_until=row.temporary_until,
        changed_at=row.changed_at,
    )


def policies() -> Mapping[str, PasswordPolicy]:
    """`client_id` → policy of every portal; those that state none ask for the default."""
    return {party.client_id: party.manifest.password or DEFAULT_POLICY for party in _portals()}


def policies_held(tx: Session, *, subject_id: str, now: datetime) -> list[PasswordPolicy]:
    """Policies of the portals where the person holds an affiliation (MODEL §4)."""
    every = policies()
    held = house.get(Upstairs).portals_held(tx, subject_id=subject_id, now=now)
    return [every[client_id] for client_id in held if client_id in every]


class Named(Protocol):
    """Whoever has logins and names: a person's facts, or the person whom an enrolment is about to make."""

    @property
    def user_id(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def given_name(self) -> str | None: ...
    @property
    def family_name(self) -> str | None: ...
    @property
    def display_name(self) -> str | None: ...


def person_of(subject: Named) -> Person:
    """What this person's password must not resemble."""
    names = (subject.given_name, subject.family_name, subject.display_name)
    portals = (party.manifest.short_name for party in _portals())
    return Person(
        user_id=subject.user_id or "",
        email=subject.email or "",
        words=(*(name for name in names if name), *portals, "credence"),
    )


def _portals() -> list[RelyingParty]:
    return [party for party in relying_parties.every().values() if party.portal is not None]
