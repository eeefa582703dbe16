"""A PIN is tried (reserve, then compare) and, when the affiliation is made, used up (D2, EN-01…03)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from idp.affiliations.managers.telling import tell_payer
from idp.affiliations.pins import budgets
from idp.affiliations.pins.rules import Reason, no_match
from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import service as directory
from idp.directory.letters import service as letters
from idp.directory.letters.digest import pin_digest
from idp.directory.models import PinLetter
from idp.directory.rules import ProviderFacts
from idp.foundation import artefacts, house, limiter
from idp.foundation.artefacts import Kind
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_letters: Table = PinLetter.__table__  # type: ignore[assignment]
_NOBODY: Final = UUID(int=0)
"""Takes the place of a provider that is not there, so that the same statements run."""


@dataclass(frozen=True, slots=True)
class PinProof:
    """A pair that matched; the PIN is still unused."""

    provider: ProviderFacts
    pin_digest: bytes = field(repr=False)


def reserve(tx: Session, *, party: RelyingParty, provider_id: str, origin: Origin, now: datetime) -> Refused | None:
    """Count an attempt; commit it before `check_pin`, so that no attempt is ever uncounted (D7, RA-14)."""
    key = _key(party, provider_id)
    refused = budgets.reserve(tx, provider=key, address=origin.address, now=now)
    if refused is None:
        return None
    if refused.reason is limiter.Reason.EXHAUSTED:
        _void(tx, party, provider_id, origin=origin, now=now)
        refused = Refused(Reason.TOO_MANY)
    _audit(tx, party, _provider(tx, party, provider_id), outcome=refused.reason.value, origin=origin, now=now)
    return refused


def check_pin(
    tx: Session, *, party: RelyingParty, provider_id: str, pin: Secret, origin: Origin, now: datetime
) -> PinProof | Refused:
    """Whether this PIN was sent to this provider, is unused and good, and the provider in force; case counts.

    Uses nothing up. A provider ID that nobody has costs the same statements; every no is one `NO_MATCH` (EN-04).
    """
    provider = _provider(tx, party, provider_id)
    identity = provider.id if provider is not None else _NOBODY
    digest = pin_digest(pin.reveal(), provider=identity, key=house.get(Keyring).index)
    found = artefacts.peek(tx, kind=Kind.PIN_LETTER, digest=digest, now=now)
    why = no_match(
        known=provider is not None,
        in_force=provider is not None and provider.in_force(now.date()),
        pin=found.reason.value if isinstance(found, Refused) else None,
    )
    _audit(tx, party, provider, outcome=why or "ok", origin=origin, now=now)
    if why is not None or provider is None:
        if budgets.used_up(tx, provider=_key(party, provider_id), now=now):
            _void(tx, party, provider_id, origin=origin, now=now)
        return Refused(Reason.NO_MATCH)
    budgets.matched(tx, provider=_key(party, provider_id), address=origin.address, now=now)
    return PinProof(provider, digest)


def redeem_pin(
    tx: Session, *, provider_id: UUID, pin_digest: bytes, actor: str, now: datetime, origin: Origin
) -> UUID | Refused:
    """Use a PIN up, once, in the transaction of what it proves; the letter's id (EN-02)."""
    used = artefacts.redeem(tx, kind=Kind.PIN_LETTER, digest=pin_digest, now=now)
    letter = None if isinstance(used, Refused) else used.family
    if letter is not None:
        mine = (_letters.c.id == letter, _letters.c.provider_id == provider_id)
        tx.execute(update(_letters).where(*mine).values(used_on=now.date()))
    audit.append(
        tx,
        Event.LETTER_REDEEMED,
        now=now,
        actor=actor,
        origin=origin,
        outcome=used.reason.value if isinstance(used, Refused) else "ok",
        subject_id=actor,
        target_kind=TargetKind.PROVIDER.value,
        target_id=provider_id,
    )
    return letter if letter is not None else Refused(Reason.NO_MATCH)


def _void(tx: Session, party: RelyingParty, provider_id: str, *, origin: Origin, now: datetime) -> None:
    """Twenty wrong PINs: what was sent is worth nothing, the payer hears of it and may send a new letter (ruling 11)."""
    budgets.start_over(tx, provider=_key(party, provider_id), now=now)
    provider = _provider(tx, party, provider_id)
    if provider is None:
        return
    voided = letters.void_open(tx, provider.id, now=now)
    if voided == 0:
        return
    audit.append(
        tx,
        Event.LETTERS_VOIDED,
        now=now,
        actor="system",
        origin=origin,
        client_id=party.client_id,
        target_kind=TargetKind.PROVIDER.value,
        target_id=provider.id,
        details={"letters": voided},
    )
    tell_payer(tx, notice="pin_letters_void", party=party, context={"target": provider.name}, now=now)


def _provider(tx: Session, party: RelyingParty, provider_id: str) -> ProviderFacts | None:
    return directory.provider_by_number(tx, registry=_registry(party), provider_id=provider_id)


def _key(party: RelyingParty, provider_id: str) -> str:
    return f"{_registry(party)} {provider_id}"


def _registry(party: RelyingParty) -> str:
    if party.portal is None:
        raise ValueError("letters are redeemed at portals")
    return party.portal.registry


def _audit(
    tx: Session, party: RelyingParty, provider: ProviderFacts | None, *, outcome: str, origin: Origin, now: datetime
) -> None:
    audit.append(
        tx,
        Event.LETTER_CHECKED,
        now=now,
        actor="anonymous",
        origin=origin,
        outcome=outcome,
        client_id=party.client_id,
        target_kind=TargetKind.PROVIDER.value if provider is not None else None,
        target_id=provider.id if provider is not None else None,
    )
