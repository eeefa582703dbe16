"""Sending a browser to an upstream provider: what is asked there, and how each protocol puts it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from idp.federation.connections import facts as connections
from idp.federation.connections.facts import Applied
from idp.federation.requests import Asked, Purpose, keep
from idp.federation.rules import Reason
from idp.federation.service import By
from idp.federation.upstream_oidc import service as upstream_oidc
from idp.federation.upstream_oidc.providers import Failed, providers
from idp.federation.upstream_oidc.service import Wishes
from idp.federation.upstream_saml import service as upstream_saml
from idp.foundation.database import reading, writing
from idp.sessions.rules import TransactionFacts
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


@dataclass(frozen=True, slots=True)
class Going:
    """One departure before it is parked: what is asked, in the words of this house."""

    applied: Applied
    asked: Asked
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Leave:
    """Where the browser goes, and the name of whom it goes to."""

    url: str
    applied: Applied


Prepared = Callable[[Secret], str]
Protocol = Callable[[Going], Prepared | Refused]
"""May use the network; what it returns makes the address once the request is parked and its `state` known."""


def _oidc(going: Going) -> Prepared | Refused:
    metadata = providers().metadata(going.applied.connection, now=going.asked.at)
    if isinstance(metadata, Failed):
        return metadata
    return lambda state: upstream_oidc.leave(going.applied, going.asked, state, wishes=going.wishes, metadata=metadata)


def _saml(going: Going) -> Prepared | Refused:
    """Nothing is fetched: what its applied metadata says is all that there is."""
    provider = upstream_saml.provider_of(going.applied, now=going.asked.at)
    if isinstance(provider, Refused) or upstream_saml.lacks_key(going.applied, provider):
        return Refused(Reason.UNFIT_METADATA)
    contexts = going.wishes.acr_values
    return lambda state: upstream_saml.leave(going.applied, going.asked, state, provider=provider, contexts=contexts)


PROTOCOLS: Final[dict[str, Protocol]] = {"oidc": _oidc, "saml": _saml}


def depart(going: Going, *, by: By) -> Leave | Refused:
    """Ask the protocol, then park the request for this browser: one write, and the network before it."""
    prepared = PROTOCOLS[going.applied.connection.protocol](going)
    if isinstance(prepared, Refused):
        return prepared
    with writing() as tx:
        state = keep(tx, going.asked, browser_digest=by.browser_digest)
    return Leave(prepared(state), going.applied)


def offered(name: str, *, portal: str | None) -> Applied | Refused:
    """A connection that may be used here: by a portal that it names, or on our own pages."""
    with reading() as tx:
        applied = connections.find(tx, name)
    if applied is None:
        return Refused(Reason.UNKNOWN_CONNECTION)
    if not applied.enabled:
        return Refused(Reason.SWITCHED_OFF)
    if portal is not None and portal not in applied.connection.portals:
        return Refused(Reason.NOT_OFFERED)
    return applied


def signing_in(applied: Applied, transaction: TransactionFacts, *, by: By, login_hint: str) -> Going:
    """For a parked sign-in: what its request asks is asked there too."""
    request = transaction.request
    prompt: list[str] = request.get("prompt") or []
    max_age = request.get("max_age")
    not_enough = transaction.authenticated_at is not None  # they signed in here, and were asked to sign in again
    asked = Asked(
        connection=applied.name,
        issuer=applied.connection.issuer,
        purpose=Purpose.SIGN_IN,
        at=by.now,
        txn=transaction.id,
        again="login" in prompt or bool(request.get("fresh")) or max_age == 0 or not_enough,
        max_age=max_age if isinstance(max_age, int) else None,
    )
    hint = login_hint or request.get("login_hint") or ""
    return Going(
        applied,
        asked,
        Wishes(
            prompt="select_account" if "select_account" in prompt else None,
            login_hint=hint if isinstance(hint, str) else None,
            acr_values=_theirs(applied, request),
            ui_locales=request.get("ui_locales"),
        ),
    )


def linking(applied: Applied, txn: UUID, *, by: By, subject_id: str) -> Going:
    """For somebody signed in who adds it to their account."""
    asked = Asked(applied.name, applied.connection.issuer, Purpose.LINK, by.now, txn=txn, by=subject_id)
    return Going(applied, asked, Wishes(prompt="select_account"))


def testing(applied: Applied, *, by: By, subject_id: str) -> Going:
    """For staff who try it."""
    asked = Asked(applied.name, applied.connection.issuer, Purpose.TEST, by.now, by=subject_id)
    return Going(applied, asked, Wishes())


def _theirs(applied: Applied, request: Any) -> tuple[str, ...]:
    """Classes asked here, in the provider's own words where the connection has them."""
    asked = [*(request.get("essential_acr") or ()), *(request.get("acr_values") or ())]
    table = applied.connection.assurance.acr
    return tuple(theirs for value in asked for theirs, ours in table.items() if ours == value)
