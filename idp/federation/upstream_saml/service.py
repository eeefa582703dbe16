"""Sending somebody to a SAML identity provider, and reading its answer; nothing here uses the network, nothing writes.

A verified answer goes on to the browser's own GET sealed inside that address, so that a POST from elsewhere stores nothing.
"""

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from idp.federation.connections.facts import Applied
from idp.federation.connections.manifest import Connection, Saml
from idp.federation.requests import Asked, derived
from idp.federation.rules import Reason, Said, known_claims, named_claims, that_count
from idp.federation.upstream_saml import answers, asking, logout, ours, rules, theirs
from idp.federation.upstream_saml.asking import Sign, Wish
from idp.federation.upstream_saml.faults import METADATA
from idp.federation.upstream_saml.logout import LogoutAsked
from idp.federation.upstream_saml.ours import Ours
from idp.federation.upstream_saml.rules import Answer, Expected
from idp.federation.upstream_saml.theirs import Provider
from idp.foundation import certificates, house, vault
from idp.foundation.jose import LEEWAY
from idp.keyring.rules import Use
from idp.keyring.service import Keyring
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_CARRIED: Final = timedelta(minutes=5)
"""How long a browser may take from its POST to its GET."""
_TEXT_MAX: Final = 320
"""Characters of one attribute: an e-mail address has at most 254, and an address line holds them all."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A verified answer on its way from the POST to the browser's own GET."""

    state: Secret | None
    """`None`: nobody asked."""
    assertion_id: str
    until: datetime
    name_id_format: str | None
    said: Said = field(repr=False)


def ours_at(name: str) -> Ours:
    """Our entity at a connection."""
    return Ours.at(house.get(Settings).issuer, name)


def metadata(applied: Applied, *, now: datetime) -> str:
    """Our metadata for a connection: the certificate that signs now and the one that will."""
    saml, keys = _saml(applied.connection), house.get(Keyring).upstream(Use.SAML)
    shown = () if keys is None else keys.shown
    host = urlsplit(house.get(Settings).issuer).hostname or "credence"
    written = tuple(
        certificates.self_signed(each.key.key, name=host, kid=each.key.kid, since=each.since) for each in shown
    )
    provider = provider_of(applied, now=now)
    wanted = saml.sign_requests or (isinstance(provider, Provider) and provider.wants_signed_requests)
    return ours.metadata(
        ours_at(applied.name),
        certificates=written,
        name_id_format=saml.name_id_format,
        signs=bool(written) and wanted,
    )


def provider_of(applied: Applied, *, now: datetime) -> Provider | Refused:
    """What its applied metadata says; refused once that is stale or all its certificates have expired (FE-44)."""
    saml = _saml(applied.connection)
    signer = None if saml.metadata_certificate is None else certificates.read(saml.metadata_certificate)
    if saml.metadata_certificate is not None and signer is None:
        return Refused(theirs.Reason.UNSIGNED)
    text = applied.texts.get(METADATA, "")
    return theirs.read(text, entity_id=applied.connection.issuer, signer=signer, now=now)


def leave(applied: Applied, asked: Asked, state: Secret, *, provider: Provider, contexts: tuple[str, ...]) -> str:
    """The address that carries the browser to the provider, with a request that only this `state` could have made."""
    saml, entity = _saml(applied.connection), ours_at(applied.name)
    wish = Wish(
        again=asked.again or asked.max_age is not None,
        contexts=tuple(dict.fromkeys((*contexts, *saml.authn_contexts))),
        name_id_format=saml.name_id_format,
    )
    message = asking.authn_request(
        entity, destination=provider.sign_in_address, request_id=request_id_of(state), wish=wish, now=asked.at
    )
    return asking.address(
        provider.sign_in_address,
        message,
        kind="SAMLRequest",
        relay_state=state.reveal(),
        sign=signer() if _must_sign(saml, provider) else None,
    )


def lacks_key(applied: Applied, provider: Provider) -> bool:
    """Whether requests must be signed and nothing here signs them: `idp keys create` was not run since SAML came."""
    return _must_sign(_saml(applied.connection), provider) and signer() is None


def signer() -> Sign | None:
    """Our signature over what goes by redirect."""
    keys = house.get(Keyring).upstream(Use.SAML)
    return None if keys is None else keys.key.sign_bytes


def request_id_of(state: Secret) -> str:
    """The ID of the request that went with a `state`; an answer must name it (FE-37)."""
    return f"_{derived(state, purpose='request-id')}"


def sign_out(applied: Applied, hint: Secret | None, *, now: datetime) -> Callable[[Secret], str] | None:
    """How the browser signs out there too, where the provider's metadata offers that and we can sign what we ask."""
    saml, sign = _saml(applied.connection), signer()
    provider = provider_of(applied, now=now) if saml.sends_out and hint is not None and sign is not None else None
    if hint is None or provider is None or isinstance(provider, Refused) or provider.sign_out_address is None:
        return None
    destination, named = provider.sign_out_address, orjson.loads(hint.reveal())

    def to(state: Secret) -> str:
        message = logout.request(
            ours_at(applied.name),
            destination=destination,
            request_id=f"_{derived(state, purpose='logout-id')}",
            name_id=named["name_id"],
            name_id_format=named["format"],
            session=named["session"],
            now=now,
        )
        return asking.address(destination, message, kind="SAMLRequest", relay_state=state.reveal(), sign=sign)

    return to


