"""A letter in the post: a provider, its PIN, and attempts at it."""

from datetime import date, datetime, timedelta
from typing import Any

from idp.affiliations.pins import service
from idp.affiliations.pins.service import PinProof
from idp.directory.letters import service as letters
from idp.directory.letters.digest import pin_digest
from idp.directory.models import PinLetter, Provider
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.foundation.database import new_id, writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

PIN = "zVFwB6U5"
HOME = Origin("192.0.2.7", "r")
PORTAL = "cascade-mmis"


def portal(make: Any, client_id: str = PORTAL, **changed: Any) -> RelyingParty:
    """A portal of `heartland` that takes letters (D's terms), with a help address."""
    terms = {
        "registry": "heartland", "acting_for": ["provider"], "accepts": "letter", "accepts_for_manager": "letter",
        "default_levels": ["claims.inquiry"],
    }  # fmt: skip
    helped = changed.pop("help", {"phone": "555-0100", "email": "help@payer.test"})
    make.client(client_id, portal=terms | changed, help=helped)
    found = relying_parties.find(client_id)
    assert found is not None
    return found


def post(provider: Provider, pin: str = PIN, *, now: datetime, days: int = 21, sent: date | None = None) -> PinLetter:
    """Send a letter."""
    key = house.get(Keyring).index
    with writing() as tx:
        identity = new_id()
        _, artefact = artefacts.issue(
            tx, kind=Kind.PIN_LETTER, now=now, lifetime=timedelta(days=days), family=identity,
            digest=pin_digest(pin, provider=provider.id, key=key),
        )  # fmt: skip
        issued = sent or now.date()
        letter = PinLetter(
            id=identity, provider_id=provider.id, artefact_id=artefact, issued_on=issued,
            expires_on=issued + timedelta(days=days),
        )  # fmt: skip
        tx.add(letter)
        tx.flush()
        letters.void_outdated(tx, provider.id, now=now)
    return letter


def attempt(
    party: RelyingParty, provider_id: str, pin: str = PIN, *, now: datetime, origin: Origin = HOME
) -> PinProof | Refused:
    """Reserve, then check, each in its transaction, as the step does."""
    with writing() as tx:
        refused = service.reserve(tx, party=party, provider_id=provider_id, origin=origin, now=now)
    if refused is not None:
        return refused
    with writing() as tx:
        return service.check_pin(tx, party=party, provider_id=provider_id, pin=Secret(pin), origin=origin, now=now)
