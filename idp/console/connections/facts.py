"""What the page of one connection shows: how it stands, what its provider must be told of us, and the last trial."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from idp.federation import trials
from idp.federation.connections import facts
from idp.federation.connections.facts import Applied
from idp.federation.rules import tins_of
from idp.federation.trials import Trial
from idp.federation.upstream_oidc.service import callback_of
from idp.federation.upstream_saml import service as saml
from idp.federation.upstream_saml.theirs import Provider
from idp.foundation.certificates import Certificate
from idp.foundation.database import Rows
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
        return ConnectionPage(applied, (("redirect_uri", callback_of(name)),), None, None, (), trial)
    ours, provider = saml.ours_at(name), saml.provider_of(applied, now=now)
    told = (("metadata", ours.entity_id), ("acs", ours.acs))
    if isinstance(provider, Refused):
        return ConnectionPage(applied, told, None, provider.reason.value, (), trial)
    shown = tuple((each, each.is_valid(now)) for each in provider.certificates)
    return ConnectionPage(applied, told, provider, None, shown, trial)
