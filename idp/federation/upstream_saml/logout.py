"""Signing out, both ways, by HTTP-Redirect: a request counts only when the provider signed it (FE-45). Pure."""

import binascii
import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote_plus

from idp.federation.upstream_saml import moments, rules
from idp.federation.upstream_saml.names import SUCCESS, A, P
from idp.federation.upstream_saml.ours import Ours
from idp.federation.upstream_saml.rules import Reason, is_issuer
from idp.federation.upstream_saml.theirs import Provider
from idp.foundation import xml, xml_signature
from idp.foundation.jose import LEEWAY
from idp.foundation.xml import Node
from idp.vocabulary.refused import Refused

MAX_AGE: Final = timedelta(minutes=5)
"""How old a request may be that does not say how long it is good."""
_SESSIONS: Final = 50


@dataclass(frozen=True, slots=True)
class LogoutAsked:
    """A genuine request to end the sessions that rest on one person's sign-in there."""

    request_id: str
    name_id: str = field(repr=False)
    sessions: tuple[str, ...]
    """SessionIndex values; empty: all of theirs."""
    relay_state: str | None


def read_request(query: bytes, *, provider: Provider, ours: Ours, now: datetime) -> LogoutAsked | Refused:
    """A request as it stands in the query, whose signature covers those very characters (SAML bindings §3.4.4.1)."""
    message = _message(query, provider=provider, now=now)
    if isinstance(message, Refused):
        return message
    root, relay_state = message
    wrong = _unfit(root, provider=provider, ours=ours, now=now)
    if wrong is not None:
        return wrong
    name = root.only(f"{A}NameID")
    if name is None or name.children or not name.text:
        return Refused(Reason.SUBJECT)
    sessions = tuple(dict.fromkeys(each.text for each in root.all(f"{P}SessionIndex") if each.text))[:_SESSIONS]
    return LogoutAsked(root.attributes["ID"], name.text, sessions, relay_state)


def request(
    ours: Ours,
    *,
    destination: str,
    request_id: str,
    name_id: str,
    name_id_format: str | None,
    session: str | None,
    now: datetime,
) -> Node:
    """A `LogoutRequest` of ours (SAML core §3.7.1)."""
    name = Node(f"{A}NameID", {"Format": name_id_format} if name_id_format else {}, name_id)
    index = (Node(f"{P}SessionIndex", text=session),) if session else ()
    return Node(
        f"{P}LogoutRequest",
        _envelope(request_id, destination, now),
        children=(Node(f"{A}Issuer", text=ours.entity_id), name, *index),
    )


def response(ours: Ours, *, destination: str, response_id: str, in_response_to: str, now: datetime) -> Node:
    """That it is done."""
    status = Node(f"{P}Status", children=(Node(f"{P}StatusCode", {"Value": SUCCESS}),))
    return Node(
        f"{P}LogoutResponse",
        _envelope(response_id, destination, now) | {"InResponseTo": in_response_to},
        children=(Node(f"{A}Issuer", text=ours.entity_id), status),
    )


def inflated(packed: bytes) -> bytes | Refused:
    """What was deflated, if it is no larger than a message may be: a bomb is stopped at that size (FE-43)."""
    opener = zlib.decompressobj(wbits=-15)
    try:
        plain = opener.decompress(packed, xml.SIZE + 1)
    except zlib.error:
        return Refused(Reason.UNREADABLE)
    return Refused(xml.Reason.TOO_LARGE) if len(plain) > xml.SIZE or opener.unconsumed_tail else plain


def _message(query: bytes, *, provider: Provider, now: datetime) -> tuple[Node, str | None] | Refused:
    raw = _raw(query)
    if raw is None or "SAMLRequest" not in raw:
        return Refused(Reason.UNREADABLE)
    if "Signature" not in raw or "SigAlg" not in raw:
        return Refused(xml_signature.Reason.UNSIGNED)
    covered = "&".join(f"{name}={raw[name]}" for name in ("SAMLRequest", "RelayState", "SigAlg") if name in raw)
    genuine = xml_signature.is_signed(
        covered.encode("ascii"),
        unquote_plus(raw["Signature"]),
        method=unquote_plus(raw["SigAlg"]),
        certificates=provider.certificates,
        now=now,
    )
    if not genuine:
        return Refused(xml_signature.Reason.SIGNATURE)
    try:
        packed = b64decode(unquote_plus(raw["SAMLRequest"]), validate=True)
    except (binascii.Error, ValueError):
        return Refused(Reason.UNREADABLE)
    plain = inflated(packed)
    root = plain if isinstance(plain, Refused) else xml.read(plain)
    if isinstance(root, Refused):
        return root
    return root, unquote_plus(raw["RelayState"]) if "RelayState" in raw else None


def _raw(query: bytes) -> Mapping[str, str] | None:
    """Names and values as they were sent, still encoded; `None` when a name stands twice."""
    found: dict[str, str] = {}
    try:
        pairs = query.decode("ascii").split("&")
    except UnicodeDecodeError:
        return None
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name in found:
            return None
        found[name] = value
    return found


def _unfit(root: Node, *, provider: Provider, ours: Ours, now: datetime) -> Refused | None:
    issued = moments.read(root.attributes.get("IssueInstant"))
    if (
        root.name != f"{P}LogoutRequest"
        or root.attributes.get("Version") != "2.0"
        or not root.attributes.get("ID")
        or issued is None
    ):
        return Refused(Reason.UNREADABLE)
    if not is_issuer(root.only(f"{A}Issuer"), provider.entity_id):
        return Refused(Reason.ISSUER)
    if root.attributes.get("Destination") != ours.sign_out:
        return Refused(Reason.DESTINATION)
    if issued > now + LEEWAY:
        return Refused(Reason.NOT_YET)
    if "NotOnOrAfter" not in root.attributes and issued < now - MAX_AGE - LEEWAY:
        return Refused(Reason.EXPIRED)
    wrong = rules.too_early_or_late(root, now=now)
    until = moments.read(root.attributes.get("NotOnOrAfter"))
    if wrong is None and until is not None and until > now + rules.LONGEST:
        wrong = Reason.TOO_LONG  # one that outlives our memory of it could come again
    return None if wrong is None else Refused(wrong)


def _envelope(identity: str, destination: str, now: datetime) -> dict[str, str]:
    return {"ID": identity, "Version": "2.0", "IssueInstant": moments.written(now), "Destination": destination}
