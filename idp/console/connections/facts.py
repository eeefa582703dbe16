"""What the page of one connection shows: how it stands, what its provider must be told of us, and the last trial."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from idp.federation import sign_out, trials
from idp.federation.connections import facts
from idp.federation.connections.facts import Applied
from idp.federation.rules import tins_of
from idp.federation.trials import Trial
from idp.federation.upstream_oidc.service import callback_of
from idp.federation.upstream_saml import service as saml
from idp.federation.upstream_saml.theirs import Provider
from idp.foundation import house
from idp.foundation.certificates import Certificate
from idp.foundation.database import Rows
from idp.settings import Settings
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """One connection with all that its page needs."""

    applied: Applied
    ours: tuple[tuple[str, str], ...]
    """What its provider must be told: the name of each thing, and its value."""
    provider: Provider | None
    """By SAML: what the applied metadata says."""
    unusable: str | None
    """By SAML: why the applied metadata cannot be used now."""
    certificates: tuple[tuple[Certificate, bool], ...]
    """Pinned ones, and whether each is valid now."""
    trial: Trial | None


def masked(tins: Iterable[str]) -> str:
    """Tax IDs as pages show them."""
    return ", ".join(sorted(tin.masked() for tin in tins_of(tuple(tins))))


def every(tx: Rows) -> tuple[Applied, ...]:
    """All of them."""
    return tuple(facts.every(tx).values())


def one(tx: Rows, name: str, *, now: datetime) -> ConnectionPage | None:
    """One by its name."""
    applied = facts.find(tx, name)
    if applied is None:
        return None
    trial = trials.last(tx, name)
    if applied.connection.saml is None:
        told = (
            ("redirect_uri", callback_of(name)),
            ("signed_out", sign_out.back_from(name)),
            ("logout", f"{house.get(Settings).issuer}/federation/{name}/logout"),
            ("jwks", f"{house.get(Settings).issuer}/federation/jwks"),
        )
        return ConnectionPage(applied, told, None, None, (), trial)
    entity, provider = saml.ours_at(name), saml.provider_of(applied, now=now)
    ours = (("metadata", entity.entity_id), ("acs", entity.acs))
    if isinstance(provider, Refused):
        return ConnectionPage(applied, ours, None, provider.reason.value, (), trial)
    shown = tuple((each, each.is_valid(now)) for each in provider.certificates)
    return ConnectionPage(applied, ours, provider, None, shown, trial)