def signed_out(applied: Applied, asked: LogoutAsked, *, provider: Provider, now: datetime) -> str | None:
    """Where the browser goes to tell the provider that it is done; `None` where that takes no answer."""
    destination = provider.sign_out_response_address
    if destination is None:
        return None
    message = logout.response(
        ours_at(applied.name),
        destination=destination,
        response_id=f"_{secrets.token_hex(16)}",
        in_response_to=asked.request_id,
        now=now,
    )
    return asking.address(destination, message, kind="SAMLResponse", relay_state=asked.relay_state, sign=signer())


def take(applied: Applied, encoded: str, *, state: Secret | None, now: datetime) -> Carried | Refused:
    """Verify a posted answer to the request of `state`, or to none where the connection allows that."""
    saml = _saml(applied.connection)
    if state is None and not saml.allow_unsolicited:
        return Refused(rules.Reason.UNSOLICITED)
    provider = provider_of(applied, now=now)
    if isinstance(provider, Refused):
        return provider
    entity = ours_at(applied.name)
    expected = Expected(
        issuer=applied.connection.issuer,
        audience=entity.entity_id,
        recipient=entity.acs,
        request_id=None if state is None else request_id_of(state),
        name_id_format=saml.name_id_format,
    )
    answer = answers.read(encoded, certificates=provider.certificates, expected=expected, now=now)
    if isinstance(answer, Refused):
        return answer
    return Carried(state, answer.assertion_id, answer.until, answer.name_id_format, said_of(applied.connection, answer))


def said_of(connection: Connection, answer: Answer) -> Said:
    """The answer in the words that both protocols share; attributes that the connection does not name stay behind (FE-11)."""
    wanted, names, several = known_claims(connection), connection.claims, named_claims(connection)
    single = {names.email, names.given_name, names.family_name}
    claims: dict[str, object] = {
        name: [value for value in values if len(value) <= _TEXT_MAX]
        if name in single
        else list(that_count(connection, name, values))
        for name, values in answer.attributes.items()
        if name in wanted and name != names.email_verified
    }
    if _saml(connection).email_verified:
        claims[names.email_verified] = True
    return Said(
        subject=answer.name_id,
        claims={name: value for name, value in claims.items() if value is True or name in several or _single(value)},
        acr=answer.context,
        authenticated_at=answer.authenticated_at,
        session=answer.session_index,
    )


def too_old(asked: Asked, said: Said, *, now: datetime) -> Refused | None:
    """Whether a sign-in anew was asked for and this one is older; a provider may overlook `ForceAuthn`."""
    at = said.authenticated_at
    if asked.again and (at is None or at < asked.at - LEEWAY):
        return Refused(Reason.NOT_AGAIN)
    if asked.max_age is not None and (at is None or at < now - timedelta(seconds=asked.max_age) - LEEWAY):
        return Refused(Reason.NOT_AGAIN)
    return None


def carry(carried: Carried, *, name: str, now: datetime) -> str:
    """The answer sealed for its way through the address line: for this connection, for minutes."""
    said = carried.said
    document = {
        "at": now.isoformat(),
        "state": None if carried.state is None else carried.state.reveal(),
        "assertion": carried.assertion_id,
        "until": carried.until.isoformat(),
        "format": carried.name_id_format,
        "subject": said.subject,
        "claims": said.claims,
        "acr": said.acr,
        "authenticated_at": None if said.authenticated_at is None else said.authenticated_at.isoformat(),
        "session": said.session,
    }
    sealed = vault.seal(orjson.dumps(document), keys=house.get(Keyring).vault, context=_context(name))
    return urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def carried_in(text: str, *, name: str, now: datetime) -> Carried | Refused:
    """What `carry` sealed here a moment ago."""
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        document = orjson.loads(vault.unseal(sealed, keys=house.get(Keyring).vault, context=_context(name)))
    except (binascii.Error, ValueError, IndexError, vault.Unopenable):
        return Refused(Reason.STATE)
    if now - datetime.fromisoformat(document["at"]) > _CARRIED:
        return Refused(Reason.STATE)
    return _carried(document)


def hint_of(carried: Carried) -> Secret:
    """What signing out there will have to name."""
    named = {"name_id": carried.said.subject, "format": carried.name_id_format, "session": carried.said.session}
    return Secret(orjson.dumps(named).decode())


def _carried(document: Mapping[str, Any]) -> Carried:
    at = document["authenticated_at"]
    said = Said(
        subject=document["subject"],
        claims=document["claims"],
        acr=document["acr"],
        authenticated_at=None if at is None else datetime.fromisoformat(at),
        session=document["session"],
    )
    state = document["state"]
    return Carried(
        None if state is None else Secret(state),
        document["assertion"],
        datetime.fromisoformat(document["until"]),
        document["format"],
        said,
    )


def _must_sign(saml: Saml, provider: Provider) -> bool:
    return saml.sign_requests or provider.wants_signed_requests


def _single(value: object) -> bool:
    return isinstance(value, list) and len(value) == 1


def _context(name: str) -> str:
    return f"saml.answer:{name}"


def _saml(connection: Connection) -> Saml:
    assert connection.saml is not None, "a connection of this protocol was checked to have it"
    return connection.saml
